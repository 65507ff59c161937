"""Draws histories by seed: every kind of event, mixed, late, repeated and out of order.

A history is a few *threads* (a stay, a course, a referral …) about one person, consents that mostly fit them, answers
and decisions that mostly fit what was offered, and then mischief: repeats, conflicts, codes of a later release, delays.
Weights lean to what leads somewhere, so that deep states are met often.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from typing import Any

from schemas.events import UNNUMBERED
from schemas.instants import day_of, days_of
from tests.model.steps import (
    DAY,
    EMERGENCY,
    HOUR,
    MINUTE,
    MOOD_OF_ODD,
    NUMBERS,
    OTHER_PSYCHIATRY,
    PSYCHIATRY,
    SOMATIC,
    UNKNOWN_UNIT,
    Act,
    Answer,
    Change,
    History,
    Places,
    Step,
    Told,
    day_of_moment,
    midnight_of,
)

PROGRAMMES = ("ungevaerftet", "headspace", "unik-recovery-young", "alliancen-plan", "psykinfo-adviser")
_FIRST, _LAST = days_of(date(2019, 1, 7)), days_of(date(2027, 6, 1))
#: Days on which something about the calendar is odd: summer time, leap days, Easter, Christmas, turns of the year.
_ODD_DAYS = tuple(
    days_of(date(*day))
    for day in (
        (2024, 2, 28),
        (2024, 2, 29),
        (2025, 2, 28),
        (2024, 3, 27),
        (2024, 3, 31),
        (2025, 3, 30),
        (2026, 3, 29),
        (2025, 10, 26),
        (2026, 10, 25),
        (2026, 4, 1),
        (2025, 4, 16),
        (2023, 5, 4),
        (2025, 12, 22),
        (2026, 12, 23),
        (2024, 12, 30),
        (2026, 6, 4),
    )
)
_UNITS = (PSYCHIATRY,) * 6 + (OTHER_PSYCHIATRY,) * 2 + (EMERGENCY, SOMATIC, UNKNOWN_UNIT)
_MUNICIPALITIES = ("0217",) * 8 + ("0101",) * 5 + ("0751",) * 2 + ("0175", "0360", "0740")
_CATALOGUE_CHANGES = (
    ("without",) * 3
    + ("older", "named_only", "fewer_triggers", "slower", "elsewhere", "back")
    + ("settle_longer", "settle_shorter", "unit_known", "unit_somatic", "owners_gone", "back")
)
_ACTIONS = ("UNKNOWN", "consent_asked", "assigned", "offered", "offered", "reopened", "closed", "escalation_answered")


@dataclass
class _Draw:
    """One history being drawn: ``now`` is where the threads have got to; ``decided`` are times to answer after."""

    random: Random
    now: int
    born: int | None
    steps: list[Step] = field(default_factory=list)
    offered_about: list[tuple[int, str]] = field(default_factory=list)
    numbers: int = 1
    made: int = 0

    def name(self, kind: str) -> str:
        """Returns a name that no other step has."""
        self.made += 1
        return f"{kind}-{self.made}"

    def chance(self, share: float) -> bool:
        """Tells whether something of that likelihood happens."""
        return self.random.random() < share

    def number(self) -> int:
        """Returns which number of the person is used."""
        return self.random.randrange(self.numbers)

    def lag(self) -> int:
        """Returns how long after it happened a statement comes in."""
        return self.random.choice((0, 0, 0, MINUTE, 3 * MINUTE, 10 * MINUTE, 40 * MINUTE, 5 * HOUR, 2 * DAY))

    def tell(self, model: str, kind: str, happened: int, lag: int | None = None, **fields: Any) -> str:
        """Adds a statement about what happened at a time, and returns its name."""
        name = self.name(kind)
        told = happened + (self.lag() if lag is None else lag)
        self.steps.append(Told(told, model, name, {"occurred_at": happened} | fields, self.number()))
        return name


def draw_history(seed: int) -> History:
    """Returns the history of a seed."""
    random = Random(seed)
    day = random.choice(_ODD_DAYS) if random.random() < 0.25 else random.randrange(_FIRST, _LAST)
    now = midnight_of(day) + random.choice((2, 9, 10, 10, 13, 15, 23)) * HOUR + random.randrange(0, 60) * MINUTE
    draw = _Draw(random, now, _birth(random, day))
    draw.numbers = random.choices((1, 2, 3), (80, 18, 2))[0]
    _people(draw)
    for _ in range(random.choices((1, 2, 3), (55, 33, 12))[0]):
        random.choices(_THREADS, _WEIGHTS)[0](draw)
        if draw.chance(0.12):
            draw.now += random.choice((30, 60, 180, 300, 370, 410, 480)) * DAY
    _mischief(draw)
    steps = sorted(draw.steps, key=lambda step: step.at)
    delays = random.choices(((0,), (0, 5 * MINUTE), (30 * MINUTE, 0, 3 * HOUR), (2 * DAY,)), (70, 14, 10, 6))[0]
    return History(tuple(steps), seed, delays, 760 if seed % 5 == 0 else 40)


def _birth(random: Random, day: int) -> int | None:
    """Returns a birth day: ages 3 to 19, most where programmes are, often just before a birthday that counts."""
    if random.random() < 0.02:
        return None
    if random.random() < 0.3:
        age, ahead = random.choice((12, 13, 15, 15, 15, 18, 18)), random.choice((0, 1, 2, 3, 5, 9, 30))
        born = day_of(day + ahead)
        return days_of(date(born.year - age, born.month, min(born.day, 28)))
    age = random.choice((3, 7, 10, 11, 12, 13, 13, 14, 14, 14, 14, 15, 15, 16, 16, 16, 17, 17, 18, 19))
    born = day_of(day - random.randrange(0, 365))
    return days_of(date(born.year - age, born.month, born.day if (born.month, born.day) != (2, 29) else 28))


def _people(draw: _Draw) -> None:
    home = draw.random.choice(_MUNICIPALITIES)
    for number in range(draw.numbers):
        fields: dict[str, Any] = {"occurred_at": draw.now - 40 * DAY, "municipality": home}
        if draw.born is not None:
            fields["birth_date"] = draw.born
        if draw.chance(0.03):
            fields["protected"] = True
        late = draw.random.choice((0, 0, 0, 0, 5 * MINUTE, 3 * HOUR)) if draw.chance(0.2) else -DAY
        draw.steps.append(Told(draw.now + late, "Person", draw.name("person"), fields, number))
    for number in range(1, draw.numbers):
        _link(draw, number)


def _link(draw: _Draw, number: int) -> None:
    """Number ``number - 1`` is replaced by ``number``; sometimes that is undone, sometimes done again."""
    when = draw.now + draw.random.choice((-DAY, -DAY, -DAY, 5 * MINUTE, HOUR, DAY, 3 * DAY, 40 * DAY))
    other, old = NUMBERS[number], number - 1
    undone = draw.random.choices((0, 1, 2), (70, 24, 6))[0]
    for turn in range(undone + 1):
        fields = {"occurred_at": when, "unlinked_from" if turn % 2 else "linked_to": other}
        draw.steps.append(Told(when + draw.lag(), "Person", draw.name("link"), fields, old))
        when += draw.random.choice((20 * MINUTE, 2 * HOUR, 3 * DAY, 30 * DAY))


def _stay(draw: _Draw) -> None:
    """A stay with what may happen in it: leave, transfer, plan, discharge, correction, readmission, death."""
    common = _place(draw)
    began = draw.now - draw.random.choice((2, 5, 9, 20)) * DAY
    if draw.chance(0.85):
        draw.tell("Discharge", "stin", began, lag=draw.random.choice((0, 0, draw.now - began)), **common)
    if draw.chance(0.12):
        draw.tell("Discharge", "stor", began + DAY, status="on_leave", **common)
        draw.tell("Discharge", "slor", began + DAY + 5 * HOUR, status="back", **common)
    if draw.chance(0.15):
        episode = draw.random.choice((common["episode_id"], draw.name("episode")))
        common |= {"unit": draw.random.choice(_UNITS), "episode_id": episode}
        draw.tell("Discharge", "transfer", began + DAY + HOUR, **common)
    if draw.chance(0.12):
        _stay_beside(draw, began)
    if draw.chance(0.25):
        _plan(draw, common)
    if draw.chance(0.92):
        _discharge(draw, common)
    if draw.chance(0.05):
        _death(draw, common)


def _place(draw: _Draw) -> dict[str, Any]:
    """Returns where a stay is, and what is odd about how it is told."""
    place: dict[str, Any] = {"episode_id": draw.name("episode"), "unit": draw.random.choice(_UNITS)}
    if draw.chance(0.05):
        place["episode_id"] = UNNUMBERED
    if draw.chance(0.05):
        place["specialty"] = draw.random.choice(("child_psychiatry", "somatic", "UNKNOWN"))
    if draw.chance(0.05):
        place["remarks"] = (draw.random.choice(("inconsistent_status", "nonstandard_identifier", "UNKNOWN")),)
    if draw.chance(0.04):
        place["said_alive"] = True
    if draw.chance(0.12):
        place["stay_class"] = draw.random.choice(("emergency", "emergency", "UNKNOWN"))
    return place


def _stay_beside(draw: _Draw, began: int) -> None:
    """Another hospital's stay that overlaps, with or without an end."""
    beside: dict[str, Any] = {"episode_id": draw.name("episode")}
    beside["unit"] = draw.random.choice((SOMATIC, OTHER_PSYCHIATRY))
    draw.tell("Discharge", "beside", began + DAY + 2 * HOUR, **beside)
    if draw.chance(0.7):
        until = draw.now + draw.random.choice((-DAY, HOUR, 3 * DAY))
        draw.tell("Discharge", "beside-home", until, status="discharged_home", **beside)


