"""A young person's pathway as the engine keeps it: facts, and what was decided from them.

Stored as eight bytes of the earliest deadline (so that the due index is rebuilt without decoding), then
MessagePack. Times are milliseconds on the calendar.
"""

from __future__ import annotations

import msgspec

from schemas.facts import Fact

NEVER = 2**63 - 1
PATHWAY_BYTES_MAX = 512 * 1024
_DUE_BYTES = 8
replace = msgspec.structs.replace


class Option(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A programme that a decision looked at; ``outcome`` is ``offered`` or why it lost."""

    programme: str
    outcome: str


class Slot(msgspec.Struct, frozen=True, array_like=True):
    """A slot at a programme that a need asked for, the ``number``-th time that it asked anyone.

    ``answered_at`` is None until the programme's answer; ``day`` None where none was free, or it was given back.
    """

    programme: str
    site: str
    number: int
    answered_at: int | None = None
    day: int | None = None


class Need(msgspec.Struct, frozen=True, array_like=True):
    """A need and its clock; closed ones keep their reason.

    ``reminded`` counts what the running clock has already said; ``tried`` are the programmes that were offered it
    since it was last opened; ``attempts`` counts its handovers and never goes back. One need carries every trigger of
    its kind that comes while it is open: ``lead`` is the root of the one that it is about now, ``why`` the reason
    that this one tells, ``carries`` the roots of all, and ``covers`` when the latest of them happened. ``closed_at``
    is NEVER while the need is open; ``former_ids`` are those by which it was known before an older trigger came.
    ``home`` is the municipality in which its owner was found when it was given to a person, "" where none was known.
    """

    need_id: str
    kind: str
    trigger: str
    root: str
    state: str
    opened_at: int
    owner: str
    clock_at: int
    version: int
    reminded: int = 0
    attempts: int = 0
    reason_code: str | None = None
    tried: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    notices: int = 0
    by_facts: bool = False
    slot: Slot | None = None
    lead: str = ""
    why: str | None = None
    carries: tuple[str, ...] = ()
    covers: int = 0
    closed_at: int = NEVER
    former_ids: tuple[str, ...] = ()
    home: str | None = None

    @property
    def roots(self) -> tuple[str, ...]:
        """Returns the roots of every trigger that raised it or that it has carried since."""
        return (self.root, *self.carries)


class Handover(msgspec.Struct, frozen=True, array_like=True):
    """One handover to one programme; it runs to its end under the catalogue version it was made with.

    ``correlation`` is the need's id when it began, ``lowest_age`` the programme's, ``too_old_at`` when the young person
    outgrows it, ``contact_by`` until when it promised a first contact. ``granted`` tells that the programme was granted
    the identity behind it, and so has to delete it when the handover is withdrawn; ``appointment_on`` is the day it was
    offered for, where it sees people by the day. ``own_pseudonym``: it was anonymous when it was first told, so the
    programme knows it, as long as it lasts, by a pseudonym that stands for it alone.
    """

    handover_id: str
    need_id: str
    programme: str
    site: str | None
    version: int
    identity: str
    state: str
    municipality: str
    offered_at: int
    occurred_at: int
    clock_at: int
    first_contact_days: int
    reminded: int = 0
    statements: int = 0
    reason_code: str | None = None
    overdue: bool = False
    reply_by: int = NEVER
    consent_taker: str | None = None
    by_person: bool = False
    granted: bool = False
    appointment_on: int | None = None
    correlation: str = ""
    too_old_at: int = NEVER
    contact_by: int = NEVER
    accepted_at: int = NEVER
    lowest_age: int = 0
    own_pseudonym: bool = False


class Seen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An event that is no fact (a reply, an intervention) or whose fact has left the state."""

    event_id: str
    digest: int
    logged_at: int


class MergedFact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A fact of another number of the same person: told to ``owner``'s pathway, lent by ``lender``'s."""

    lender: str
    owner: str
    fact: Fact


class KeptElsewhere(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A need that a lending pathway goes on with (``live``), or that was decided there and is over.

    ``carries`` and ``covers`` tell of which triggers, as a need's do.
    """

    lender: str
    need_id: str
    kind: str
    live: bool
    carries: tuple[str, ...]
    covers: int


class Pathway(msgspec.Struct, frozen=True, array_like=True):
    """All of one young person. ``facts`` are in the order of (occurred_at, event_id).

    ``said`` are the notices that must go out once: what and about which statement; ``shown`` is the
    digest of the public view last written. ``erased`` tells that the young person asked to be forgotten.
    ``borrowed`` are facts of another number of the person; ``merged_into`` is the youth id that stands for this one
    where its own number was replaced, ``kept_told`` what that one was told to be kept here, ``shared`` the facts that
    it tells in return, and ``signals`` counts what was written to such.
    """

    youth_id: str
    facts: tuple[Fact, ...] = ()
    seen: tuple[Seen, ...] = ()
    needs: tuple[Need, ...] = ()
    handovers: tuple[Handover, ...] = ()
    said: tuple[tuple[str, str], ...] = ()
    next_due: int = NEVER
    duplicates: int = 0
    shown: int = 0
    erased: bool = False
    borrowed: tuple[MergedFact, ...] = ()
    kept_elsewhere: tuple[KeptElsewhere, ...] = ()
    merged_into: str | None = None
    signals: int = 0
    kept_told: tuple[KeptElsewhere, ...] = ()
    shared: tuple[MergedFact, ...] = ()


_decoder = msgspec.msgpack.Decoder(Pathway)
_encoder = msgspec.msgpack.Encoder()


def encode_pathway(pathway: Pathway) -> bytes:
    """Returns the stored form of a pathway."""
    return pathway.next_due.to_bytes(_DUE_BYTES) + _encoder.encode(pathway)


def fact_bytes_of(pathway: Pathway, source: str) -> int:
    """Returns how many stored bytes of a pathway's own facts are of a source."""
    return len(_encoder.encode([fact for fact in pathway.facts if fact.source == source]))


def decode_pathway(value: bytes) -> Pathway:
    """Returns the pathway of a stored form."""
    return _decoder.decode(memoryview(value)[_DUE_BYTES:])


def due_of(value: bytes) -> int | None:
    """Returns the earliest deadline of a stored pathway without decoding it, or None."""
    due = int.from_bytes(value[:_DUE_BYTES])
    return None if due == NEVER else due


def with_due(value: bytes, due: int) -> bytes:
    """Returns a stored pathway that is looked at again at a time, otherwise as it was."""
    return due.to_bytes(_DUE_BYTES) + value[_DUE_BYTES:]
