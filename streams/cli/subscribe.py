"""``brobygger subscribe``: prints what a topic holds and what comes to it."""

import json
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console

from schemas.topics import short_name
from streams.cli.printing import AsJson, complain, print_line
from streams.instance import broker_of
from streams.log.following import Wanted, check_can_be_shown, follow
from streams.settings import settings_of_process


class Start(StrEnum):
    """Where reading begins."""

    BEGINNING = "beginning"
    END = "end"


def subscribe(
    topic: Annotated[str, typer.Argument(help="by short or full name, e.g. handovers.headspace")],
    limit: Annotated[int | None, typer.Option(min=1, help="end after so many; exit code 1 where fewer came")] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="seconds to wait at most")] = 30,
    start: Annotated[Start, typer.Option("--from", help="what is there already, or only what comes")] = Start.BEGINNING,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Prints committed records until --limit came or --timeout has passed; joins no consumer group.

    With --json one line a record: {"topic", "partition", "offset", "timestamp", "key", "event"}; a record that
    can't be decoded has "unreadable" in the event's place.
    """
    check_can_be_shown(topic)
    wanted = Wanted(topic, limit, timedelta(seconds=timeout), start is Start.BEGINNING)
    count = follow(broker_of(settings_of_process()), wanted, print_line if as_json else _print)
    if limit is not None and count < limit:
        complain(f"{count} of {limit} records came to {short_name(topic)} within {timeout:g} s")
        raise typer.Exit(1)


def _print(record: dict[str, Any]) -> None:
    """Prints for people: what is not set is left out."""
    console = Console()
    console.print(
        f"{short_name(record['topic'])}  {record['partition']}@{record['offset']}  {record['key']}",
        style="bold",
        highlight=False,
    )
    shown = record.get("event") or record.get("unreadable") or {}
    console.print_json(json.dumps({name: value for name, value in shown.items() if value not in (None, [], False)}))