def _plan(draw: _Draw, common: dict[str, Any]) -> None:
    planned = draw.now + draw.random.choice((1, 2, 5, 12)) * DAY
    planned = midnight_of(day_of_moment(planned)) if draw.chance(0.4) else planned
    plan = draw.tell("Discharge", "plan", draw.now, status="discharge_planned", planned_at=planned, **common)
    draw.offered_about.append((draw.now, "aftercare"))
    _consents(draw)
    if draw.chance(0.25):
        draw.now += DAY
        moved = {"status": "discharge_planned", "planned_at": planned + 2 * DAY, "revises": plan}
        plan = draw.tell("Discharge", "plan-moved", draw.now, **common | moved)
    if draw.chance(0.2):
        draw.now += HOUR
        off = {"status": "discharge_planned", "planned_at": planned, "cancels": plan}
        draw.tell("Discharge", "plan-off", draw.now, **common | off)
    _answers(draw, 0.5)
    draw.now = draw.now + draw.random.choice((HOUR, DAY, 5 * DAY))


def _discharge(draw: _Draw, common: dict[str, Any]) -> None:
    home = {"status": "discharged_home", **common}
    if draw.chance(0.2):
        home["statement_id"] = draw.name("notice")  # a letter before FHIR: corrections name its number, and a time
    when = midnight_of(day_of_moment(draw.now)) if draw.chance(0.1) else draw.now
    last = draw.tell("Discharge", "slhj", when, **home)
    draw.offered_about.append((draw.now, "aftercare"))
    _consents(draw)
    _answers(draw, 0.8)
    chain = [last]
    for _ in range(draw.random.choices((0, 1, 2), (78, 15, 7))[0]):
        change = {"occurred_at": when - draw.random.choice((30 * MINUTE, 2 * HOUR))}
        fields = {**home, **change, "revises": _named(draw, home, (chain[0], chain[-1]))}
        if draw.chance(0.25):
            fields["unit"] = draw.random.choice((UNKNOWN_UNIT, OTHER_PSYCHIATRY, SOMATIC))
        name = draw.name("re-slhj")
        told = when + draw.random.choice((-10 * MINUTE, 2 * MINUTE, HOUR, DAY))
        draw.steps.append(Told(max(told, 0), "Discharge", name, fields, draw.number()))
        chain.append(name)
    if draw.chance(0.3 if "statement_id" in home else 0.12):
        lag = draw.random.choice((-20 * MINUTE, 5 * MINUTE, 2 * HOUR, DAY, 9 * DAY))
        draw.tell("Discharge", "an-slhj", when, lag=lag, cancels=_named(draw, home, chain), **home)
    if draw.chance(0.22):
        _readmission(draw, common)


