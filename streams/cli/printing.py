"""How commands print: JSON alone on standard output, tables for people, complaints on standard error."""

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

REFUSED = 2
AsJson = Annotated[bool, typer.Option("--json", help="print JSON for scripts, and nothing else, on standard output")]


def print_line(value: Any) -> None:
    """Prints one JSON value on one line."""
    typer.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def print_document(value: Any) -> None:
    """Prints one JSON document, indented."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints a table for people; None is shown as nothing."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    Console().print(table)


def counted(number: int, noun: str) -> str:
    """Returns a number with its noun, in the plural unless it is one.

    >>> counted(1, "file"), counted(0, "file"), counted(4, "statement")
    ('1 file', '0 files', '4 statements')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def complain(text: str) -> None:
    """Prints a line on standard error."""
    typer.echo(f"brobygger: {text}", err=True)


def refuse(text: str) -> typer.Exit:
    """Prints why the command does nothing, and returns the end to raise: exit code 2."""
    complain(text)
    return typer.Exit(REFUSED)
