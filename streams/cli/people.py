"""Whom a command is about: a youth id, or a number that is asked for and never stands on a command line."""

import getpass
import re
import sys
from functools import partial

from connectors.cpr import CPR, person_number, without_separators
from connectors.vault.keys import index_keys
from connectors.vault.store import SqlVault, open_vault
from schemas.refusals import RefusedError
from streams.cli.printing import refuse
from streams.instance import gateway_settings
from streams.settings import Settings

_YOUTH_ID = re.compile(r"[0-9a-f]{32}")
_NUMBER_CHARACTERS_MAX = 64


def opened_vault(settings: Settings) -> SqlVault:
    """Returns the vault of this instance."""
    gateway = gateway_settings(settings)
    return open_vault(gateway.vault_database, partial(index_keys, gateway.keys_folder))


def youth_id_of(vault: SqlVault, given: str | None) -> str:
    """Returns the youth id that was given or, where none was, that of a number asked for; ends with exit code 2.

    The number is read without an echo, or as the first line of standard input where that is no terminal.
    """
    if given is not None:
        if _YOUTH_ID.fullmatch(given):
            return given
        raise refuse("a youth id is 32 hexadecimal characters; leave it out to be asked for a CPR number")
    try:
        who = person_number(CPR, without_separators(_asked()), "number")
    except RefusedError as error:
        raise refuse(f"{error.refusal.rule}; {error.refusal.help}") from error
    youth_id = vault.known_youth_id(who.system, who.number)
    if youth_id is None:
        raise refuse("the vault knows nobody by that number; who was erased is known by the youth id alone")
    return youth_id


def _asked() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("CPR number (not shown): ")[:_NUMBER_CHARACTERS_MAX]
    return sys.stdin.readline(_NUMBER_CHARACTERS_MAX)