def _named(draw: _Draw, home: dict[str, Any], chain: Sequence[str]) -> str:
    """Returns what a correction names: an earlier statement; of a letter's time sometimes none that was told."""
    return draw.name("untold") if "statement_id" in home and draw.chance(0.6) else draw.random.choice(chain)


def _readmission(draw: _Draw, common: dict[str, Any]) -> None:
    draw.now += draw.random.choice((10 * MINUTE, HOUR, DAY, 4 * DAY, 60 * DAY))
    again = common | {"episode_id": draw.random.choice((common["episode_id"], draw.name("episode")))}
    if draw.chance(0.85):
        draw.tell("Discharge", "again", draw.now, **again)
    draw.now += draw.random.choice((HOUR, 4 * HOUR, DAY, 6 * DAY))
    if draw.chance(0.85):
        draw.tell("Discharge", "again-home", draw.now, status="discharged_home", **again)
        _answers(draw, 0.6)


def _death(draw: _Draw, common: dict[str, Any]) -> None:
    when = draw.now + draw.random.choice((-HOUR, HOUR, DAY, 3 * DAY))
    death = draw.tell("Discharge", "mors", when, status="deceased", **common)
    if draw.chance(0.4):
        told = {"status": "deceased", "cancels": death, "sent_at": when + 2 * HOUR}
        draw.tell("Discharge", "an-mors", when, lag=draw.random.choice((HOUR, DAY)), **common | told)


