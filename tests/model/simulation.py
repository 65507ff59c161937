"""Runs a history on the domain and looks at it with every check; what is wrong is a value, never an exception."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from random import Random

from schemas.codes import ReplyStatus
from streams.domain.pathways import fire_deadlines
from tests.model.catalogues import changed, first_catalogue
from tests.model.checks_of_acts import ACT_CHECKS
from tests.model.checks_of_consents import CONSENT_CHECKS, QUIET_CONSENT_CHECKS
from tests.model.checks_of_courses import COURSE_CHECKS
from tests.model.checks_of_folds import FOLD_CHECKS, QUIET_CHECKS
from tests.model.checks_of_one_end import ONE_END_CHECKS
from tests.model.checks_of_replies import REPLY_CHECKS
from tests.model.checks_of_states import STATE_CHECKS
from tests.model.checks_of_the_end import END_CHECKS
from tests.model.ledger import FOLDED, Handed, Ledger
from tests.model.ordering import order_matters
from tests.model.reference_needs import LIVE
from tests.model.steps import (
    DAY,
    HOUR,
    MOOD_OF_ODD,
    NUMBERS,
    Act,
    Answer,
    Change,
    History,
    Places,
    Step,
    Told,
    day_of_moment,
    id_of,
    raw_act,
    raw_event,
    raw_reply,
)
from tests.model.world import BrokenFoldError, Seen, World

#: What is looked at where something was said, and in every fold.
SAYING_CHECKS = (*FOLD_CHECKS, *CONSENT_CHECKS, *ONE_END_CHECKS)
EVERY_CHECKS = (*QUIET_CHECKS, *QUIET_CONSENT_CHECKS, *REPLY_CHECKS, *ACT_CHECKS)
LONG_QUIET = 700
#: Telling a history in other orders takes longer than telling it: every so many seeds do.
ORDERED_EVERY = 3
#: So does asking for every decision twice.
DECIDED_AGAIN_EVERY = 4


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a history broke: which check says so, at which step, and what happened."""

    check: str
    step: int
    text: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a history: violations, what was met, and the steps with their answers chosen."""

    violations: tuple[Violation, ...]
    met: Counter[str]
    history: History


class Simulation:
    """One history on one world, with an eye on every fold."""

    def __init__(self, history: History) -> None:
        """Starts with nobody known."""
        self.history = history
        self.ledger = Ledger(first_catalogue())
        self.ledger.take_catalogue(first_catalogue())
        self.world = World(first_catalogue(), self._look, history.delays)
        self.violations: dict[tuple[str, str], Violation] = {}
        self.steps: list[Step] = []
        self._step = -1

    def run(self) -> Report:
        """Plays all steps, then the quiet after them."""
        try:
            for number, step in enumerate(self.history.steps):
                self._step = number
                self._play(step)
                self._look_around(step.at)
            self._be_quiet()
            if self.history.seed < 0 or self.history.seed % ORDERED_EVERY == 0:
                for check, text in order_matters(self.history):
                    self._broken(check, (text,))
        except BrokenFoldError as error:
            self._broken("every_fold_works", (str(error),))
        history = replace(self.history, steps=tuple(self.steps))
        return Report(tuple(self.violations.values()), self.ledger.met, history)

    def _play(self, step: Step) -> None:
        met = self.ledger.met
        self.world.wait_until(step.at)
        match step:
            case Told():
                met[f"told {step.model} {_what(step)}"] += 1
                self.steps.append(step)
                self.world.tell(NUMBERS[step.number], step.model, raw_event(step), step.at)
            case Answer():
                self._answer(step)
            case Act():
                met[f"act {step.action}"] += 1
                self.steps.append(step)
                needs = self.world.pathway(step.number).needs
                missing = NUMBERS[step.number] if step.action == "erased" else id_of("no need")
                need_id = needs[-1 - step.back].need_id if 0 <= step.back < len(needs) else missing
                self.world.tell(NUMBERS[step.number], "Intervention", raw_act(step, need_id), step.at)
            case Change():
                met[f"catalogue {step.what}"] += 1
                self.steps.append(step)
                catalogue = changed(self.world.catalogue, step.what, step.programme)
                self.ledger.take_catalogue(catalogue)
                self.world.set_catalogue(catalogue, step.at)
            case Places():
                met["places"] += 1
                self.steps.append(step)
                self.world.tell_places(step.programme, step.site, step.free, step.at)

    def _answer(self, step: Answer) -> None:
        chosen = step if step.mood >= 1 else choose_answer(step, list(self.ledger.handovers.values()))
        self.steps.append(chosen or step)
        if chosen is None:
            return
        handed = self.ledger.latest(chosen.about or chosen.programme, chosen.back)
        self.ledger.met[f"reply {chosen.status} in {handed.state if handed else 'nothing'}"] += 1
        handover_id = handed.handover_id if handed else id_of("no handover")
        youth_id = NUMBERS[handed.number if handed else 0]
        self.world.tell(youth_id, "Reply", raw_reply(chosen, handover_id, youth_id), chosen.at)

    def _be_quiet(self) -> None:
        last = max((step.at for step in self.history.steps), default=0)
        for pause in (HOUR, DAY, 5 * DAY, 12 * DAY, self.history.quiet_days * DAY):
            self.world.wait_until(last + pause)
            self._look_around(last + pause)
        if self.history.quiet_days >= LONG_QUIET and not self.world.signals_under_way:
            for check in END_CHECKS:
                self._broken(check.__name__, check(self.ledger, self.world))

    def _look(self, seen: Seen) -> None:
        ledger = self.ledger
        ledger.now = seen.now
        ledger.take_fact(seen)
        checks = (*SAYING_CHECKS, *EVERY_CHECKS) if seen.said else EVERY_CHECKS
        for check in checks:
            self._broken(check.__name__, check(ledger, seen))
        decides = seen.outcome in FOLDED
        if decides and (self.history.seed % DECIDED_AGAIN_EVERY == 0 or self.history.seed < 0):
            self._broken("no_decision_flips", self._deciding_again(seen))
        ledger.hear(seen)

    def _deciding_again(self, seen: Seen) -> Iterator[str]:
        """The same facts at the same time give the same decision, however often it is asked (F6)."""
        again = fire_deadlines(seen.after, self.world.catalogue, seen.now)
        was = {need.need_id: need for need in seen.after.needs}
        for need in again.pathway.needs:
            state = was[need.need_id].state if need.need_id in was else "unknown"
            if state != need.state:
                yield f"a need is {state}, and {need.state} ({need.reason_code}) when asked again"
        for one in again.said:
            if one.topic != "pathways":
                yield f"{one.fields.get('type') or one.fields.get('kind') or one.topic} is said when asked again"

    def _look_around(self, now: int) -> None:
        if self.world.signals_under_way:
            return
        self.ledger.now = self.ledger.drained_at = now
        for check in (*STATE_CHECKS, *COURSE_CHECKS):
            self._broken(check.__name__, check(self.ledger, self.world))

    def _broken(self, check: str, texts: Iterable[str]) -> None:
        for text in texts:
            self.violations.setdefault((check, text), Violation(check, self._step, text, self.ledger.now))


def run(history: History) -> Report:
    """Returns what came of a history."""
    return Simulation(history).run()


def _what(step: Told) -> str:
    if step.model == "Person":
        return next((name for name in ("linked_to", "unlinked_from") if name in step.fields), "known")
    fields = step.fields
    kind = "cancels" if "cancels" in fields else "revises" if "revises" in fields else ""
    status = fields.get("decision") or fields.get("status") or "plainest"
    return " ".join(filter(None, (str(status), kind, "bridging" if fields.get("bridging") else "")))


def choose_answer(step: Answer, handovers: list[Handed]) -> Answer | None:
    """Returns a reply to one of the handovers that were told of, by the step's mood: mostly one that fits."""
    if not handovers:
        return None
    random = Random(step.mood)
    fits = random.random() < 0.82 and step.mood >= MOOD_OF_ODD
    live = [one for one in handovers if one.state in LIVE and one.state != "announced"]
    one = live[-1] if live and fits else _of_any_state(random, handovers)
    status = random.choice(_FITTING.get(one.state, _ANY) if fits else _ANY)
    back = sum(other.programme == one.programme for other in handovers[handovers.index(one) + 1 :])
    about, programme = "", one.programme
    if not fits and random.random() < 0.1:
        about, programme = one.programme, random.choice(("headspace", "ungevaerftet"))
    fields: dict[str, object] = {}
    if status in (ReplyStatus.DECLINED, ReplyStatus.ENDED):
        fields = {"side": random.choice(("programme", "programme", "young_person")), "reason_code": "no_capacity"}
    if status == ReplyStatus.WAITLISTED:
        days = random.choice((5, 20, 40)) if fits else random.choice((-3, 0, 20, 70_000))
        fields = {"waitlisted_until": min(day_of_moment(step.at) + days, 80_000)}
    return Answer(step.at, step.name, programme, str(status), back, about, fields)


