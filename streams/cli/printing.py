"""How commands print: JSON alone on standard output, tables for people, complaints on standard error."""

import json
from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.refusals import Refusal

REFUSED = 2
COLUMNS = 80
_PAIR = 2
AsJson = Annotated[bool, typer.Option("--json", help="print JSON for scripts, and nothing else, on standard output")]


def print_line(value: Any) -> None:
    """Prints one JSON value on one line."""
    typer.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def print_document(value: Any) -> None:
    """Prints one JSON document, indented."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints a table for people; None is shown as nothing.

    One with more than two columns that is wider than the terminal is printed as entries, each cell named: columns that
    are squeezed break words.
    """
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    console = Console()
    if len(columns) > _PAIR and _width(columns, cells) > console.width:
        print_entries(title, ((row[0], [dict(zip(columns[1:], row[1:], strict=True))]) for row in cells))
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in cells:
        table.add_row(*map(escape, row))
    console.print(table)


def _width(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
    """Returns how wide a table is in which nothing is folded: a border and two blanks a column, and the last border."""
    return sum(max(cell_len(one) for one in column) + 3 for column in zip(columns, *cells, strict=True)) + 1


def print_entries(title: str, entries: Iterable[tuple[str, Sequence[Mapping[str, object]]]]) -> None:
    """Prints what has more to tell than a line holds: each with a heading, and details folded under it at 80 columns.

    Each of an entry's groups of details begins a line; what is None or nothing is left out.
    """
    shown = [
        "\n".join([heading, *(line for one in details for line in wrapped_details(one))])
        for heading, details in entries
    ]
    typer.echo("\n\n".join([f"{title}: {len(shown)}", *shown]))


def wrapped_details(details: Mapping[str, object]) -> list[str]:
    """Returns names and values on lines of at most 80 columns, but for a word that is longer."""
    text = "; ".join(f"{name} {value}" for name, value in details.items() if value not in (None, ""))
    return wrap(text, COLUMNS, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def counted(count: int, what: str) -> str:
    """Returns a number with what it counts.

    >>> counted(1, "dead letter"), counted(2, "dead letter")
    ('1 dead letter', '2 dead letters')
    """
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def complain(text: str) -> None:
    """Prints a line on standard error."""
    typer.echo(f"brobygger: {text}", err=True)


def refuse(text: str) -> typer.Exit:
    """Prints why the command does nothing, and returns the end to raise: exit code 2."""
    complain(text)
    return typer.Exit(REFUSED)


def print_refusal(refusal: Refusal) -> typer.Exit:
    """Prints field, rule and remedy of a refusal, and returns the end to raise: exit code 2."""
    return refuse(f"{refusal.field}: {refusal.rule}; {refusal.help}")