def _course(draw: _Draw) -> None:
    """A course of OPUS Young, STIME or one that nobody knows, from its beginning to an end, sometimes corrected."""
    programme = draw.random.choice(("opus-young", "opus-young", "stime", "stime", "unheard-of"))
    course: dict[str, Any] = {"programme": programme, "statement_id": draw.name("course")}
    began = draw.now - draw.random.choice((30, 300, 665, 720)) * DAY
    draw.tell("Enrolment", "active", began, lag=draw.now - began, status="active", status_at=began, **course)
    _consents(draw)
    draw.offered_about.append((draw.now, "aftercare"))
    draw.now += draw.random.choice((HOUR, DAY, 20 * DAY))
    if draw.chance(0.9):
        status = draw.random.choice(("completed", "dropped_out", "dropped_out", "referred_elsewhere"))
        ended = draw.tell("Enrolment", "ended", draw.now, status=status, status_at=draw.now, **course)
        _answers(draw, 0.8)
        if draw.chance(0.95):
            change: dict[str, Any] = {"status": draw.random.choice(("active", "completed", "dropped_out", "UNKNOWN"))}
            change |= draw.random.choice(({"revises": ended}, {"cancels": ended, "status": status}, {}))
            draw.tell("Enrolment", "corrected", draw.now + HOUR, status_at=draw.now + HOUR, **course | change)


