"""What the eye knows of a history so far: facts taken, what every handover was told, needs; by number and person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.codes import HandoverEventType
from schemas.pathway import Need
from schemas.programmes import Catalogue, Programme
from tests.model.reference import Statement, Wish, age_on
from tests.model.reference_needs import BY_FACTS, LIVE, RECALLS, Fact, linked_groups, standing
from tests.model.steps import NUMBERS, day_of_moment
from tests.model.world import Seen

FOLDED = ("folded", "out_of_scope")
FACTS = frozenset({"Discharge", "Enrolment", "Referral", "Consent", "Person", "Correspondence"})


@dataclass
class Handed:
    """A handover as its programme knows it; ``told`` are (statement, reason, time), ``terms`` the programme's then.

    ``need_ids`` are those of the need that it is for: an older trigger that is told later gives it another (T13).
    """

    handover_id: str
    number: int
    programme: str
    kind: str
    identity: str
    terms: Programme | None
    trigger: str | None = None
    municipality: str | None = None
    need_ids: set[str] = field(default_factory=set)
    state: str = ""
    since: int = 0
    appointment: bool = False
    occurred_on: int | None = None
    told: list[tuple[str, str | None, int]] = field(default_factory=list)

    @property
    def offered_at(self) -> int | None:
        """Returns when it was offered, None while it is announced."""
        return next((when for statement, _, when in self.told if statement == "offered"), None)

    @property
    def left_at(self) -> int:
        """Returns when it last left: as a heads-up, and as the offer that the heads-up became."""
        return max(when for statement, _, when in self.told if statement in ("announced", "offered"))

    @property
    def is_recalled(self) -> bool:
        """Tells whether its programme owes a receipt of deletion (H5), beyond doubt."""
        granted = any(statement == "identity_granted" for statement, _, _ in self.told)
        reason = next((reason for statement, reason, _ in reversed(self.told) if statement == "withdrawn"), None)
        return self.state == "withdrawn" and (granted or reason in RECALLS)


@dataclass
class Needed:
    """A need as it was last seen; ``live_at`` is when it was last seen open or taken over."""

    need: Need
    number: int
    first_at: int
    live_at: int
    since: int
    closed_by: str = ""


@dataclass
class Ledger:
    """Everything told and said in one history. ``drained_at`` is when no signal was under way last."""

    catalogue: Catalogue
    settle_ms: int = 0
    settle_max_ms: int = 0
    drained_at: int = 0
    signal_at: int = 0
    now: int = 0
    facts: list[Fact] = field(default_factory=list)
    acts: list[tuple[int, int, str]] = field(default_factory=list)
    erased: dict[int, int] = field(default_factory=dict)
    #: The numbers that an erasure reached: that of the erasure, and those that were linked to it then (V16).
    silenced: set[int] = field(default_factory=set)
    handovers: dict[str, Handed] = field(default_factory=dict)
    needs: dict[tuple[int, str], Needed] = field(default_factory=dict)
    said: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    notices: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    firsts: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[int, Catalogue] = field(default_factory=dict)
    folded_under: dict[int, int] = field(default_factory=dict)
    met: Counter[str] = field(default_factory=Counter)
    linked: bool = False
    met_numbers: set[str] = field(default_factory=set)
    _known: dict[tuple[str, object], Any] = field(default_factory=dict)

    def take_catalogue(self, catalogue: Catalogue) -> None:
        """Notes the version in force; settle times are compared with the shortest and the longest there was."""
        self.catalogue = catalogue
        self.versions[catalogue.version] = catalogue
        self.settle_ms = min(self.settle_ms or catalogue.settle_ms, catalogue.settle_ms)
        self.settle_max_ms = max(self.settle_max_ms, catalogue.settle_ms)

    def take_fact(self, seen: Seen) -> None:
        """Notes what was told, where it was taken for new."""
        event = seen.event
        self.met_numbers.add(seen.after.youth_id)
        unheard = seen.outcome == "out_of_scope" and seen.number in self.silenced
        if seen.model in FACTS and seen.outcome in FOLDED and not unheard:
            self.facts.append(Fact(seen.model, event, seen.number, seen.now))
            self._known.clear()
            self.linked = self.linked or bool(seen.model == "Person" and event["linked_to"])
        if seen.model == "Intervention":
            self.acts.append((seen.now, seen.number, event["action"]))
            if event["action"] == "erased" and seen.outcome in FOLDED:
                self.erased.setdefault(seen.number, seen.now)
                self.silenced |= self.group(seen.number)

    def hear(self, seen: Seen) -> None:
        """Notes what was said, and what became of needs."""
        if seen.model == "Signal":
            self.signal_at = seen.now
        if seen.model:
            self.firsts.setdefault(seen.event["event_id"], seen.event)
        for one in seen.said:
            if one.topic.startswith("handovers."):
                self._hear_statement(seen, one.fields)
            elif one.topic == "notices":
                self.notices.append((seen.now, one.fields))
                self.met[f"notice {one.fields['kind']}"] += 1
            if one.topic not in ("signals", "pathways"):
                self.said[one.topic, one.fields["event_id"]] = one.fields
        for held in seen.after.handovers:
            if held.handover_id in self.handovers:
                self.handovers[held.handover_id].need_ids.add(held.need_id)
        if seen.after.needs != seen.before.needs:
            self.take_needs(seen)
        self.live_until(seen)
        self.folded_under[seen.number] = self.catalogue.version

    def _hear_statement(self, seen: Seen, fields: dict[str, Any]) -> None:
        handover_id, programme = fields["subject"], fields["programme"]
        statement = str(fields["type"])
        self.met[f"said {statement}"] += 1
        known = handover_id in self.handovers
        if not known and statement == HandoverEventType.REPLY_REFUSED:
            return
        if not known:
            terms = self.terms_of(programme, fields["programme_version"])
            kind, identity = fields["need_kind"], fields["identity"]
            self.handovers[handover_id] = Handed(handover_id, seen.number, programme, kind, identity, terms)
        one = self.handovers[handover_id]
        one.trigger, one.appointment = fields["trigger"], one.appointment or fields["appointment_on"] is not None
        one.occurred_on = fields["occurred_on"] if fields["occurred_on"] is not None else one.occurred_on
        if statement != HandoverEventType.REPLY_REFUSED and fields["state"] and fields["state"] != one.state:
            one.state, one.since = fields["state"], seen.now
            self.met[f"handover {one.state} {one.identity}"] += 1
        if statement != HandoverEventType.REPLY_REFUSED:
            one.identity, one.municipality = fields["identity"], fields["municipality"]
        one.told.append((statement, fields["reason_code"], seen.now))

    def live_until(self, seen: Seen) -> None:
        """Notes of each need that isn't closed that it was live until now."""
        for need in seen.after.needs:
            if need.state != "closed" and (seen.number, need.need_id) in self.needs:
                self.needs[seen.number, need.need_id].live_at = seen.now

    def take_needs(self, seen: Seen) -> None:
        """Notes what became of needs."""
        for need in seen.after.needs:
            known = self.needs.get((seen.number, need.need_id))
            live_at = seen.now if need.state != "closed" else known.live_at if known else 0
            since = known.since if known and known.need.state == need.state else seen.now
            first_at = known.first_at if known else seen.now
            by = "clock" if need.reason_code in BY_FACTS else seen.model or "clock"
            same = known is not None and (known.need.state, known.need.reason_code) == (need.state, need.reason_code)
            by = known.closed_by if known and same else by if need.state == "closed" else ""
            self.needs[seen.number, need.need_id] = Needed(need, seen.number, first_at, live_at, since, by)
            if known is None or known.need.state != need.state:
                self.met[f"need {need.state}"] += 1

    def terms_of(self, programme: str, version: int) -> Programme | None:
        """Returns a programme as a version of the catalogue had it."""
        return (self.versions.get(version) or self.catalogue).programmes.get(programme)

    def _once(self, name: str, key: object, work: Callable[[], Any]) -> Any:
        """Returns what was worked out since the last fact came in, or works it out."""
        if (name, key) not in self._known:
            self._known[name, key] = work()
        return self._known[name, key]

    def group(self, number: int) -> frozenset[int]:
        """Returns the numbers of the same person, as told so far."""
        if not self.linked:
            return frozenset({number})
        groups: list[frozenset[int]] = self._once("groups", None, lambda: linked_groups(self.facts, NUMBERS))
        return next(group for group in groups if number in group)

    def of(self, group: frozenset[int]) -> list[Fact]:
        """Returns the facts told of any of these numbers."""
        found: list[Fact] = self._once("of", group, lambda: [fact for fact in self.facts if fact.number in group])
        return found

    def widest(self, number: int) -> list[Fact]:
        """Returns the facts of every number that is or was linked to one."""
        if not self.linked:
            return self.of(frozenset({number}))
        return self.of(next(group for group in self._once("ever", None, self._ever_linked) if number in group))

    def _ever_linked(self) -> list[frozenset[int]]:
        return linked_groups([fact for fact in self.facts if not fact.event.get("unlinked_from")], NUMBERS)

    @property
    def is_parted(self) -> bool:
        """Tells whether numbers were told not to be of one person after all."""
        return any(fact.model == "Person" and fact.event["unlinked_from"] for fact in self.facts)

    def born(self, number: int) -> int | None:
        """Returns the birth day where one and only one was told of the person, else None."""
        days = self.births(number)
        return min(days) if len(days) == 1 else None

    def births(self, number: int) -> frozenset[int]:
        """Returns the birth days that were told of the person; where two were, the reference has nothing to say."""

        def told() -> frozenset[int]:
            people = (fact.event for fact in self.widest(number) if fact.model == "Person")
            return frozenset(event["birth_date"] for event in people if event["birth_date"] is not None)

        found: frozenset[int] = self._once("births", number, told)
        return found

    def decides_anew(self, seen: Seen) -> bool:
        """Tells whether Y had a birthday, or the catalogue changed, since the needs of a pathway were last decided."""
        if self.folded_under.get(seen.number) != self.catalogue.version:
            return True
        born = self.born(seen.number)
        since = min((one.since for one in self.needs.values() if one.number == seen.number), default=seen.now)
        days = (day_of_moment(since), day_of_moment(seen.now))
        return born is None or age_on(born, days[0]) != age_on(born, days[1])

    def home(self, number: int) -> str | None:
        """Returns the municipality that was told last of the person, None where none was or the order is in doubt."""
        told = [fact.event for fact in self.of(self.group(number)) if fact.model == "Person"]
        told = [event for event in told if event["municipality"]]
        latest = max((event["occurred_at"] for event in told), default=0)
        last = {event["municipality"] for event in told if event["occurred_at"] == latest}
        return last.pop() if len(last) == 1 else None

    def homes(self, number: int) -> set[str]:
        """Returns the municipalities that were told of the person."""
        facts = (fact for fact in self.widest(number) if fact.model == "Person")
        return {fact.event["municipality"] for fact in facts if fact.event["municipality"]}

    def consents(self, facts: Sequence[Fact]) -> list[Statement]:
        """Returns what facts say about consents."""
        return [statement_of(fact.event) for fact in standing([one for one in facts if one.model == "Consent"])]

    def certain_consents(self, number: int) -> list[Statement]:
        """Returns consents given under any number of the person, and the ends of which this number must know by now."""
        found: list[Statement] = self._once("certain", (number, self.drained_at), lambda: self._certain(number))
        return found

    def _certain(self, number: int) -> list[Statement]:
        group = self.group(number)
        known = [
            fact
            for fact in self.widest(number)
            if fact.number == number
            or (fact.event.get("decision") == "given" and not fact.event["cancels"])
            or (fact.number in group and self.has_heard(number, fact))
        ]
        return self.consents(known)

    def has_heard(self, number: int, fact: Fact) -> bool:
        """Tells whether a number must know a fact by now: its own, or told of a number that was and is linked."""

        def before() -> list[frozenset[int]]:
            return linked_groups([one for one in self.facts if one.told_at < self.drained_at], NUMBERS)

        parted = any(one.told_at >= self.drained_at for one in self.facts if one.event.get("unlinked_from"))
        if parted or fact.number == number or fact.told_at >= self.drained_at:
            return fact.number == number
        groups: list[frozenset[int]] = self._once("before", self.drained_at, before)
        return any({number, fact.number} <= group for group in groups)

    def live(self, group: frozenset[int]) -> list[Handed]:
        """Returns the handovers under way of a person."""
        return [one for one in self.handovers.values() if one.number in group and one.state in LIVE]

    def wish(self, one: Handed, moment: int, *, under_way: bool) -> Wish:
        """Returns what the consent table is asked about a handover."""
        lowest = one.terms.lowest_age if one.terms else 0
        return Wish(one.kind, one.programme, one.identity, moment, lowest, self.born(one.number), under_way)

    def latest(self, programme: str, back: int) -> Handed | None:
        """Returns the latest handover but ``back`` to a programme."""
        told = [one for one in self.handovers.values() if one.programme == programme]
        return told[-1 - back] if back < len(told) else None


def statement_of(event: dict[str, Any]) -> Statement:
    """Returns what an event says about a consent."""
    return Statement(
        event["occurred_at"],
        event["decision"],
        frozenset(event["given_by"]),
        event["custody"],
        event["youth_unable"],
        event["scope"],
        event["receiver"],
        event["purpose"],
        event["subject"],
        event["lapses_at"],
    )
