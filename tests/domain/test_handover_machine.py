"""Handovers under random answers, clocks, corrections, consents and crashes, against a small reference model.

The model knows only what programmes were told, as a programme would: the state of each handover by its last
statement, and which answers that state allows.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from schemas.pathway import NEVER, decode_pathway, encode_pathway
from streams.domain.work import Emission
from tests.domain.story import Story, a_consent, a_person, a_step, an_id, at

ALLOWED = {
    "accepted": {"offered", "waitlisted"},
    "declined": {"offered", "waitlisted"},
    "waitlisted": {"offered", "waitlisted"},
    "first_contact": {"accepted"},
    "no_show": {"accepted"},
    "identity_wanted": {"accepted", "in_contact"},
    "fulfilled": {"in_contact"},
    "ended": {"accepted", "in_contact"},
    "recalled_and_deleted": {"withdrawn"},
}
#: Refusals that a programme can't foresee from the state alone: the young person's side decides.
UNFORESEEN = {"consent_lapsed", "handover_anonymous"}
PENDING = {"announced", "offered", "waitlisted"}
LIVE = PENDING | {"accepted", "in_contact"}
START = at("2026-02-02 10:00")


class Model:
    """What programmes know: each handover's state, need and identity, from their topics alone."""

    def __init__(self) -> None:
        self.state: dict[str, str] = {}
        self.need: dict[str, str] = {}
        self.programme: dict[str, str] = {}
        self.kind: dict[str, str] = {}

    def hear(self, said: Emission) -> None:
        """Takes one statement."""
        handover_id = said.fields["subject"]
        self.state[handover_id] = said.fields["state"]
        self.need[handover_id] = said.fields["correlation_id"]
        self.programme[handover_id] = said.fields["programme"]
        self.kind[handover_id] = str(said.fields["need_kind"])

    def allows(self, handover_id: str, answer: str) -> bool:
        """Tells whether a handover's state allows an answer."""
        return self.state[handover_id] in ALLOWED[answer]

    def live(self) -> list[str]:
        """Returns the handovers that are not over."""
        return sorted(one for one, state in self.state.items() if state in LIVE)

    def open_offers(self) -> list[str]:
        """Returns the need of each handover that waits for an answer."""
        return [self.need[one] for one, state in self.state.items() if state in PENDING]


