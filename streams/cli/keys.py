"""``brobygger keys``: the vault's keys, and their rotation while everything runs."""

import time
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, assert_never

import typer
from rich.console import Console
from rich.progress import Progress as Bar
from sqlalchemy import Engine

from connectors.vault.keys import hand_out, index_keys, pseudonym_roots, wrapping_keys
from connectors.vault.keys_in_force import KeyPurpose
from connectors.vault.reworking import Reworking, ReworkProgress
from connectors.vault.rotation import Retired, Rotation, StillNeeded
from connectors.vault.tables import open_vault_tables
from connectors.vault.urls import sqlite_url
from streams.cli.printing import AsJson, complain, print_document, print_line, print_table, refuse
from streams.settings import Settings, settings_of_process

app = typer.Typer(help="List, rotate or retire the vault's keys.", add_completion=False, no_args_is_help=True)
_NO = 1
# Somebody may be told of while a pass goes on: looked up already, and kept a moment later, which the next pass sees.
_PASSES_MAX, _PAUSE_SECONDS = 3, 0.5
_Row = tuple[str, str, str, int | None]


class ProcessName(Enum):
    """Processes that need keys."""

    GATEWAY = "gateway"
    WORKER = "worker"
    DELIVERER = "deliverer"


KindOf = Annotated[
    KeyPurpose, typer.Argument(help="the look-up index, what wraps data keys, or the data keys themselves")
]
FiledKind = Annotated[KeyPurpose, typer.Argument(help="index or identities; data keys lie in the vault alone")]


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Lists each key, whether it is in force, and how many rows need it; never a key itself. One JSON line a key."""
    settings = settings_of_process()
    rows: list[tuple[str, str, str, int | None]] = [
        (use.kind.value, use.key_id, use.state, use.needed_by) for use in _rotation(settings).uses()
    ]
    roots = pseudonym_roots(settings.keys_folder)
    rows += [("pseudonyms", root.key_id, "former" if at else "current", None) for at, root in enumerate(roots)]
    if as_json:
        for row in rows:
            print_line(dict(zip(_COLUMNS, row, strict=True)))
        return
    print_table("keys", [name.replace("_", " ") for name in _COLUMNS], rows)


@app.command()
def prepare(kind: FiledKind) -> None:
    """Puts the next key into its file without using it, for a vault that several machines use: copy it to all first."""
    settings = settings_of_process()
    if kind is KeyPurpose.DATA:
        raise refuse("data keys lie with what they encrypt, in no file; `brobygger keys rotate data` makes them")
    key_id = _rotation(settings).prepare(kind)
    typer.echo(
        f"{key_id} lies in {settings.keys_folder / f'{kind.value}.json'}; `brobygger keys rotate {kind}` uses it"
    )


@app.command("hand-out")
def hand_out_keys(
    process: Annotated[ProcessName, typer.Argument(help="who gets them")],
    folders: Annotated[list[Path], typer.Argument(help="data folders of such processes")],
) -> None:
    """Gives a process that runs with a data folder of its own the keys that it needs, and no others.

    What is missing here is made first; what is there already stays as it is. Run again where a key was added.
    """
    keys_folder = settings_of_process().keys_folder
    for folder in folders:
        new = hand_out(keys_folder, process.value, folder / "keys")
        typer.echo(f"{folder}: {', '.join(new) or 'nothing new'}")


@app.command()
def rotate(kind: KindOf, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Brings a new key into force and everything under it, while the gateway runs; exit code 1 where something is left.

    Run again after a kill, or where something was left, it goes on. The former key stays until `keys retire`.
    """
    settings = settings_of_process()
    engine = _engine(settings)
    started = Rotation(engine, settings.keys_folder).start(kind, datetime.now(UTC))
    done = _brought_under(kind, engine, settings)
    if kind is KeyPurpose.DATA and not done.left:
        Rotation(engine, settings.keys_folder).retire(kind)  # the former ones leave the file, too
    if as_json:
        answer: dict[str, Any] = {"kind": kind.value, "key_id": started.key_id, "resumed": started.resumed}
        print_document(answer | {"rows": done.seen - done.left, "left": done.left})
    else:
        again = " since an earlier run" if started.resumed else ""
        typer.echo(
            f"{kind} key {started.key_id} is in force{again}; {done.seen - done.left} rows were brought under it"
        )
        typer.echo(_next_step(kind, done))
    if done.left:
        raise typer.Exit(_NO)


@app.command()
def retire(
    kind: FiledKind,
    forget: Annotated[bool, typer.Option("--forget", help="look-ups of people of whom nothing is kept, too")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Takes former keys out of their file where nothing needs them; exit code 1 where something does.

    Keep them apart as long as you keep backups from before the rotation: those open with nothing else.
    """
    match _rotation(settings_of_process()).retire(kind, forget=forget):
        case StillNeeded(people):
            if as_json:
                print_document({"kind": kind.value, "retired": [], "needed_by": people})
            complain(f"{people} people need a former key still: `brobygger keys rotate {kind}` goes on with them")
            raise typer.Exit(_NO)
        case Retired(key_ids):
            if as_json:
                print_document({"kind": kind.value, "retired": list(key_ids), "needed_by": 0})
            else:
                typer.echo(f"retired: {', '.join(key_ids) or 'nothing, no former key is left'}")
        case outcome:
            assert_never(outcome)


_COLUMNS = ("kind", "key_id", "state", "needed_by")


def _brought_under(kind: KeyPurpose, engine: Engine, settings: Settings) -> ReworkProgress:
    folder, done = settings.keys_folder, ReworkProgress(0, 0)
    reworking = Reworking(engine, partial(index_keys, folder), partial(wrapping_keys, folder))
    rows = 0
    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"rotating {kind}", total=None)
        for _ in range(_PASSES_MAX):
            for done in reworking.run(kind):
                bar.update(task, total=done.total, completed=done.seen)
            rows += done.seen - done.left
            if not done.left:
                break
            time.sleep(_PAUSE_SECONDS)
    return ReworkProgress(rows + done.left, rows + done.left, done.left)


def _next_step(kind: KeyPurpose, done: ReworkProgress) -> str:
    if done.left:
        return f"{done.left} rows could not be opened: {_LEFT[kind]}"
    if kind is KeyPurpose.DATA:
        return "nothing needs the former data keys; they are gone"
    return f"nothing needs the former key; `brobygger keys retire {kind}` takes it out of its file"


_LEFT = {
    KeyPurpose.INDEX: "they keep the former key until their number is told again, or `keys retire index --forget`",
    KeyPurpose.IDENTITIES: "put back the key that is missing, or restore those rows, then run this again",
    KeyPurpose.DATA: "put back the key that is missing, or restore those rows, then run this again",
}


def _engine(settings: Settings) -> Engine:
    # Keys first: without them there is nothing to rotate, and no vault is made in passing.
    index_keys(settings.keys_folder)
    return open_vault_tables(settings.vault_url or sqlite_url(settings.data_folder / "vault.sqlite"))


def _rotation(settings: Settings) -> Rotation:
    return Rotation(_engine(settings), settings.keys_folder)