def _of_any_state(random: Random, handovers: list[Handed]) -> Handed:
    states = sorted({one.state for one in handovers})
    state = random.choices(states, [_ODD_WEIGHTS.get(one, 1) for one in states])[0]
    return random.choice([one for one in handovers if one.state == state])


#: What is rarely met is asked about more often.
_ODD_WEIGHTS = {"waitlisted": 24, "announced": 7, "in_contact": 4, "accepted": 4, "offered": 3}
_FITTING: dict[str, tuple[ReplyStatus, ...]] = {
    "offered": (ReplyStatus.ACCEPTED,) * 6
    + (ReplyStatus.DECLINED, ReplyStatus.CODE_CLAIMED)
    + (ReplyStatus.WAITLISTED,) * 3,
    "waitlisted": (ReplyStatus.ACCEPTED, ReplyStatus.ACCEPTED, ReplyStatus.DECLINED, ReplyStatus.WAITLISTED),
    "accepted": (ReplyStatus.FIRST_CONTACT,) * 4
    + (ReplyStatus.IDENTITY_WANTED,) * 3
    + (ReplyStatus.NO_SHOW, ReplyStatus.CODE_CLAIMED, ReplyStatus.ENDED),
    "in_contact": (ReplyStatus.FULFILLED, ReplyStatus.IDENTITY_WANTED, ReplyStatus.ENDED),
    "withdrawn": (ReplyStatus.RECALLED_AND_DELETED,),
}
_ANY = tuple(ReplyStatus)
