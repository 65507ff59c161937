"""``brobygger disclosures``: who was told what about whom, and whether that account is whole."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.vault.keys import pseudonym_roots
from connectors.vault.pseudonyms import Pseudonyms
from schemas.outputs import Disclosure
from streams.cli.people import opened_vault, youth_id_of
from streams.cli.printing import AsJson, complain, print_document, print_line, print_table
from streams.instance import broker_of
from streams.log.disclosures import Chain, chains, disclosures_about, heads_in, keep_heads
from streams.settings import settings_of_process

app = typer.Typer(
    help="Check the chain of disclosures, or show those about one young person.",
    add_completion=False,
    no_args_is_help=True,
)
_HEADS = "disclosure-heads.json"
Heads = Annotated[Path | None, typer.Option(help="the file of kept heads; in the data folder unless named")]
YouthId = Annotated[str | None, typer.Argument(help="the vault's id; without it you are asked for a CPR number")]


@app.command()
def verify(heads: Heads = None, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Reads every disclosure and checks position, previous and digest; exit code 1 where a chain is broken.

    A chain can't tell what was cut off at its end, so the heads are kept, in the data folder unless named, and compared
    at the next run: run it daily, and keep a copy of the file where whoever runs the cluster can't write.
    """
    settings = settings_of_process()
    file = heads or settings.data_folder / _HEADS
    keys = Pseudonyms(pseudonym_roots(settings.keys_folder)).disclosures_keys
    found = list(chains(broker_of(settings), keys, heads_in(file)))
    whole = all(chain.broken is None for chain in found)
    if whole:
        keep_heads(file, found)
    if as_json:
        print_document({"whole": whole, "partitions": [asdict(chain) for chain in found]})
    else:
        print_table("disclosures", ("partition", "hold", "head", "first break"), map(_row, found))
    if not whole:
        complain("the account of disclosures was altered, or something is missing from it")
        raise typer.Exit(1)


@app.command()
def show(youth_id: YouthId = None, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Shows who was told what about a young person, when, why and on which consent; one JSON line each."""
    settings = settings_of_process()
    connection = broker_of(settings)
    about = youth_id_of(opened_vault(settings), youth_id)
    rows = [_said(one) for one in disclosures_about(connection, about)]
    if as_json:
        for row in rows:
            print_line(row)
        return
    columns = ("when", "receiver", "disclosed", "purpose", "consent", "handover", "grant")
    print_table(f"disclosures about {about}", columns, (list(row.values()) for row in rows))


def _row(chain: Chain) -> tuple[object, ...]:
    broken = chain.broken
    return (
        chain.partition,
        chain.disclosures,
        chain.head[:16],
        broken and f"{broken.position}: {broken.field}: {broken.rule}",
    )


def _said(one: Disclosure) -> dict[str, Any]:
    return {
        "occurred_at": one.occurred_at.isoformat(),
        "receiver": one.receiver,
        "disclosed": one.disclosed.value,
        "purpose": one.purpose.value,
        "consent_id": one.consent_id,
        "handover_id": one.subject,
        "grant_id": one.grant_id and str(one.grant_id),
    }