class HandoverMachine(RuleBasedStateMachine):
    """Drives one young person's story; every step is folded, some of them from the stored bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.story, self.model, self.now = Story(), Model(), START
        self.number = self.heard = 0
        self.discharges: list[tuple[str, bool]] = []
        self.consents: list[tuple[str, str, bool]] = []

    @initialize(municipality=st.sampled_from(["0217", "0101", "0751"]), named=st.booleans(), planned=st.booleans())
    def begin(self, municipality: str, named: bool, planned: bool) -> None:
        """Makes the young person known, with a consent and a first discharge that has settled."""
        self._tell(a_person(municipality=municipality))
        self.consent(named, "plan" if municipality == "0751" else "aftercare")
        self.discharge(planned)
        self.wait(1)

    @rule(planned=st.booleans())
    def discharge(self, planned: bool) -> None:
        """A stay of its own ends, or is planned to."""
        name = self._name("slhj")
        changes: dict[str, Any] = {"planned_at": self.now + timedelta(days=3)} if planned else {}
        status = "discharge_planned" if planned else "discharged_home"
        self._tell(a_step(name, self.now, status, episode_id=name, **changes))
        self.discharges.append((name, planned))

    @precondition(lambda self: self.discharges)
    @rule(index=st.integers(0, 30))
    def cancel(self, index: int) -> None:
        """A discharge, or the plan of one, is cancelled."""
        name, planned = self.discharges.pop(index % len(self.discharges))
        status = "discharge_planned" if planned else "discharged_home"
        self._tell(a_step(self._name("an"), self.now, status, episode_id=name, cancels=an_id(name)))

    @rule(named=st.booleans(), purpose=st.sampled_from(["aftercare", "plan"]))
    def consent(self, named: bool, purpose: str) -> None:
        """The young person consents."""
        name, scope = self._name("consent"), "named" if named else "anonymous"
        self._tell(a_consent(name, self.now, scope=scope, purpose=purpose))
        self.consents.append((name, purpose, named))

    @precondition(lambda self: self.consents)
    @rule(index=st.integers(0, 30))
    def take_back(self, index: int) -> None:
        """A consent is withdrawn."""
        name, purpose, named = self.consents.pop(index % len(self.consents))
        scope = "named" if named else "anonymous"
        changes = {"subject": name, "scope": scope, "purpose": purpose, "decision": "withdrawn"}
        self._tell(a_consent(self._name("withdrawal"), self.now, **changes))

    @rule(municipality=st.sampled_from(["0217", "0101", "0360"]))
    def move(self, municipality: str) -> None:
        """The young person moves."""
        self._tell(a_person(self._name("person"), occurred_at=self.now, municipality=municipality))

    @precondition(lambda self: self.model.state)
    @rule(index=st.integers(0, 30), answer=st.sampled_from(sorted(ALLOWED)), own=st.booleans())
    def answer(self, index: int, answer: str, own: bool) -> None:
        """A programme answers one of its handovers, allowed or not."""
        handover_id = sorted(self.model.state)[index % len(self.model.state)]
        changes: dict[str, Any] = {"subject": handover_id, "side": "young_person" if own else "programme"}
        if answer == "waitlisted":
            changes["waitlisted_until"] = self.now.date() + timedelta(days=5)
        self._pass_to(self.now)
        before = self.story.pathway
        allowed = self.model.allows(handover_id, answer)
        self.story.reply(self.now, self.model.programme[handover_id], answer, **changes)
        [said] = [
            one for _, one in self.story.said[self.heard :] if one.fields["causation_id"] == self.story.last_reply_id
        ]
        refused = said.fields["type"] == "reply_refused"
        reason = said.fields["reason_code"]
        forgotten = handover_id not in dict(_states_of(before))
        assert refused is not allowed or reason in UNFORESEEN or forgotten, (answer, reason)
        self._hear()
        if refused and reason not in UNFORESEEN:
            assert (self.story.pathway.needs, _states(self.story)) == (before.needs, _states_of(before))

    @precondition(lambda self: self.model.live())
    @rule(index=st.integers(0, 30), choice=st.sampled_from(["accepted", "first_contact", "identity_wanted", "ended"]))
    def take_over(self, index: int, choice: str) -> None:
        """A programme answers, as most will, what the state of a handover under way allows."""
        live = self.model.live()
        handover_id = live[index % len(live)]
        possible = [one for one in ALLOWED if self.model.allows(handover_id, one)]
        if possible:
            which = sorted(self.model.state).index(handover_id)
            self.answer(which, choice if choice in possible else possible[index % len(possible)], own=False)

    @rule(action=st.sampled_from(["closed", "reopened", "assigned"]))
    def decide(self, action: str) -> None:
        """A person decides about the first need, where there is one."""
        if self.story.pathway.needs:
            self.story.decide(self.now, action)
            self._hear()

    @rule(hours=st.sampled_from([0.1, 0.3, 1, 24, 24, 72, 24 * 8, 24 * 370]))
    def wait(self, hours: float) -> None:
        """Time passes; what is due fires."""
        self._pass_to(self.now + timedelta(hours=hours))

    @rule()
    def crash(self) -> None:
        """The process dies and goes on from the stored bytes."""
        self.story.pathway = decode_pathway(encode_pathway(self.story.pathway))

    @invariant()
    def every_open_need_has_owner_and_clock(self) -> None:
        """Law 2: nobody is ever without."""
        for need in self.story.pathway.needs:
            handovers = [one for one in self.story.pathway.handovers if one.need_id == need.need_id]
            clocks = [need.clock_at, *(one.clock_at for one in handovers)]
            in_contact = any(one.state == "in_contact" for one in handovers)
            assert need.state == "closed" or (need.owner and (min(clocks) < NEVER or in_contact)), need

    @invariant()
    def no_need_has_two_open_offers(self) -> None:
        """At most one programme at a time is asked."""
        offers = self.model.open_offers()
        assert len(offers) == len(set(offers))

    @invariant()
    def nothing_is_under_way_without_a_consent(self) -> None:
        """Every disclosure names the consent that it rests on, and what is under way has one not taken back."""
        assert all(disclosed["consent_id"] is not None for disclosed in self.story.disclosures)
        purposes = {purpose for _, purpose, _ in self.consents}
        assert {self.model.kind[one] for one in self.model.live()} <= purposes

    @invariant()
    def the_model_and_the_pathway_agree(self) -> None:
        """What programmes were told is what the service holds."""
        for one in self.story.pathway.handovers:
            assert self.model.state[one.handover_id] == one.state

    def _name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}-{self.number}"

    def _tell(self, event: Any) -> None:
        self.story.tell(self.now, event)
        self._hear()

    def _pass_to(self, when: Any) -> None:
        self.now = when
        self.story.wait_until(when)
        self._hear()

    def _hear(self) -> None:
        for _, said in self.story.said[self.heard :]:
            if said.topic.startswith("handovers."):
                self.model.hear(said)
        self.heard = len(self.story.said)


def _states_of(pathway: Any) -> list[tuple[str, str]]:
    return [(one.handover_id, one.state) for one in pathway.handovers]


def _states(story: Story) -> list[tuple[str, str]]:
    return _states_of(story.pathway)


HandoverMachine.TestCase.settings = settings(stateful_step_count=40)
TestHandovers = HandoverMachine.TestCase


def test_a_refused_answer_changes_nothing_of_what_was_refused_together() -> None:
    machine = HandoverMachine()
    machine.begin(municipality="0217", named=False, planned=False)
    machine.take_back(index=0)
    machine.discharge(planned=True)
    machine.wait(hours=0.1)
    machine.consent(named=False, purpose="aftercare")
    machine.discharge(planned=False)
    machine.take_back(index=0)
    machine.wait(hours=0.3)

    machine.answer(index=0, answer="accepted", own=False)

    assert {need.state for need in machine.story.pathway.needs} == {"closed"}
