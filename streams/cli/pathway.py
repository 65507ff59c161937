"""``brobygger pathway``: a young person's pathway, by youth id."""

from typing import Annotated

import typer
from rich.console import Console

from connectors.vault.keys import pseudonym_roots
from connectors.vault.pseudonyms import Pseudonyms
from schemas.outputs import PathwayView
from streams.cli.printing import AsJson, complain, print_document, print_table
from streams.instance import broker_of
from streams.log.told_handovers import ids_told_of
from streams.log.views import pathway_of
from streams.settings import Settings, settings_of_process


def pathway(
    youth_id: Annotated[str, typer.Argument(help="the vault's id of the young person")],
    told: Annotated[bool, typer.Option("--told", help="by which id each programme knows its handover")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Shows the latest public view of a pathway; exit code 1 where there is none."""
    settings = settings_of_process()
    view = pathway_of(broker_of(settings), youth_id, settings.partitions)
    if view is None:
        complain(f"no pathway is shown for {youth_id}; one is once a stay or a need is known")
        raise typer.Exit(1)
    known = _told_ids(settings, youth_id) if told else {}
    if as_json:
        print_document(view.model_dump(mode="json") | ({"told_ids": known} if told else {}))
    else:
        _print(view, known)


def _told_ids(settings: Settings, youth_id: str) -> dict[str, str]:
    pseudonyms = Pseudonyms(pseudonym_roots(settings.keys_folder))
    return ids_told_of(broker_of(settings), pseudonyms, youth_id)


def _print(view: PathwayView, told_ids: dict[str, str]) -> None:
    known = f"age {view.age_band or 'unknown'}  municipality {view.municipality or 'unknown'}"
    heading = f"{view.youth_id}  {known}  as of {view.occurred_at.isoformat()}"
    Console().print(heading, style="bold", highlight=False)
    stays = ((stay.started_at, stay.ended_at, stay.state) for stay in view.stays)
    print_table("stays", ("from", "to", "state"), stays)
    print_table(
        "needs",
        ("need", "kind", "trigger", "state", "owner", "clock", "reason"),
        (
            (need.need_id, need.kind, need.trigger, need.state, need.owner, need.clock_at, need.reason_code)
            for need in view.needs
        ),
    )
    print_table(
        "handovers",
        ("handover", "programme", "site", "state", "reason", "identity"),
        (
            (one.handover_id, one.programme, one.site, one.state, one.reason_code, one.identity)
            for one in view.handovers
        ),
    )
    if told_ids:
        print_table("as their programmes know them", ("handover", "its id there"), told_ids.items())
