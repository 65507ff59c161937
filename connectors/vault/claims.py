"""Claim codes: what a young person with an anonymous consent shows the programme, once, within a time.

Only a keyed hash of a code is kept. The code of a consent follows from its id under the key, so that whoever records
the same consent again, since the first answer was lost, is shown the same code while nobody has claimed it. A claim
binds the code to the programme that made it; the same programme may ask again and is given the same claim, so that an
answer that was lost on the way costs nobody the code.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from connectors.vault.claim_codes import code_of, grouped_code, new_code, read_code
from connectors.vault.locking import hold_alone
from connectors.vault.tables import CLAIMS, MISSES, hold_known, in_transaction, reading
from schemas.instants import milliseconds_of, moment_of
from schemas.refusals import Refusal

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Engine, Row, Select

_ASK = "ask whoever took the consent for a new code"


@dataclass(frozen=True, slots=True)
class ClaimLimits:
    """How long a code is good for and is shown again, and how many wrong guesses each may make in ``window``."""

    kept: timedelta = timedelta(days=30)
    shown_again: timedelta = timedelta(days=1)
    window: timedelta = timedelta(hours=1)
    misses_of_one_max: int = 10


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim that stands: whose code it is, the code's hash, how often it was given back before, and since when."""

    youth_id: str
    code_hash: str
    attempt: int
    claimed_at: datetime


class ClaimCodes:
    """The codes in the vault's database; each call blocks on it, and raises VaultUnavailableError.

    Wrong guesses are counted there too, in the same transaction, so that neither a restart nor guessing from many
    processes at once lets more through. Each guesser is counted alone, so that nobody locks others out: a code has 50
    bits, and is not guessed by any number of tokens that operations could give out.
    """

    def __init__(self, engine: Engine, key: bytes, limits: ClaimLimits | None = None) -> None:
        """Takes the vault's engine, and the key under which codes are kept as hashes."""
        self._engine = engine
        self._key = key
        self._limits = limits or ClaimLimits()

    def make(self, youth_id: str, at: datetime, consent_id: UUID | None = None) -> str:
        """Returns the code of a young person's consent, having entered it where it is new; a random one of no consent.

        It is kept nowhere. Raises ErasedMeanwhileError, too, where the vault knows no number of a youth id any more.
        """
        code = new_code() if consent_id is None else self._code_of(youth_id, consent_id)
        code_hash, expires_at_ms = self._hash_of(code), milliseconds_of(at + self._limits.kept)
        row = {"code": code_hash, "youth_id": youth_id, "expires_at_ms": expires_at_ms, "attempt": 0}

        def work(connection: Connection) -> None:
            hold_known(connection, [youth_id])
            if connection.execute(_same(code_hash)).one_or_none() is None:
                connection.execute(insert(CLAIMS).values(row))

        in_transaction(self._engine, work)
        return grouped_code(code)

    def again(self, youth_id: str, at: datetime, consent_id: UUID) -> str | None:
        """Returns the code that was made for a consent within the last day; None where it was claimed, or is gone."""
        code = self._code_of(youth_id, consent_id)
        row = reading(self._engine, lambda connection: connection.execute(_same(self._hash_of(code))).one_or_none())
        if row is None or row.claimed_by is not None:
            return None
        made_at = moment_of(row.expires_at_ms) - self._limits.kept
        return grouped_code(code) if at < made_at + self._limits.shown_again else None

    def claim(self, typed: str, programme: str, at: datetime, guesser: str | None = None) -> Claim | Refusal:
        """Returns the young person behind a code, or why not; from then on the code is this programme's alone.

        ``guesser`` is who typed it, the programme unless named. The refusals' codes are code_malformed, code_unknown,
        code_used, code_expired and too_many_attempts, which a right code gets too.
        """
        guesser = guesser or programme
        code = read_code(typed)
        if code is None:
            return _refusal(
                "code_malformed", "a code has eleven letters and digits that belong together", "read it again"
            )
        code_hash = self._hash_of(code)

        def work(connection: Connection) -> Claim | Refusal:
            # One at a time, or guesses made at once would each be counted before any of them is written down.
            hold_alone(connection, "claims")
            if self._is_guessing(connection, guesser, at):
                rule = f"at most {self._limits.misses_of_one_max} wrong codes are taken in {self._limits.window}"
                return _refusal("too_many_attempts", rule, "wait until that time is over")
            row = connection.execute(_same(code_hash).with_for_update()).one_or_none()
            outcome = _claimed(row, programme, at)
            if isinstance(outcome, Refusal):
                connection.execute(insert(MISSES).values(client=guesser, at_ms=milliseconds_of(at)))
            else:
                taken = {"claimed_by": programme, "claimed_at_ms": milliseconds_of(outcome.claimed_at)}
                connection.execute(update(CLAIMS).where(CLAIMS.c.code == code_hash).values(taken))
            return outcome

        return in_transaction(self._engine, work)

    def give_back(self, claim: Claim) -> None:
        """Lets a code be claimed again, by anybody, after its claim was refused; the next claim is another event."""
        same = (CLAIMS.c.code == bytes.fromhex(claim.code_hash)) & (CLAIMS.c.attempt == claim.attempt)
        back = update(CLAIMS).where(same).values(claimed_by=None, attempt=claim.attempt + 1)
        in_transaction(self._engine, lambda connection: connection.execute(back))

    def prune(self, at: datetime) -> int:
        """Deletes codes that expired a lifetime ago, and guesses that no longer count; returns how many codes."""
        long_ago, counted = milliseconds_of(at - self._limits.kept), milliseconds_of(at - self._limits.window)

        def work(connection: Connection) -> int:
            connection.execute(delete(MISSES).where(MISSES.c.at_ms <= counted))
            return connection.execute(delete(CLAIMS).where(CLAIMS.c.expires_at_ms <= long_ago)).rowcount

        return in_transaction(self._engine, work)

    def _is_guessing(self, connection: Connection, guesser: str, at: datetime) -> bool:
        since = MISSES.c.at_ms > milliseconds_of(at - self._limits.window)
        own = select(func.count()).select_from(MISSES).where(since, MISSES.c.client == guesser)
        return (connection.scalar(own) or 0) >= self._limits.misses_of_one_max

    def _hash_of(self, code: str) -> bytes:
        return hmac.new(self._key, code.encode(), hashlib.sha256).digest()

    def _code_of(self, youth_id: str, consent_id: UUID) -> str:
        # No code has a blank in it, so that no hash that is kept is ever a code's own bits.
        said = f"code of {consent_id} {youth_id}".encode()
        return code_of(int.from_bytes(hmac.new(self._key, said, hashlib.sha256).digest()))


def _same(code_hash: bytes) -> Select[Any]:
    return select(CLAIMS).where(CLAIMS.c.code == code_hash)


def _claimed(row: Row[Any] | None, client: str, at: datetime) -> Claim | Refusal:
    if row is None:
        return _refusal("code_unknown", "the code is one that was given out", f"read it again, or {_ASK}")
    if row.claimed_by not in {None, client}:
        return _refusal("code_used", "a code is claimed once", _ASK)
    if row.claimed_by is None and row.expires_at_ms <= milliseconds_of(at):
        return _refusal("code_expired", "a code is claimed within its time", _ASK)
    claimed_at = at if row.claimed_by is None else moment_of(row.claimed_at_ms)
    return Claim(row.youth_id, row.code.hex(), row.attempt, moment_of(milliseconds_of(claimed_at)))


def _refusal(code: str, rule: str, advice: str) -> Refusal:
    return Refusal(code, "code", rule, advice)
