"""``brobygger reconcile``: law 5, checked. Nothing lost, nothing twice, and the sums add up."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.printing import AsJson, print_document, print_table
from streams.cli.replay import print_findings, replayed_with_progress, snapshot_of
from streams.log.accounting import account_of
from streams.log.books import CAME_IN, OUTCOMES, Account
from streams.settings import settings_of_process


def reconcile(
    copy: Annotated[Path | None, typer.Option(help="made by `replay --export`; the cluster unless given")] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Refolds the intake log and balances the books; exit code 1 where they don't, naming what and where.

    events in = folded + duplicates + out of scope + dead letters (+ what is under way), per source and day;
    needs opened = sum over states; every public record became one intake record or one dead letter; every
    output is the refold's.
    """
    settings = settings_of_process()
    snapshot = snapshot_of(settings, copy)
    account = account_of(snapshot, replayed_with_progress(settings, snapshot))
    if as_json:
        print_document(account.as_dict())
    else:
        print_account(account)
    if not account.balances:
        raise typer.Exit(1)


def print_account(account: Account) -> None:
    """Prints the books for people: events, needs, outputs, and what doesn't balance."""
    rows = (
        (source, day, line[CAME_IN], *(line[outcome] for outcome in OUTCOMES))
        for (source, day), line in sorted(account.events.items())
    )
    print_table("what came in, by source and day", ("source", "day", CAME_IN, *OUTCOMES), rows)
    print_table(f"{account.needs_opened} needs opened", ("state", "needs"), sorted(account.needs_by_state.items()))
    print_table("why the needs that are remembered came", ("reason", "needs"), sorted(account.needs_by_reason.items()))
    outputs = ((topic, found, refolded) for topic, (found, refolded) in sorted(account.outputs.items()))
    print_table("outputs", ("topic", "found", "refolded"), outputs)
    if account.balances:
        typer.echo("it balances")
    else:
        print_findings(account.findings, account.remarks)
