"""Rotation of the vault's keys: a new one comes into force, everything is brought under it, the former one retires.

Nothing stands still meanwhile. Each step is whole by itself, so that a kill at any moment costs nothing: the same
command goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from connectors.vault.database import leave_no_trace
from connectors.vault.keys import KeyKind, add_key, drop_key, index_keys, wrapping_keys
from connectors.vault.keys_in_force import FIRST_GENERATION, KeyPurpose, State, generation_in_force, lock_of, states_of
from connectors.vault.locking import hold_alone
from connectors.vault.tables import IDENTITIES, INDEX, KEYS, VaultUnavailableError, in_transaction, reading
from schemas.instants import milliseconds_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection, Engine

_FILED: dict[KeyPurpose, KeyKind] = {KeyPurpose.INDEX: "index", KeyPurpose.IDENTITIES: "identities"}
_KEY_COLUMNS = {
    KeyPurpose.INDEX: INDEX.c.key_id,
    KeyPurpose.IDENTITIES: IDENTITIES.c.kek_id,
    KeyPurpose.DATA: IDENTITIES.c.generation,
}


@dataclass(frozen=True, slots=True)
class Started:
    """The key that is in force, and whether this rotation began before."""

    key_id: str
    resumed: bool


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key, its state ("prepared" where it only lies in its file), and how many rows need it."""

    kind: KeyPurpose
    key_id: str
    state: str
    needed_by: int


@dataclass(frozen=True, slots=True)
class Retired:
    """The keys that were retired and taken out of the file; none where there was nothing to retire."""

    key_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StillNeeded:
    """How many people can't be found or read without a former key."""

    people: int


class Rotation:
    """The rotation of one vault's keys; each call blocks on its database, and raises VaultUnavailableError."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        """Takes the vault's engine and the folder of the key files."""
        self._engine = engine
        self._folder = folder

    def prepare(self, kind: KeyPurpose) -> str:
        """Returns the id of a key that lies in the file and is not in force yet, made where there is none.

        For a vault that several machines use: copy the file to all of them before the rotation starts. Raises
        KeyFileError where the file can't be written, and ValueError for data keys, which have no file.
        """

        def work(connection: Connection) -> str:
            hold_alone(connection, lock_of(kind))
            return self._prepared(kind, self._in_use(connection, kind, states_of(connection, kind)))

        return in_transaction(self._engine, work)

    def start(self, kind: KeyPurpose, at: datetime) -> Started:
        """Brings a new key into force, unless a rotation of the kind has begun and isn't ended by ``retire``.

        When this returns, everything that is written from then on is under the new key, by every process.
        """

        def work(connection: Connection) -> Started:
            hold_alone(connection, lock_of(kind))
            if kind is KeyPurpose.DATA:
                return _next_generation(connection, at)
            states = states_of(connection, kind)
            current = next((key_id for key_id, state in states.items() if state is State.CURRENT), None)
            if State.FORMER in states.values():
                return Started(str(current), resumed=True)
            in_use = self._in_use(connection, kind, states)
            new = self._prepared(kind, in_use)
            for key_id in in_use - states.keys():
                _write(connection, kind, key_id, State.FORMER, at)
            if current is not None:
                _change(connection, kind, current, State.FORMER)
            _write(connection, kind, new, State.CURRENT, at)
            return Started(new, resumed=False)

        return in_transaction(self._engine, work)

    def retire(self, kind: KeyPurpose, *, forget: bool = False) -> Retired | StillNeeded:
        """Ends a rotation where nothing needs the former keys: their rows go, and they leave the file.

        ``forget``: people of whom the vault keeps nothing but the look-up, and so nothing was ever published, need no
        index key. Backups from before need the keys still. May be repeated; after a kill it should be.
        """

        def work(connection: Connection) -> StillNeeded | None:
            hold_alone(connection, lock_of(kind))
            states = states_of(connection, kind)
            former = [key_id for key_id, state in states.items() if state is State.FORMER]
            if people := needing(connection, kind, former, kept_alone=forget):
                return StillNeeded(people)
            if kind is KeyPurpose.INDEX:
                connection.execute(delete(INDEX).where(INDEX.c.key_id.in_(former)))
            for key_id in former:
                _change(connection, kind, key_id, State.RETIRED)
            return None

        still = in_transaction(self._engine, work)
        return still or self._forget_retired(kind)

    def uses(self) -> list[KeyUse]:
        """Returns every key of the three kinds that is in its file, in force or needed; reads alone."""
        return reading(
            self._engine, lambda connection: [one for kind in KeyPurpose for one in self._uses_of(connection, kind)]
        )

    def _uses_of(self, connection: Connection, kind: KeyPurpose) -> list[KeyUse]:
        column = _KEY_COLUMNS[kind]
        counts = {str(key): n for key, n in connection.execute(select(column, func.count()).group_by(column))}
        states: dict[str, str] = {key_id: state.value for key_id, state in states_of(connection, kind).items()}
        first = str(FIRST_GENERATION) if kind is KeyPurpose.DATA else self._filed(kind)[0]
        if not states:
            states[first] = State.CURRENT.value
        filed = [] if kind is KeyPurpose.DATA else self._filed(kind)
        names = sorted({*filed, *counts, *(key_id for key_id, state in states.items() if state != State.RETIRED)})
        return [KeyUse(kind, name, states.get(name, "prepared"), counts.get(name, 0)) for name in names]

    def _forget_retired(self, kind: KeyPurpose) -> Retired:
        states = reading(self._engine, lambda connection: states_of(connection, kind))
        filed = () if kind is KeyPurpose.DATA else self._filed(kind)
        retired = tuple(key_id for key_id in filed if states.get(key_id) is State.RETIRED)
        for key_id in retired:
            drop_key(self._folder, _FILED[kind], key_id)
        try:
            leave_no_trace(self._engine)
        except SQLAlchemyError as error:
            raise VaultUnavailableError("the keys are retired, but the file is in use; run it again") from error
        return Retired(retired)

    def _in_use(self, connection: Connection, kind: KeyPurpose, states: dict[str, State]) -> set[str]:
        """Returns the keys that are or were in force, those of a file that was changed by hand among them."""
        used = connection.scalars(select(_KEY_COLUMNS[kind]).distinct()).all()
        return {*states, *used} if states else {self._filed(kind)[0], *used}

    def _prepared(self, kind: KeyPurpose, in_use: set[str]) -> str:
        filed = self._filed(kind)
        waiting = [key_id for key_id in filed if key_id not in in_use]
        if waiting:
            return waiting[0]
        new = next(name for n in range(1, 1000) if (name := f"k{n:03}") not in {*in_use, *filed})
        add_key(self._folder, _FILED[kind], new)
        return new

    def _filed(self, kind: KeyPurpose) -> list[str]:
        if kind is KeyPurpose.DATA:
            raise ValueError("data keys lie with what they encrypt, in no file")
        keys = index_keys(self._folder) if kind is KeyPurpose.INDEX else wrapping_keys(self._folder)
        return [key.key_id for key in keys]


