"""``brobygger dead-letters``: what could not be read, opened by those who hold the private key."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.vault.keys import sealing_private_key
from connectors.vault.sealing import OriginalRecord
from schemas.topics import short_name
from streams.cli.printing import AsJson, print_document, print_entries, print_line, print_table, refuse
from streams.instance import broker_of
from streams.log.dead_letters import DeadLetter, dead_letter, dead_letters, send_again
from streams.settings import settings_of_process

app = typer.Typer(help="List, open or send again what could not be read.", add_completion=False, no_args_is_help=True)
LetterId = Annotated[str, typer.Argument(help="as `dead-letters list` shows it, e.g. 3-17")]


@app.command("list")
def list_letters(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Lists dead letters with their reason and origin; one JSON line a letter. Nothing is opened."""
    settings = settings_of_process()
    letters = dead_letters(broker_of(settings), settings.partitions)
    if as_json:
        for letter in letters:
            print_line(_row(letter))
        return
    print_entries("dead letters", ((f"{one.letter_id}  {one.origin.code}", _details(one)) for one in letters))


@app.command()
def show(
    letter_id: LetterId,
    save: Annotated[Path | None, typer.Option("--bytes", help="write the original value to this file")] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Opens a dead letter with the private key, and prints why it is one and how large it is.

    What it holds may be personal and is never printed; --bytes writes it to a file that is its owner's only.
    """
    settings = settings_of_process()
    letter = dead_letter(broker_of(settings), letter_id)
    original = letter.opened(sealing_private_key(settings.keys_folder))
    row = _row(letter) | _sizes(original)
    if save is not None:
        _save(save, original.value or b"")
    if as_json:
        print_document(row)
    else:
        print_table(f"dead letter {letter_id}", ("", ""), row.items())


@app.command()
def retry(letter_id: LetterId, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Puts the original record back on the topic it came from, once: same bytes, key and headers.

    Of use after a release that can read it; what still can't be read becomes a dead letter again.
    """
    settings = settings_of_process()
    connection = broker_of(settings)
    letter = dead_letter(connection, letter_id)
    send_again(connection, letter, sealing_private_key(settings.keys_folder))
    if as_json:
        print_document({"id": letter_id, "sent_to": letter.origin.topic, "partition": letter.origin.partition})
    else:
        typer.echo(f"{letter_id} is back on {short_name(letter.origin.topic)}")


def _details(letter: DeadLetter) -> list[dict[str, object]]:
    origin = letter.origin
    place = f"{short_name(origin.topic)} {origin.partition}@{origin.offset}"
    written = letter.written_at.isoformat(timespec="seconds")
    return [{"written": written, "by": origin.stage, "from": place}, {"reason": letter.reason}]


def _row(letter: DeadLetter) -> dict[str, Any]:
    origin = letter.origin
    return {
        "id": letter.letter_id,
        "written_at": letter.written_at.isoformat(),
        "stage": origin.stage,
        "topic": origin.topic,
        "partition": origin.partition,
        "offset": origin.offset,
        "code": origin.code,
        "reason": letter.reason,
    }


def _sizes(original: OriginalRecord) -> dict[str, Any]:
    return {
        "key_bytes": None if original.key is None else len(original.key),
        "value_bytes": None if original.value is None else len(original.value),
        "headers": [name for name, _ in original.headers],
    }


def _save(path: Path, content: bytes) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
    except OSError as error:
        raise refuse(f"{path} can't be written: {error.strerror}; name a file that isn't there yet") from error
