"""``brobygger erase``: takes from the vault, and from what is read, everything that leads to a young person."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from connectors.vault.number_links import NumberLinks
from streams.cli.people import opened_vault, youth_id_of
from streams.cli.printing import AsJson, complain, print_document, print_table, refuse
from streams.instance import broker_of, gateway_settings
from streams.log.erasing import erase_everywhere
from streams.settings import settings_of_process


def erase(
    youth_id: Annotated[
        str | None, typer.Argument(help="the vault's id; without it you are asked for a CPR number")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="really erase; it can't be undone")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Deletes identity, data key, look-up and claim codes, recalls what programmes have, and prints the proof.

    All numbers of the same person go, each with a proof of its own. May be repeated by youth id. The pathway's
    statistics stay; dead letters go within their 30 days.
    """
    settings = settings_of_process()
    vault = opened_vault(settings)
    about = youth_id_of(vault, youth_id)
    others = sorted(NumberLinks(vault.engine).linked_with(about))
    for other in others:
        complain(f"another number of the same person is {other}; it is erased with this one")
    if not yes:
        raise refuse(f"this erases {about} for good; give --yes where that is meant")
    connection = broker_of(settings)
    at = datetime.now(UTC)
    proofs = []
    # The one that names the others goes last: where this ends early, its id finds them again.
    for one in (*others, about):
        complain(f"erasing {one}; should this end early, run it again by {about}")
        proofs.append(erase_everywhere(connection, vault, gateway_settings(settings), one, at))
    if as_json:
        print_document(proofs[-1] | ({"other_numbers": proofs[:-1]} if others else {}))
        return
    for proof in proofs:
        _print(proof)


def _print(proof: dict[str, Any]) -> None:
    rows = [(name, value) for name, value in proof.items() if not isinstance(value, dict)]
    rows += [
        (f"deleted from {name}: {what}", count)
        for name in ("vault", "read_model", "lists")
        for what, count in proof[name].items()
    ]
    print_table("erased", ("", ""), rows)