def needing(connection: Connection, kind: KeyPurpose, former: list[str], *, kept_alone: bool = False) -> int:
    """Returns how many people can't be found, or read, without the former keys; of those alone that are kept, if so."""
    if kind is KeyPurpose.DATA:
        left = IDENTITIES.c.generation < generation_in_force(connection)
        return connection.scalar(select(func.count()).select_from(IDENTITIES).where(left)) or 0
    if kind is KeyPurpose.IDENTITIES:
        wanted = select(func.count()).select_from(IDENTITIES).where(IDENTITIES.c.kek_id.in_(former))
        return connection.scalar(wanted) or 0
    other = INDEX.alias()
    elsewhere = select(other.c.youth_id).where(other.c.youth_id == INDEX.c.youth_id, other.c.key_id.not_in(former))
    wanted = select(func.count(INDEX.c.youth_id.distinct())).where(INDEX.c.key_id.in_(former), ~elsewhere.exists())
    if kept_alone:
        wanted = wanted.where(INDEX.c.youth_id.in_(select(IDENTITIES.c.youth_id)))
    return connection.scalar(wanted) or 0


def _next_generation(connection: Connection, at: datetime) -> Started:
    current = generation_in_force(connection)
    if needing(connection, KeyPurpose.DATA, []):
        return Started(str(current), resumed=True)
    if states_of(connection, KeyPurpose.DATA):
        _change(connection, KeyPurpose.DATA, str(current), State.RETIRED)
    _write(connection, KeyPurpose.DATA, str(current + 1), State.CURRENT, at)
    return Started(str(current + 1), resumed=False)


def _write(connection: Connection, kind: KeyPurpose, key_id: str, state: State, at: datetime) -> None:
    row = {"kind": kind.value, "key_id": key_id, "state": state.value, "since_ms": milliseconds_of(at)}
    connection.execute(insert(KEYS).values(row))


def _change(connection: Connection, kind: KeyPurpose, key_id: str, state: State) -> None:
    own = (KEYS.c.kind == kind.value) & (KEYS.c.key_id == key_id)
    connection.execute(update(KEYS).where(own).values(state=state.value))
