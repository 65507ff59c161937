"""Which keys are in force: the vault's database says it, so that no two processes ever disagree.

Until the first rotation nothing is written down, and the first key of the file is the one. From then on one key of a
kind is current, what it replaces is former until nothing needs it, then retired. Whoever writes with keys shares the
kind's lock; who changes what is in force holds it alone. So a change finds everything written as was in force before,
and everything afterwards is written as is in force then, by processes that started before as well: a key they don't
know makes them read the file again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from sqlalchemy import select

from connectors.vault.key_files import KeyFileError
from connectors.vault.locking import hold_shared
from connectors.vault.tables import KEYS, VaultUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

FIRST_GENERATION = 1


class KeyPurpose(StrEnum):
    """What keys are for: the look-up index, wrapping data keys, the data keys themselves (counted by generation)."""

    INDEX = "index"
    IDENTITIES = "identities"
    DATA = "data"


class State(StrEnum):
    """Whether a key is written with, only understood, or neither."""

    CURRENT = "current"
    FORMER = "former"
    RETIRED = "retired"


class UnknownKeyError(VaultUnavailableError):
    """Raised where a key is in force that this process's key files don't hold."""

    def __init__(self, kind: KeyPurpose, key_id: str) -> None:
        """Takes the kind and the id of the key that is missing."""
        super().__init__(
            f"the key {key_id} is missing in {kind}.json; copy it there from where `brobygger keys rotate` ran, "
            "or from the backup"
        )


class _Named(Protocol):
    @property
    def key_id(self) -> str: ...


KeyOf = TypeVar("KeyOf", bound=_Named)


@dataclass(frozen=True, slots=True)
class InForce(Generic[KeyOf]):
    """The key that is written with, and those that are understood besides."""

    current: KeyOf
    former: tuple[KeyOf, ...] = ()


class OwnKeys(Generic[KeyOf]):
    """The keys of one kind that a process has read, and reads again when the database names others.

    Safe to use from several threads.
    """

    def __init__(self, kind: KeyPurpose, read: Callable[[], Sequence[KeyOf]]) -> None:
        """Takes what reads the key file; it is read at once. Raises KeyFileError where it can't be."""
        self._kind = kind
        self._read = read
        self._keys = self._fresh()

    def all(self) -> tuple[KeyOf, ...]:
        """Returns every key that was read, in the file's order."""
        return tuple(self._keys.values())

    def get(self, key_id: str) -> KeyOf | None:
        """Returns a key, the file read again where it isn't known; None where it isn't there either.

        Raises VaultUnavailableError where the file can't be read.
        """
        if key_id not in self._keys:
            try:
                self._keys = self._fresh()
            except KeyFileError as error:
                raise VaultUnavailableError(str(error)) from error
        return self._keys.get(key_id)

    def in_force(self, connection: Connection) -> InForce[KeyOf]:
        """Returns what is in force until the transaction ends; raises UnknownKeyError where a key of it is missing."""
        hold_shared(connection, lock_of(self._kind))
        states = states_of(connection, self._kind)
        current = next((key_id for key_id, state in states.items() if state is State.CURRENT), None)
        former = sorted(key_id for key_id, state in states.items() if state is State.FORMER)
        keys = InForce(
            self._first() if current is None else self._known(current),
            tuple(self._known(key_id) for key_id in former),
        )
        # Those that are retired, or only prepared, are forgotten; they are read again should they be named.
        self._keys = {key.key_id: key for key in (keys.current, *keys.former)}
        return keys

    def has_all_in_force(self, connection: Connection) -> bool:
        """Returns whether every key in force had been read before; those that had not are read now."""
        states = states_of(connection, self._kind)
        missing = {key_id for key_id, state in states.items() if state is not State.RETIRED} - self._keys.keys()
        for key_id in missing:
            self._known(key_id)
        return not missing

    def _known(self, key_id: str) -> KeyOf:
        key = self.get(key_id)
        if key is None:
            raise UnknownKeyError(self._kind, key_id)
        return key

    def _first(self) -> KeyOf:
        return next(iter(self._keys.values()))

    def _fresh(self) -> dict[str, KeyOf]:
        return {key.key_id: key for key in self._read()}


def lock_of(kind: KeyPurpose) -> str:
    """Returns the name of the lock on what is in force."""
    return f"keys of {kind}"


def states_of(connection: Connection, kind: KeyPurpose) -> dict[str, State]:
    """Returns the state of each key of a kind that the database knows: none before the first rotation."""
    rows = connection.execute(select(KEYS.c.key_id, KEYS.c.state).where(KEYS.c.kind == kind.value))
    return {row.key_id: State(row.state) for row in rows}


def generation_in_force(connection: Connection) -> int:
    """Returns the generation of data keys that is current until the transaction ends."""
    hold_shared(connection, lock_of(KeyPurpose.DATA))
    states = states_of(connection, KeyPurpose.DATA)
    return next((int(key_id) for key_id, state in states.items() if state is State.CURRENT), FIRST_GENERATION)
