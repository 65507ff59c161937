"""``brobygger identity``: a programme's side of pulling identities: its key pair, and opening what it was given."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from connectors.vault.key_files import KeyFileError
from connectors.vault.keys import private_key
from connectors.vault.release import open_identity
from streams.cli.printing import print_document, refuse

app = typer.Typer(
    help="Make a programme's key pair; open a sealed identity.", add_completion=False, no_args_is_help=True
)
_DOCUMENT_BYTES_MAX = 64 * 1024


@app.command()
def keypair(file: Annotated[Path, typer.Argument(help="where the private key goes; nothing may be there yet")]) -> None:
    """Writes a new private key, for its owner's eyes only, and prints the public key for the programme's file."""
    key = X25519PrivateKey.generate()
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(key.private_bytes_raw().hex().encode() + b"\n")
    except OSError as error:
        raise refuse(f"{file} can't be written: {error.strerror}; name a file that isn't there yet") from error
    typer.echo(f'public_key = "{key.public_key().public_bytes_raw().hex()}"')


@app.command("open")
def open_sealed(
    file: Annotated[Path, typer.Argument(help="the answer of GET /handovers/{handover_id}/identity")],
    key: Annotated[Path, typer.Option(help="the file that `identity keypair` wrote")],
) -> None:
    """Opens an identity that was sealed to this key, and prints it; exit code 2 where it is another's or altered."""
    try:
        own = private_key(key)
    except KeyFileError as error:
        raise refuse(f"{error}; a programme's own key is written by `brobygger identity keypair`") from error
    print_document(open_identity(own, _document(file)))


def _document(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_DOCUMENT_BYTES_MAX))
    except OSError as error:
        raise refuse(f"{path} can't be read: {error.strerror}; check the path and its rights") from error
    except ValueError as error:
        raise refuse(f"{path} holds no JSON; save the answer as it came") from error
    if not isinstance(document, dict):
        raise refuse(f"{path} holds no sealed identity; save the answer as it came")
    return document
