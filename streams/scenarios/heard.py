"""What the topics have said since a scenario began: the figures are counted from this and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from streams.agents.audience import traced_back

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.vault.pseudonyms import Pseudonyms
    from streams.demo.watching import OutputWatch

TOPICS = ("pathways", "referrals", "discharges", "enrolments", "consents")
_HANDOVERS = "handovers."
RawRecord = dict[str, Any]


@dataclass(slots=True)
class ObservedOutputs:
    """Raw records: statements and handover records in their order, and the latest view of each pathway.

    Handover records are as their programmes get them, with the ``need_id`` behind each.
    """

    pseudonyms: Pseudonyms
    statements: dict[str, list[RawRecord]] = field(default_factory=dict)
    handovers: list[RawRecord] = field(default_factory=list)
    notices: list[RawRecord] = field(default_factory=list)
    views: dict[str, RawRecord] = field(default_factory=dict)

    async def listen(self, watch: OutputWatch) -> None:
        """Takes what has been said since the last time."""
        async for topic, record in watch.new():
            if topic.startswith(_HANDOVERS):
                traced = traced_back(self.pseudonyms, record) or record
                self.handovers.append(record | {"need_id": traced["correlation_id"]})
            elif topic == "notices":
                self.notices.append(record)
            elif topic == "pathways":
                self.views[record["youth_id"]] = record
            else:
                self.statements.setdefault(topic, []).append(record)

    def said(self, event_type: str, programme: str | None = None) -> list[RawRecord]:
        """Returns the handover records that say so, to one programme if named."""
        return [one for one in self.handovers if one["type"] == event_type and programme in (None, one["programme"])]

    def youths_of(self, topic: str, subjects: Iterable[str]) -> list[str]:
        """Returns whom statements of a topic are about; KeyError where one of them is not on it."""
        known = {one["subject"]: one["youth_id"] for one in self.statements.get(topic, ())}
        return [known[subject] for subject in subjects]

    def youths(self) -> set[str]:
        """Returns everyone whom any statement is about."""
        return {str(one["youth_id"]) for some in self.statements.values() for one in some}

    def latest(self, topic: str) -> dict[str, RawRecord]:
        """Returns the latest statement about each referral, course, stay or consent, by its id."""
        found: dict[str, RawRecord] = {}
        for one in sorted(self.statements.get(topic, ()), key=lambda one: int(one["occurred_at"])):
            found[one["subject"]] = one
        return found

    def needs(self, youths: Iterable[str], kind: str | None = None) -> list[RawRecord]:
        """Returns the needs of young people as their pathways show them, of one kind if named."""
        return [
            need
            for youth in youths
            for need in self.views.get(youth, {}).get("needs", ())
            if kind in (None, need["kind"])
        ]

    def told(self, youths: Iterable[str], event_type: str) -> list[RawRecord]:
        """Returns what programmes were told that says so and is about one of these young people."""
        mine = {need["need_id"] for need in self.needs(youths)}
        return [one for one in self.said(event_type) if one["need_id"] in mine]