def _referral(draw: _Draw) -> None:
    """A referral and what visitation says of it."""
    programme = draw.random.choice(("stime", "stime", "headspace"))
    referral: dict[str, Any] = {"programme": programme, "statement_id": draw.name("referral")}
    if draw.chance(0.5):
        draw.tell("Referral", "referred", draw.now - 5 * DAY, lag=0, status="active", **referral)
    decision = draw.random.choice(("rejected", "rejected", "rejected", "accepted", "forwarded", "re_prioritised"))
    first = draw.tell("Referral", "visitated", draw.now, decision=decision, reason_code="not_in_scope", **referral)
    draw.offered_about.append((draw.now, "aftercare"))
    _consents(draw)
    _answers(draw, 0.8)
    if draw.chance(0.9):
        change: dict[str, Any] = {"decision": draw.random.choice(("accepted", "rejected", "UNKNOWN"))}
        change |= draw.random.choice(
            ({"revises": first}, {"cancels": first, "decision": decision}, {"status": "revoked"})
        )
        draw.tell("Referral", "corrected", draw.now + 2 * HOUR, **referral | change)


def _bridging(draw: _Draw) -> None:
    """Programmes ask for bridging, up to three times within thirty days."""
    for turn in range(draw.random.choices((1, 2, 3), (60, 25, 15))[0]):
        draw.now += turn * draw.random.choice((2, 7, 12)) * DAY
        asker = draw.random.choice(("headspace", "headspace", "ungevaerftet"))
        site = draw.random.choice((None, "koebenhavn", "helsingoer"))
        draw.tell("Referral", "bridging", draw.now, referred_from=asker, status="proposed", bridging=True, site=site)
        draw.offered_about.append((draw.now, "bridging"))
        _consents(draw)
        _answers(draw, 0.7)


def _consents(draw: _Draw) -> None:
    """Consents about the latest thread: mostly one that fits, then what contradicts, narrows or ends it."""
    if draw.chance(0.06):
        return
    random = draw.random
    kind = draw.offered_about[-1][1] if draw.offered_about else "aftercare"
    base = draw.now + random.choice((-DAY, -DAY, -HOUR, -HOUR, 5 * MINUTE, 3 * HOUR, 2 * DAY, 6 * DAY))
    if draw.chance(0.06):
        base = draw.now - random.choice((364, 365, 366, 360)) * DAY
    names = [_consent(draw, base, kind, fits=draw.chance(0.75))]
    for _ in range(random.choices((0, 1, 2, 3), (50, 30, 14, 6))[0]):
        base += random.choice((0, 20_000, MINUTE, HOUR, DAY, 3 * DAY))
        if draw.chance(0.06):
            _correct(draw, base, names[-1])
        elif draw.chance(0.5):
            names.append(_consent(draw, base, random.choice((kind, kind, "plan")), fits=draw.chance(0.5)))
        else:
            _end(draw, base, kind, random.choice(names))


def _consent(draw: _Draw, when: int, kind: str, *, fits: bool) -> str:
    random = draw.random
    scope = random.choice(("anonymous", "anonymous", "named"))
    custody = random.choice(("UNKNOWN", "sole", "joint"))
    age = 15 if draw.born is None else (day_of_moment(when) - draw.born) // 365.25
    if age >= 15 or scope == "anonymous":
        givers: tuple[str, ...] = ("young_person",)
    else:
        custody = random.choice(("sole", "joint"))
        givers = ("custody_holder",) if custody == "sole" else ("custody_holder", "other_custody_holder")
    fields: dict[str, Any] = {"purpose": kind}
    if not fits:
        givers = random.choice(_GIVERS)
        fields = random.choice(
            ({"purpose": kind}, {"purpose": None, "receiver": random.choice(PROGRAMMES)}, {"purpose": "plan"})
        )
        fields = fields | ({"receiver": random.choice(PROGRAMMES)} if draw.chance(0.3) else {})
        fields["youth_unable"] = draw.chance(0.2)
    if draw.chance(0.05):
        fields["lapses_at"] = when + random.choice((HOUR, 2 * DAY, 30 * DAY))
    return _say_consent(draw, when, decision="given", given_by=givers, scope=scope, custody=custody, **fields)


