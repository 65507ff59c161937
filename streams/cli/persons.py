"""``brobygger persons``: two numbers of one person, linked or told apart again."""

import getpass
import sys
from datetime import UTC, datetime
from functools import partial

import typer

from connectors.cpr import CPR, PersonNumber, person_number, without_separators
from connectors.vault.identities import PersonStore
from connectors.vault.keys import wrapping_keys
from connectors.vault.number_links import NumberLinks
from schemas.refusals import RefusedError
from streams.cli.people import opened_vault
from streams.cli.printing import AsJson, print_document, refuse
from streams.instance import broker_of
from streams.log.linking import CircularLinkError, Vault, link_numbers
from streams.settings import settings_of_process

app = typer.Typer(help="Link two numbers of one person, or undo it.", add_completion=False, no_args_is_help=True)
_NUMBER_CHARACTERS_MAX = 64
_ASKED = ("the number that was replaced", "the number that stands from now on")


@app.command()
def link(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Says that a number was replaced by another: what is told under either is one pathway's from then on.

    Asks for the two numbers, or reads them as two lines of standard input: the replaced one, then the one that stands.
    """
    _say(as_json, linked=True)


@app.command()
def unlink(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Says that two numbers are two people's after all: each gets its own pathway back.

    Asks for the two numbers as ``link`` does.
    """
    _say(as_json, linked=False)


def _say(as_json: bool, *, linked: bool) -> None:  # noqa: FBT001
    settings = settings_of_process()
    replaced, by = (_number(what) for what in _ASKED)
    if (replaced.system, replaced.number) == (by.system, by.number):
        raise refuse("the two numbers differ; name the one that replaced the other")
    connection = broker_of(settings)
    ids = opened_vault(settings)
    identities = PersonStore(ids.engine, partial(wrapping_keys, settings.keys_folder))
    vault = Vault(ids, identities, NumberLinks(ids.engine))
    try:
        event = link_numbers(connection, vault, (replaced, by), datetime.now(UTC), linked=linked)
    except CircularLinkError as error:
        raise refuse(str(error)) from error
    other = event.linked_to or event.unlinked_from
    if as_json:
        print_document({"event_id": str(event.event_id), "youth_id": event.youth_id, "other": other, "linked": linked})
    else:
        typer.echo(f"{event.youth_id} is {'linked to' if linked else 'unlinked from'} {other}")


def _number(what: str) -> PersonNumber:
    try:
        return person_number(CPR, without_separators(_asked(what)), "number")
    except RefusedError as error:
        raise refuse(f"{what}: {error.refusal.rule}; {error.refusal.help}") from error


def _asked(what: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"{what} (not shown): ")[:_NUMBER_CHARACTERS_MAX]
    return sys.stdin.readline(_NUMBER_CHARACTERS_MAX)
