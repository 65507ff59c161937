"""``brobygger publish``: writes events straight to a statement topic."""

import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from schemas.topics import kafka_name, short_name
from streams.cli.printing import REFUSED, AsJson, complain, counted, print_document, refuse
from streams.instance import broker_of
from streams.log.canonical import read_events
from streams.log.writing import outbound_of, write_all
from streams.settings import settings_of_process

_LINES_MAX = 100_000
_PROBLEMS_SHOWN_MAX = 20


def publish(
    topic: Annotated[str, typer.Argument(help="one of the statement topics, by either name")],
    file: Annotated[str, typer.Argument(help="canonical events, one JSON object a line; - is standard input")],
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Writes every event of a file, each confirmed by the broker; nothing where any line breaks a rule.

    This is for operators and tests: it passes the gateway by, so events hold youth ids, never CPR numbers.
    """
    events, problems = read_events(topic, _lines(file))
    if problems:
        for problem in problems[:_PROBLEMS_SHOWN_MAX]:
            complain(f"line {problem.line}: {problem.field}: {problem.rule}")
        complain(f"{len(problems)} problems; nothing was written: correct the lines and run it again")
        raise typer.Exit(REFUSED)
    write_all(broker_of(settings_of_process()), [outbound_of(topic, event) for event in events])
    if as_json:
        print_document({"topic": kafka_name(short_name(topic)), "published": len(events)})
    else:
        typer.echo(f"{counted(len(events), 'event')} on {short_name(topic)}")


def _lines(file: str) -> list[bytes]:
    if file == "-":
        return _limited(sys.stdin.buffer)
    try:
        with Path(file).open("rb") as opened:
            return _limited(opened)
    except OSError as error:
        raise refuse(f"{file} can't be read: {error.strerror}; check the path and its rights") from error


def _limited(lines: Iterable[bytes]) -> list[bytes]:
    some = list(islice(lines, _LINES_MAX + 1))
    if len(some) > _LINES_MAX:
        raise refuse(f"at most {_LINES_MAX} lines are written at once; split the file")
    return some