def _correct(draw: _Draw, when: int, name: str) -> None:
    """The source corrects what it said of a consent, or takes it back as said by mistake."""
    said = next(step for step in draw.steps if step.name == name)  # type: ignore[union-attr]
    assert isinstance(said, Told)
    if draw.chance(0.4):
        change: dict[str, Any] = {"cancels": name}
    else:
        purpose = draw.random.choice(("aftercare", "plan", "bridging"))
        change = {
            "revises": name,
            "purpose": purpose,
            "decision": draw.random.choice(("given", "refused", "withdrawn")),
        }
    draw.steps.append(replace(said, at=when + draw.lag(), name=draw.name("correction"), fields=said.fields | change))


def _end(draw: _Draw, when: int, kind: str, name: str) -> str:
    """A refusal or a withdrawal, by whoever may or may not."""
    random = draw.random
    fields: dict[str, Any] = random.choice(
        ({"purpose": None}, {"purpose": None}, {"purpose": kind}, {"purpose": None, "receiver": "headspace"})
    )
    if draw.chance(0.4):
        fields["statement_id"] = name
    return _say_consent(
        draw,
        when,
        decision=random.choice(("withdrawn", "withdrawn", "refused")),
        given_by=random.choice(_GIVERS[:3] if draw.chance(0.8) else _GIVERS),
        scope=random.choice(("anonymous", "named")),
        custody=random.choice(("UNKNOWN", "sole", "joint")),
        **fields,
    )


_GIVERS = (
    ("young_person",),
    ("custody_holder",),
    ("other_custody_holder",),
    ("custody_holder", "other_custody_holder"),
    ("young_person", "custody_holder"),
)


def _say_consent(draw: _Draw, when: int, **fields: Any) -> str:
    if fields.get("custody") == "sole" and "other_custody_holder" in fields["given_by"]:
        fields["custody"] = "joint"  # no door takes another holder of a sole custody
    if draw.chance(0.08):
        day = day_of_moment(when)
        when, fields["occurred_on"] = midnight_of(day), draw.random.choice((None, day))
    return draw.tell("Consent", "consent", when, **fields)


def _answers(draw: _Draw, share: float) -> None:
    """Programmes answer: mostly what fits, from soon after the offer on, and on to the end."""
    when = draw.now + draw.random.choice((20 * MINUTE, 2 * HOUR, DAY))
    while draw.chance(share):
        mood = draw.random.random()
        draw.steps.append(Answer(when, draw.name("reply"), mood=mood))
        for _ in range(draw.random.choice((0, 0, 1, 2))):
            _answer_oddly(draw, when + draw.random.choice((30_000, 2 * MINUTE, 50 * MINUTE)))
        when += draw.random.choice((MINUTE, HOUR, DAY, DAY, 3 * DAY, 8 * DAY))
    if draw.chance(0.12):
        action = draw.random.choice(_ACTIONS)
        fields: dict[str, Any] = {"programme": draw.random.choice(PROGRAMMES)} if action == "offered" else {}
        fields |= {"reason_code": "moved_abroad"} if action == "closed" else {}
        at = draw.now + draw.random.choice((30 * MINUTE, DAY, 4 * DAY))
        back, number = draw.random.choice((0, 0, 0, 1)), draw.number()
        draw.steps.append(Act(at, draw.name("act"), action, back, number, fields))


def _answer_oddly(draw: _Draw, when: int) -> None:
    draw.steps.append(Answer(when, draw.name("odd"), mood=draw.random.random() * MOOD_OF_ODD))


def _move(draw: _Draw) -> None:
    for _ in range(draw.random.choice((1, 1, 2))):
        when = draw.now + draw.random.choice((-HOUR, 5 * MINUTE, HOUR, DAY))
        draw.tell("Person", "moved", when, municipality=draw.random.choice(_MUNICIPALITIES))


