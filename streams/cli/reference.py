"""``brobygger reference``: whether reference data is whole and of today, and what messages name that it lacks."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta

import typer
from sqlalchemy import func, select

from connectors.gateway.letters.unknown_receivers import UnknownReceivers
from connectors.gateway.tables import open_ledger
from connectors.read_model.tables import NOTICES, open_read_model, reading
from connectors.vault.database import is_there
from connectors.vault.urls import sqlite_url
from schemas.codes import NoticeKind
from schemas.programmes import load_programmes
from schemas.reference import Reference, load_reference
from streams.catalogue import Rules, compile_catalogue
from streams.cli.printing import AsJson, print_line, print_table
from streams.settings import Settings, settings_of_process

app = typer.Typer(
    help="Check reference data, and what messages name that it lacks.", add_completion=False, no_args_is_help=True
)
_OLD = timedelta(days=400)
_SOON = timedelta(days=90)
_NO = 1


@dataclass(frozen=True, slots=True)
class ReferenceFinding:
    """Something about reference data: in which file, about which entry, and whether somebody has to do something."""

    kind: str
    file: str
    entry: str
    text: str
    to_do: bool = True


@app.callback()
def reference() -> None:
    """Reference data are the files of BROBYGGER_REFERENCE."""


@app.command()
def check(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Checks every file, then lists what is old or ends soon, and units and receivers that messages name in vain.

    Exit code 1 where somebody has to do something, 2 where a file breaks a rule. One JSON line a finding.
    """
    settings, today = settings_of_process(), datetime.now(UTC).date()
    loaded = load_reference(settings.reference_folder)
    compile_catalogue(0, load_programmes(settings.programmes_folder), loaded, today, Rules(settings.settle))
    findings = [*dated(loaded, today), *_unknown_units(settings, loaded), *_unknown_receivers(settings, loaded)]
    if as_json:
        for one in findings:
            print_line(asdict(one))
    elif findings:
        rows = ((one.kind, one.file, one.entry, one.text) for one in findings)
        print_table("reference data", ("finding", "file", "entry", "what"), rows)
    else:
        typer.echo("reference data is whole and of today, and messages name nothing that it lacks")
    if any(one.to_do for one in findings):
        raise typer.Exit(_NO)


def dated(loaded: Reference, today: date) -> Iterator[ReferenceFinding]:
    """Returns what is old, is dated ahead, has ended or ends soon, as of a day."""
    for file, source in sorted(loaded.sources.items()):
        if source.as_of > today:
            yield ReferenceFinding(
                "dated_ahead", file, str(source.as_of), "a file says how things are, not how they will be"
            )
        elif today - source.as_of > _OLD:
            yield ReferenceFinding("old", file, str(source.as_of), "look at its source again, and date the file anew")
    for region in loaded.regions:
        if region.valid_to is not None and region.valid_to > today - _SOON and region.valid_to <= today + _SOON:
            then = f"{region.name} is {region.replaced_by or 'no more'} from then on: `brobygger programmes apply`"
            yield ReferenceFinding("changes", "regions.toml", str(region.valid_to), then, to_do=False)
    ends = [("units.toml", unit.sor, unit.name, unit.valid_to) for unit in loaded.units]
    ends += [("receivers.toml", one.sor, one.name, one.valid_to) for one in loaded.receivers]
    for file, sor, name, valid_to in ends:
        if valid_to is not None and valid_to <= today + _SOON:
            yield ReferenceFinding("ends", file, sor, f"{name} ends on {valid_to}", to_do=False)


def _unknown_units(settings: Settings, loaded: Reference) -> Iterator[ReferenceFinding]:
    url = settings.read_model_url or sqlite_url(settings.data_folder / "read-model.sqlite")
    if not is_there(url):
        return
    kind, unit = NoticeKind.UNKNOWN_UNIT.value, NOTICES.c.subject
    named = select(unit, func.count()).where(NOTICES.c.kind == kind, NOTICES.c.reason_code == kind).group_by(unit)
    engine = open_read_model(url)
    for sor, people in reading(engine, lambda connection: connection.execute(named.order_by(unit)).all()):
        if loaded.unit(sor) is None:
            yield ReferenceFinding(
                "unknown_unit", "units.toml", sor, f"{people} young people's stays wait for its specialty"
            )
    engine.dispose()


def _unknown_receivers(settings: Settings, loaded: Reference) -> Iterator[ReferenceFinding]:
    if not is_there(settings.ledger_database):
        return
    engine = open_ledger(settings.ledger_database)
    for one in UnknownReceivers(engine).listed():
        if not loaded.is_receiver(one.sor, one.gln):
            text = f"{one.messages} messages were refused, the last on {one.last_seen:%Y-%m-%d}; GLN {one.gln}"
            yield ReferenceFinding("unknown_receiver", "receivers.toml", one.sor, text)
    engine.dispose()
