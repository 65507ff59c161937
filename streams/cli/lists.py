"""``brobygger lists``: proposes a list's mapping file, and tries a list against it without sending it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.gateway.lists.check import checked_list
from connectors.municipal.fields import FIELDS, ListEvent
from connectors.municipal.guess import guessed
from connectors.municipal.mapping import NAME_RULE, is_list_name, load_mapping
from connectors.municipal.reading import FILE_BYTES_MAX
from connectors.municipal.rows import read_list
from schemas.refusals import Refusal
from streams.cli.printing import REFUSED, AsJson, complain, counted, print_document, print_table, refuse
from streams.settings import settings_of_process

_ROWS_MAX = 10_000
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Propose a mapping for a municipality's list, or try a list without sending it.",
)


@app.command()
def guess(
    file: Annotated[Path, typer.Argument(help="the list: CSV, XLSX, JSON or NDJSON")],
    constant: Annotated[list[str], typer.Option("--set", help="FIELD=VALUE that is the same in every row")] = [],  # noqa: B006 Typer reads it and copies it
    event: Annotated[
        ListEvent | None, typer.Option(help="what each row tells; found in the names unless given")
    ] = None,
    save: Annotated[
        str | None, typer.Option(help="the list's name: writes its mapping file into the data folder")
    ] = None,
) -> None:
    """Proposes a mapping file from the list's own names and first rows. Read it before you use it.

    What is not recognised is named in it, never guessed. Without --save it is printed.
    """
    proposal = guessed(_content(file), _constants(constant), event)
    if isinstance(proposal, Refusal):
        raise _refused(file, proposal)
    if save is None:
        typer.echo(proposal, nl=False)
        return
    path = _path(save)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as written:
            written.write(proposal)
    except FileExistsError as error:
        raise refuse(f"{path} is there already; correct that one, or choose another name") from error
    typer.echo(f"{path} is written: read it, correct what is marked, then try `brobygger lists check`")


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="the list: CSV, XLSX, JSON or NDJSON")],
    name: Annotated[str | None, typer.Option("--list", help="its name, whose mapping is in the data folder")] = None,
    mapping: Annotated[Path | None, typer.Option(help="a mapping file that lies elsewhere")] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Tries a list row by row, sending nothing: exit code 2 where a row would be refused.

    With --json one document: {"event", "mode", "rows", "valid", "repeated", "refused", "ignored", "report"}.
    """
    if (name is None) is (mapping is None):
        raise refuse("give --list NAME, or --mapping FILE")
    known = load_mapping(mapping or _path(name or ""))
    read = read_list(_content(file), known, _ROWS_MAX)
    if isinstance(read, Refusal):
        raise _refused(file, read)
    report = checked_list(read, known, settings_of_process().reference_folder)
    if as_json:
        print_document(report)
    else:
        rows = counted(report["rows"], "row")
        typer.echo(f"{rows} of {report['event']}s: {report['valid']} valid, {report['refused']} refused")
        print_refused(report)
    if report["refused"]:
        raise typer.Exit(REFUSED)


def print_refused(report: dict[str, Any]) -> None:
    """Prints the rows of a report that were refused, each with column, rule and what to do."""
    rows = [
        (f"row {row['row']}", one["column"] or "", one["code"], f"{one['rule']}; {one['help']}")
        for row in report["report"]
        for one in row.get("refused", ())
    ]
    if rows:
        print_table("what is wrong", ("where", "column", "code", "rule"), rows)


def _path(name: str) -> Path:
    if not is_list_name(name):
        raise refuse(NAME_RULE)
    return settings_of_process().lists_folder / f"{name}.toml"


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise refuse(f"{file} can't be read: {error.strerror}; check the path and its rights") from error


def _constants(given: list[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    if any(not name or not sign for name, sign, _ in pairs):
        raise refuse("--set takes FIELD=VALUE, e.g. --set programme=stime")
    known = {name for fields in FIELDS.values() for name in fields}
    stray = next((name for name, _, _ in pairs if name not in known), None)
    if stray is not None:
        raise refuse(f"--set: {stray} is no field of a list; take one of: {', '.join(sorted(known))}")
    return {name: value for name, _, value in pairs}


def _refused(file: Path, refusal: Refusal) -> typer.Exit:
    complain(f"{file}: {refusal.code}: {refusal.field}: {refusal.rule}; {refusal.help}")
    return typer.Exit(REFUSED)
