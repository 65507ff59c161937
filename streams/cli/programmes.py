"""``brobygger programmes``: the programme files, checked and written to the log as a version."""

import asyncio
from datetime import UTC, datetime

import typer

from schemas.programmes import ProgrammeFile, load_programmes
from schemas.reference import load_reference
from streams.catalogue import Rules, compile_catalogue
from streams.cli.printing import AsJson, counted, print_line, print_table
from streams.instance import broker_of
from streams.provision import CatalogueUnchangedError, apply_programmes, create_topics
from streams.settings import settings_of_process

app = typer.Typer(help="List, check or apply the programme files.", add_completion=False, no_args_is_help=True)


@app.command("list")
def list_programmes(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Lists the programmes of BROBYGGER_PROGRAMMES; one JSON line a programme."""
    files = load_programmes(settings_of_process().programmes_folder)
    if as_json:
        for file in files:
            print_line(file.model_dump(mode="json"))
        return
    columns = ("id", "name", "takes over", "ages", "identity", "triggers", "valid")
    print_table("programmes", columns, map(_row, files))


@app.command("check")
def check_programmes() -> None:
    """Checks every file with the reference data, writing nothing; exit code 2 names file, field and rule."""
    settings = settings_of_process()
    files = load_programmes(settings.programmes_folder)
    reference = load_reference(settings.reference_folder)
    rules = Rules(settings.settle, settings.calendar_allowed)
    compiled = compile_catalogue(0, files, reference, datetime.now(UTC).date(), rules)
    typer.echo(
        f"well formed: {counted(len(files), 'file')}; for handovers: {counted(len(compiled.programmes), 'programme')}"
    )


@app.command("apply")
def apply_files() -> None:
    """Creates the topics, then writes the files to every partition of the log as the next version."""
    settings = settings_of_process()
    connection = broker_of(settings)
    create_topics(settings, connection)
    try:
        version = asyncio.run(apply_programmes(settings, connection))
    except CatalogueUnchangedError as unchanged:
        typer.echo(f"nothing to do: {unchanged}")
        return
    typer.echo(f"version {version} is in force")


def _row(file: ProgrammeFile) -> tuple[object, ...]:
    return (
        file.id,
        file.name,
        "yes" if file.receives_handovers else "no",
        f"{file.ages.lowest}-{file.ages.highest}",
        ", ".join(file.identity),
        ", ".join(file.triggers),
        f"{file.valid_from} to {file.valid_to or 'further notice'}",
    )
