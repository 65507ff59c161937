"""``brobygger scenario``: the five arrangements, played on an instance of their own beside their sources' figures."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from connectors.kafka import training
from connectors.kafka.embedded import EmbeddedBroker
from schemas.reference import load_reference
from streams.cli.printing import AsJson, print_document, print_table, refuse
from streams.cli.reconcile import print_account
from streams.cli.replay import replayed_with_progress
from streams.cli.up import children_of, free_port, provision
from streams.log.accounting import account_of
from streams.log.live import take_snapshot
from streams.scenarios.dates import Dates
from streams.scenarios.files import ScenarioFile, load_scenario
from streams.scenarios.programme_files import write_copies
from streams.scenarios.run import ARRANGEMENTS, ScenarioInstance, ScenarioOutcome, play_all
from streams.settings import Settings, settings_of_process
from streams.supervision import stop_all, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from streams.log.books import Account

ALL = "all"
_READY_MAX = timedelta(seconds=120)
_WORKERS = 2
_PARTITIONS = 4


def scenario(
    name: Annotated[str, typer.Argument(help=f"one of {', '.join(ARRANGEMENTS)}; or {ALL}")],
    folder: Annotated[Path | None, typer.Option(help="other scenario files than the service's own")] = None,
    keep: Annotated[
        Path | None, typer.Option(help="a new data folder to play in and keep; temporary unless given")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Plays arrangements through the real doors, prints each source's figures beside ours, and balances the books.

    Each is played on an instance of its own, embedded broker and all, whose calendar is set forward. Exit code 1 where
    a figure differs or the books don't balance.
    """
    settings = settings_of_process()
    scenarios = _loaded(folder or settings.scenarios_folder, name)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with _own_place(settings, keep, scenarios[0].begins.date()) as place:
        show = _nothing if as_json else _print_outcome
        outcomes = asyncio.run(play_all(place, scenarios, show))
        account = _account(place)
    if as_json:
        print_document({"scenarios": [_as_dict(one) for one in outcomes], "reconcile": account.as_dict()})
    else:
        print_account(account)
    if not (account.balances and all(one.agrees for one in outcomes)):
        raise typer.Exit(1)


def _loaded(folder: Path, name: str) -> list[ScenarioFile]:
    if name not in (ALL, *ARRANGEMENTS):
        raise refuse(f"name: no arrangement is called so; use one of {', '.join(ARRANGEMENTS)}, or {ALL}")
    return [load_scenario(folder / f"{one}.toml") for one in ARRANGEMENTS if name in (ALL, one)]


@contextmanager
def _own_place(settings: Settings, keep: Path | None, as_of: date) -> Iterator[ScenarioInstance]:
    """Runs an instance for scenarios alone: broker, workers, gateway and deliverer, on free ports."""
    with ExitStack() as stack:
        folder = _kept(keep) if keep else Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="brobygger-")))
        own = Settings(
            data_folder=folder,
            cache_folder=settings.cache_folder,
            programmes_folder=folder / "programmes",
            reference_folder=settings.reference_folder,
            partitions=settings.partitions if keep else _PARTITIONS,
            gateway_port=free_port(),
            calendar_allowed=True,
            webhooks_loopback=True,
        )
        reference = load_reference(own.reference_folder)
        write_copies(settings.programmes_folder, own.programmes_folder, Dates(0), as_of, reference)
        training.prepare(own.cache_folder)
        broker = stack.enter_context(EmbeddedBroker(own.broker_folder, cache_dir=own.cache_folder))
        own = own.model_copy(update={"kafka": broker.connection})
        provision(own, broker.connection, Console(stderr=True))
        children = children_of(own, broker.connection, _WORKERS)
        stack.callback(stop_all, children)
        for child in children:
            child.start()
        wait_until_ready(children, _READY_MAX, threading.Event())
        yield ScenarioInstance(own, broker.connection, settings.programmes_folder)


def _kept(folder: Path) -> Path:
    """Makes the folder that is kept; what is there already is not played over."""
    try:
        folder.mkdir(parents=True, mode=0o700)
    except OSError as error:
        raise refuse(f"{folder} can't be made: {error.strerror}; name a folder that isn't there yet") from error
    return folder.absolute()


def _account(place: ScenarioInstance) -> Account:
    snapshot = take_snapshot(place.connection)
    return account_of(snapshot, replayed_with_progress(place.settings, snapshot))


def _nothing(_: ScenarioOutcome) -> None:
    """Shows nothing: JSON comes whole, in the end."""


def _print_outcome(outcome: ScenarioOutcome) -> None:
    told = outcome.scenario
    when = f"{told.begins:%-d %B %Y}"
    moved = f"played {outcome.weeks} weeks later, weekdays kept" if outcome.weeks else "played on its own dates"
    rows = ((one.counts, one.source, one.ours, "" if one.agrees else "differs") for one in outcome.rows)
    typer.echo()
    print_table(told.name, ("", "source", "ours", ""), rows)
    typer.echo(f"{told.source}\nbegins {when}, {moved}; settle time and clocks as in programmes/")


def _as_dict(outcome: ScenarioOutcome) -> dict[str, Any]:
    rows = [{"id": one.id, "source": one.source, "ours": one.ours, "agrees": one.agrees} for one in outcome.rows]
    return {"scenario": outcome.scenario.id, "weeks": outcome.weeks, "agrees": outcome.agrees, "figures": rows}