def _mischief(draw: _Draw) -> None:
    """What else happens: moves, letters, places, versions, erasure, repeats, conflicts, codes of a later release."""
    random = draw.random
    first, last = min(step.at for step in draw.steps), max(step.at for step in draw.steps)

    def somewhen() -> int:
        return random.randrange(first, last + DAY)

    if draw.chance(0.15):
        draw.now = somewhen()
        _move(draw)
    if draw.chance(0.08):
        category = random.choice(("psychiatry_social_disability", "regarding_referral", "home_care"))
        draw.tell("Correspondence", "letter", somewhen(), category=category)
    if draw.chance(0.07):
        site = random.choice((None, None, "helsingoer", "koebenhavn"))
        draw.steps.append(Places(somewhen(), random.choice(PROGRAMMES[:2]), site, random.choice((0, 0, 3))))
    if draw.chance(0.25):
        follower = "unik-recovery-young" if any(_is_followed(step) for step in draw.steps) else "headspace"
        programme = random.choice((*PROGRAMMES[:4], follower, follower))
        change = Change(somewhen(), random.choice(_CATALOGUE_CHANGES), programme)
        draw.steps.append(change)
    if draw.chance(0.03):
        number = draw.number()
        draw.steps.append(Act(somewhen(), draw.name("erase"), "erased", -1, number))
    _late_words(draw, somewhen)
    told = [step for step in draw.steps if isinstance(step, Told)]
    for _ in range(random.choices((0, 1, 3), (45, 38, 17))[0]):
        draw.steps.append(_odd(draw, random.choice(told)))


def _is_followed(step: Step) -> bool:
    return isinstance(step, Told) and step.fields.get("programme") == "opus-young"


def _late_words(draw: _Draw, somewhen: Callable[[], int]) -> None:
    """Answers that fit nothing, a pull of identity after a birthday, and a withdrawal of everything, when they come."""
    random, last = draw.random, max(step.at for step in draw.steps)
    if draw.chance(0.15):
        for _ in range(8):
            _answer_oddly(draw, somewhen())
    if draw.chance(0.12):
        giver = random.choice(("young_person", "young_person", "custody_holder"))
        scope = random.choice(("anonymous", "named"))
        _say_consent(draw, somewhen(), decision="withdrawn", given_by=(giver,), scope=scope, purpose=None)
    if draw.numbers > 1 and draw.chance(0.4):
        when = random.choice((somewhen(), last + HOUR, last + DAY))
        for scope in ("anonymous", "named"):
            givers = ("young_person", "custody_holder")
            fields = {"decision": "withdrawn", "given_by": givers, "scope": scope, "purpose": None}
            _say_consent(draw, when, **fields)
    if draw.born is not None:
        born = day_of(draw.born)
        birthday = midnight_of(days_of(date(born.year + 15, born.month, min(born.day, 28))))
        if birthday < last + 20 * DAY and birthday > min(step.at for step in draw.steps):
            for programme in PROGRAMMES[:3]:
                pull = Answer(birthday + 30 * HOUR, draw.name("pull"), programme, "identity_wanted")
                draw.steps.append(pull)


def _odd(draw: _Draw, step: Told) -> Step:
    """The same again, the same id with other content, or the like with a code that nobody knows."""
    later = step.at + draw.random.choice((0, MINUTE, HOUR, 2 * DAY))
    codes = [name for name in _CODES.get(step.model, ()) if step.fields.get(name) is not None]
    codes = [] if "cancels" in step.fields else codes
    if codes and draw.chance(0.4):
        code = draw.random.choice(codes)
        value: Any = ("UNKNOWN",) if code == "given_by" else "UNKNOWN"
        follows = draw.random.choice(({}, {"revises": step.name}))
        return replace(step, at=later, name=draw.name("later-release"), fields=step.fields | {code: value} | follows)
    if draw.chance(0.15):
        return replace(step, at=later, fields=step.fields | {"source": "sor:900000000000002"})
    return replace(step, at=later)


_CODES = {
    "Discharge": ("status",),
    "Enrolment": ("status",),
    "Referral": ("decision",),
    "Consent": ("decision", "given_by", "scope", "purpose"),
}
_THREADS: tuple[Callable[[_Draw], None], ...] = (_stay, _course, _referral, _bridging)
_WEIGHTS = (50, 20, 17, 13)
