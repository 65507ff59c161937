"""The work of one moment: a pathway opened up for decisions, and what they say to the outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.codes import Identity
from schemas.identifiers import derived_text
from schemas.pathway import NEVER, Handover, Need, Pathway, replace
from streams.domain.calendar import age_on, local_day, week_of
from streams.domain.consents import Asker, consents_of, standing_consents
from streams.domain.fact_kinds import FactKinds, told_apart
from streams.domain.stays import believed_until, is_psychiatric
from streams.domain.triggers import Derived, Trigger, derive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.codes import NoticeKind
    from schemas.facts import Fact
    from schemas.programmes import Catalogue
    from streams.domain.consents import Consents
    from streams.domain.stays import Stay

SOURCE = "brobygger"
#: The topic of a signal that is said: it goes to the intake log, keyed by ``to``.
SIGNALS = "signals"
PENDING_HANDOVERS = frozenset({"announced", "offered", "waitlisted"})
CLOSED = "closed"
TAKEN_OVER = frozenset({"accepted", "in_contact"})
LIVE_HANDOVERS = PENDING_HANDOVERS | TAKEN_OVER
_AGE_BANDS = ((12, "0-11"), (15, "12-14"), (18, "15-17"), (22, "18-21"), (26, "22-25"))


class Emission(NamedTuple):
    """One record to the outside: to a programme's topic, or a notice. ``fields`` are raw (see ``codec``).

    ``own_pseudonym`` as the handover's; None where it is about none, and answers a reply that named none.
    """

    topic: str
    fields: dict[str, Any]
    own_pseudonym: bool | None = None


@dataclass(slots=True)
class Work:
    """Everything one decision reads and writes. ``now`` is the calendar's time, never the machine's."""

    pathway: Pathway
    catalogue: Catalogue
    now: int
    facts: FactKinds = field(init=False)
    derived: Derived = field(init=False)
    consents: Consents = field(init=False)
    needs: dict[str, Need] = field(init=False)
    handovers: dict[str, Handover] = field(init=False)
    once: set[tuple[str, str]] = field(init=False)
    said: list[Emission] = field(default_factory=list)
    wakes: int = NEVER
    is_merged: bool = field(init=False)

    def __post_init__(self) -> None:
        """Derives what the facts say."""
        self.is_merged = self.pathway.merged_into is not None
        self.derive_again()
        self.needs = {need.need_id: need for need in self.pathway.needs}
        self.handovers = {one.handover_id: one for one in self.pathway.handovers}
        self.once = set(self.pathway.said)

    def derive_again(self) -> None:
        """Works out what the pathway's facts say, the borrowed ones among them."""
        self.facts = told_apart(_all_facts(self.pathway))
        self.derived = derive(self.facts, self.catalogue)
        stand = standing_consents(self.facts.consents)
        self.consents = consents_of(stand, self.derived.birth_day, self.now)
        self.wake_at(min((one.occurred_at for one in stand if one.occurred_at > self.now), default=NEVER))

    def wake_at(self, due: int) -> None:
        """Asks to be looked at again at a time."""
        self.wakes = min(self.wakes, due)

    def change(self, need: Need, **changes: Any) -> Need:
        """Stores a need as it is now with other fields, and returns it."""
        self.needs[need.need_id] = changed = replace(self.needs[need.need_id], **changes)
        return changed

    def need_named(self, need_id: str) -> Need | None:
        """Returns the need of an id, or the one that goes on with it."""
        known = self.needs.get(need_id)
        if known is not None and known.reason_code != "carried_on":
            return known
        return next((one for one in self.needs.values() if need_id in one.former_ids), known)

    def need_id(self, trigger: Trigger, kind: str) -> str:
        """Returns the id of the need that a trigger raises here, another one than where its root was told first.

        A root that nobody has told yet may turn out to be another number's.
        """
        own = any(fact.event_id == trigger.root for fact in self.pathway.facts)
        return derived_text("need", trigger.root, kind, *([] if own else [self.pathway.youth_id]))

    def new_need_id(self, trigger: Trigger, kind: str) -> str:
        """Returns the id under which a trigger opens a need: another one than that of what was decided of its plan."""
        need_id = self.need_id(trigger, kind)
        while need_id in self.needs:
            need_id = derived_text("need", need_id, "again")
        return need_id

    def open_need(self, kind: str) -> Need | None:
        """Returns the open need of a kind of which there is one at a time, or None."""
        return next((one for one in self.needs.values() if one.kind == kind and one.state != CLOSED), None)

    def live_handover(self, need: Need) -> Handover | None:
        """Returns the one handover of a need that is under way, or None."""
        for one in self.handovers.values():
            if one.need_id == need.need_id and one.state in LIVE_HANDOVERS:
                return one
        return None

    def is_kind_taken(self, need: Need) -> bool:
        """Tells whether a handover of the need's kind is under way for another need, here or under another number."""
        elsewhere = any(one.live and one.kind == need.kind for one in self.pathway.kept_elsewhere)
        return elsewhere or any(
            one.state in LIVE_HANDOVERS and one.need_id != need.need_id and self.needs[one.need_id].kind == need.kind
            for one in self.handovers.values()
        )

    def asker(self, handover: Handover) -> Asker:
        """Returns who a handover's consent is asked for."""
        return Asker(handover.programme, self.needs[handover.need_id].kind, handover.lowest_age)

    def settling_until(self, need: Need) -> int:
        """Returns when the first of what a need is about, or may be about, has settled, NEVER where all of it has."""
        at = (
            one.settled_at(self.catalogue.settle_ms)
            for one in self.derived.triggers
            if need.kind in one.kinds and (one.opens or one.raises_any(need.roots))
        )
        return min((due for due in at if due > self.now), default=NEVER)

    def stay_going_on(self) -> Stay | None:
        """Returns the stay that the young person is in, as far as is believed: nothing is offered meanwhile.

        A stay whose end is missing, so that a person was told, holds nothing back.
        """
        for stay in reversed(self.derived.stays.stays):
            if stay.ended_by is None and is_psychiatric(stay, self.catalogue.units) is not False:
                until = believed_until(stay, self.catalogue.holidays)
                if self.now < until:
                    self.wake_at(until)
                    return stay
        return None

    def tell(self, handover: Handover, event_type: str, **fields: Any) -> Handover:
        """Says something to a handover's programme and stores the handover, its statement counted."""
        own_pseudonym = handover.own_pseudonym if handover.statements else handover.identity == Identity.ANONYMOUS
        handover = replace(handover, statements=handover.statements + 1, own_pseudonym=own_pseudonym)
        self.handovers[handover.handover_id] = handover
        need = self.needs[handover.need_id]
        own = {
            "type": event_type,
            "programme": handover.programme,
            "programme_version": handover.version,
            "site": handover.site,
            "need_kind": need.kind,
            "identity": handover.identity,
            "age_band": self.age_band(),
            "municipality": handover.municipality or None,
            "trigger": need.trigger,
            "expected_week": week_of(local_day(handover.occurred_at)) if handover.state == "announced" else None,
            "appointment_on": handover.appointment_on,
            "occurred_on": None if handover.state == "announced" else local_day(handover.occurred_at),
            "reply_by": None if handover.reply_by == NEVER else handover.reply_by,
            "first_contact_by": handover.contact_by if handover.state == "accepted" and not handover.reminded else None,
            "reason_code": None,
            "state": handover.state,
        }
        event_id = derived_text("statement", handover.handover_id, str(handover.statements))
        header = self.header(event_id, handover.handover_id, handover.correlation, need.root)
        self.said.append(Emission(f"handovers.{handover.programme}", header | own | fields, own_pseudonym))
        return handover

    def notify(self, kind: NoticeKind, recipient: str, need: Need, **fields: Any) -> Need:
        """Tells a source or a person about a need, and returns the need with that counted; after a death nobody."""
        need = self.needs[need.need_id]
        if self.derived.stays.deceased:
            return need
        need = self.change(need, notices=need.notices + 1)
        own = {
            "kind": kind,
            "recipient": recipient,
            "need_kind": need.kind,
            "due_at": None,
            "reason_code": need.reason_code,
            "trigger_reason": need.why,
            "options": [{"programme": one.programme, "outcome": one.outcome} for one in need.options],
        }
        event_id = derived_text("notice", need.need_id, str(need.notices))
        header = self.header(event_id, need.need_id, need.need_id, need.root)
        self.said.append(Emission("notices", header | own | fields))
        return need

    def notify_once(self, kind: NoticeKind, about: str, recipient: str, reason_code: str | None = None) -> None:
        """Tells a source or a person about a statement that is no need, once ever; after a death nobody."""
        if (kind, about) in self.once or self.derived.stays.deceased:
            return
        self.once.add((kind, about))
        correlation = derived_text("about", about)
        header = self.header(derived_text("notice", self.pathway.youth_id, kind, about), about, correlation, None)
        own = {"kind": kind, "recipient": recipient, "need_kind": None, "due_at": None, "reason_code": reason_code}
        own["trigger_reason"] = None
        self.said.append(Emission("notices", header | own | {"options": []}))

    def header(self, event_id: str, subject: str, correlation_id: str, causation_id: str | None) -> dict[str, Any]:
        """Returns the header's fields of something said now; ``youth_id`` is the internal one."""
        fields = event_header_of(self.pathway.youth_id, event_id, subject, self.now)
        return fields | {"correlation_id": correlation_id, "causation_id": causation_id}

    def age_band(self) -> str | None:
        """Returns the young person's age band today, or None where the birth date is unknown."""
        if self.derived.birth_day is None:
            return None
        age = age_on(self.derived.birth_day, local_day(self.now))
        return next((band for below, band in _AGE_BANDS if age < below), "26+")

    def owner(self) -> str:
        """Returns the person who owns what no programme has: the home municipality's contact."""
        return self.catalogue.owner_of(self.derived.municipality)


def _all_facts(pathway: Pathway) -> Sequence[Fact]:
    """Returns own, borrowed and shared facts in their order; one that came in several ways once, as the own one."""
    if not pathway.borrowed and not pathway.shared:
        return pathway.facts
    others = {one.fact.event_id: one.fact for one in (*pathway.shared, *pathway.borrowed)}
    facts = others | {fact.event_id: fact for fact in pathway.facts}
    return sorted(facts.values(), key=lambda fact: (fact.occurred_at, fact.event_id))


def event_header_of(youth_id: str, event_id: str, subject: str, now: int) -> dict[str, Any]:
    """Returns the header's fields of something the service says at a time, correlated with itself."""
    return {
        "event_id": event_id,
        "source": SOURCE,
        "source_sequence": None,
        "correlation_id": event_id,
        "causation_id": None,
        "occurred_at": now,
        "sent_at": now,
        "recorded_at": now,
        "youth_id": youth_id,
        "subject": subject,
        "revises": None,
        "cancels": None,
    }
