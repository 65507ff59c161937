"""Draws histories by seed: every kind of event, mixed, late, repeated and out of order.

A history is a few *threads* (a stay, a course, a referral …) about one person, consents that mostly fit them, answers
and decisions that mostly fit what was offered, and then mischief: repeats, conflicts, codes of a later release, delays.
Weights lean to what leads somewhere, so that deep states are met often.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

from schemas.instants import date_of, days_of
from tests.model.draws import PROGRAMMES, Draw, answer_oddly, draw_answers
from tests.model.draws_of_consents import draw_consents, say_consent
from tests.model.draws_of_moments import MOMENTS
from tests.model.draws_of_stays import draw_stay
from tests.model.steps import (
    DAY,
    HOUR,
    MINUTE,
    NUMBERS,
    Act,
    Answer,
    Change,
    History,
    Places,
    Step,
    Told,
    midnight_of,
)

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
_MUNICIPALITIES = ("0217",) * 8 + ("0101",) * 5 + ("0751",) * 2 + ("0175", "0360", "0740")
_CATALOGUE_CHANGES = (
    ("without",) * 3
    + ("older", "named_only", "fewer_triggers", "slower", "elsewhere", "back")
    + ("settle_longer", "settle_shorter", "unit_known", "unit_somatic", "owners_gone", "back")
)


def draw_history(seed: int) -> History:
    """Returns the history of a seed."""
    random = Random(seed)
    day = random.choice(_ODD_DAYS) if random.random() < 0.25 else random.randrange(_FIRST, _LAST)
    now = midnight_of(day) + random.choice((2, 9, 10, 10, 13, 15, 23)) * HOUR + random.randrange(0, 60) * MINUTE
    draw = Draw(random, now, _birth(random, day))
    draw.numbers = random.choices((1, 2, 3), (80, 18, 2))[0]
    _people(draw)
    for _ in range(random.choices((1, 2, 3), (55, 33, 12))[0]):
        random.choices(_THREADS, _WEIGHTS)[0](draw)
        if draw.chance(0.12):
            draw.now += random.choice((30, 60, 180, 300, 370, 410, 480)) * DAY
    _mischief(draw)
    delays = random.choices(((0,), (0, 5 * MINUTE), (30 * MINUTE, 0, 3 * HOUR), (2 * DAY,)), (70, 14, 10, 6))[0]
    if draw.chance(0.2):
        random.choice(MOMENTS)(draw)
    steps = sorted(draw.steps, key=lambda step: step.at)
    return History(tuple(steps), seed, delays, 760 if seed % 5 == 0 else 40)


def _birth(random: Random, day: int) -> int | None:
    """Returns a birth day: ages 3 to 19, most where programmes are, often just before a birthday that counts."""
    if random.random() < 0.02:
        return None
    if random.random() < 0.3:
        age, ahead = random.choice((12, 13, 15, 15, 15, 18, 18)), random.choice((0, 1, 2, 3, 5, 9, 30))
        born = date_of(day + ahead)
        return days_of(date(born.year - age, born.month, min(born.day, 28)))
    age = random.choice((3, 7, 10, 11, 12, 13, 13, 14, 14, 14, 14, 15, 15, 16, 16, 16, 17, 17, 18, 19))
    born = date_of(day - random.randrange(0, 365))
    return days_of(date(born.year - age, born.month, born.day if (born.month, born.day) != (2, 29) else 28))


def _people(draw: Draw) -> None:
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


def _link(draw: Draw, number: int) -> None:
    """Number ``number - 1`` is replaced by ``number``; sometimes that is undone, sometimes done again."""
    when = draw.now + draw.random.choice((-DAY, -DAY, -DAY, 5 * MINUTE, HOUR, DAY, 3 * DAY, 40 * DAY))
    other, old = NUMBERS[number], number - 1
    undone = draw.random.choices((0, 1, 2), (70, 24, 6))[0]
    for turn in range(undone + 1):
        fields = {"occurred_at": when, "unlinked_from" if turn % 2 else "linked_to": other}
        draw.steps.append(Told(when + draw.lag(), "Person", draw.name("link"), fields, old))
        when += draw.random.choice((20 * MINUTE, 2 * HOUR, 3 * DAY, 30 * DAY))


def _course(draw: Draw) -> None:
    """A course of OPUS Young, STIME or one that nobody knows, from its beginning to an end, sometimes corrected."""
    programme = draw.random.choice(("opus-young", "opus-young", "stime", "stime", "unheard-of"))
    course: dict[str, Any] = {"programme": programme, "subject": draw.name("course")}
    began = draw.now - draw.random.choice((30, 300, 665, 720)) * DAY
    draw.tell("Enrolment", "active", began, lag=draw.now - began, status="active", status_at=began, **course)
    draw_consents(draw)
    draw.offered_about.append((draw.now, "aftercare"))
    draw.now += draw.random.choice((HOUR, DAY, 20 * DAY))
    if draw.chance(0.9):
        status = draw.random.choice(("completed", "dropped_out", "dropped_out", "referred_elsewhere"))
        ended = draw.tell("Enrolment", "ended", draw.now, status=status, status_at=draw.now, **course)
        draw_answers(draw, 0.8)
        if draw.chance(0.95):
            change: dict[str, Any] = {"status": draw.random.choice(("active", "completed", "dropped_out", "UNKNOWN"))}
            change |= draw.random.choice(({"revises": ended}, {"cancels": ended, "status": status}, {}))
            draw.tell("Enrolment", "corrected", draw.now + HOUR, status_at=draw.now + HOUR, **course | change)
        if draw.chance(0.5):
            _once_more(draw, "Enrolment", course, {"status": "active"}, {"status": status})


def _once_more(draw: Draw, model: str, about: dict[str, Any], goes_on: dict[str, str], ends: dict[str, str]) -> None:
    """What has ended goes on under the same id, and ends again; that it went on may be told last."""
    late = draw.random.choice((None, 6 * DAY, 70 * DAY))
    for kind, what, lag in (("again", goes_on, late), ("ended-again", ends, None)):
        draw.now += draw.random.choice((3 * HOUR, 5 * DAY, 60 * DAY))
        draw.tell(model, kind, draw.now, lag, status_at=draw.now, **about | what)
        draw.offered_about.append((draw.now, "aftercare"))
    draw_answers(draw, 0.8)


def _referral(draw: Draw) -> None:
    """A referral and what visitation says of it."""
    programme = draw.random.choice(("stime", "stime", "headspace"))
    referral: dict[str, Any] = {"programme": programme, "subject": draw.name("referral")}
    if draw.chance(0.5):
        draw.tell("Referral", "referred", draw.now - 5 * DAY, lag=0, status="active", **referral)
    decision = draw.random.choice(("rejected", "rejected", "rejected", "accepted", "forwarded", "re_prioritised"))
    first = draw.tell("Referral", "visitated", draw.now, decision=decision, reason_code="not_in_scope", **referral)
    draw.offered_about.append((draw.now, "aftercare"))
    draw_consents(draw)
    draw_answers(draw, 0.8)
    if draw.chance(0.9):
        change: dict[str, Any] = {"decision": draw.random.choice(("accepted", "rejected", "UNKNOWN"))}
        change |= draw.random.choice(
            ({"revises": first}, {"cancels": first, "decision": decision}, {"status": "revoked"})
        )
        draw.tell("Referral", "corrected", draw.now + 2 * HOUR, **referral | change)
    if draw.chance(0.5):
        _once_more(draw, "Referral", referral | {"status": "active"}, {}, {"decision": "rejected"})


def _bridging(draw: Draw) -> None:
    """Programmes ask for bridging, up to three times within thirty days."""
    for turn in range(draw.random.choices((1, 2, 3), (60, 25, 15))[0]):
        draw.now += turn * draw.random.choice((2, 7, 12)) * DAY
        asker = draw.random.choice(("headspace", "headspace", "ungevaerftet"))
        site = draw.random.choice((None, "koebenhavn", "helsingoer"))
        draw.tell("Referral", "bridging", draw.now, referred_from=asker, status="proposed", bridging=True, site=site)
        draw.offered_about.append((draw.now, "bridging"))
        draw_consents(draw)
        draw_answers(draw, 0.7)


def _move(draw: Draw) -> None:
    for _ in range(draw.random.choice((1, 1, 2))):
        when = draw.now + draw.random.choice((-HOUR, 5 * MINUTE, HOUR, DAY))
        draw.tell("Person", "moved", when, municipality=draw.random.choice(_MUNICIPALITIES))


def _mischief(draw: Draw) -> None:
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


def _late_words(draw: Draw, somewhen: Callable[[], int]) -> None:
    """Answers that fit nothing, a pull of identity after a birthday, and a withdrawal of everything, when they come."""
    random, last = draw.random, max(step.at for step in draw.steps)
    if draw.chance(0.15):
        for _ in range(8):
            answer_oddly(draw, somewhen())
    if draw.chance(0.12):
        giver = random.choice(("young_person", "young_person", "custody_holder"))
        scope = random.choice(("anonymous", "named"))
        say_consent(draw, somewhen(), decision="withdrawn", given_by=(giver,), scope=scope, purpose=None)
    if draw.numbers > 1 and draw.chance(0.4):
        when = random.choice((somewhen(), last + HOUR, last + DAY))
        for scope in ("anonymous", "named"):
            givers = ("young_person", "custody_holder")
            fields = {"decision": "withdrawn", "given_by": givers, "scope": scope, "purpose": None}
            say_consent(draw, when, **fields)
    if draw.born is not None:
        born = date_of(draw.born)
        birthday = midnight_of(days_of(date(born.year + 15, born.month, min(born.day, 28))))
        if birthday < last + 20 * DAY and birthday > min(step.at for step in draw.steps):
            for programme in PROGRAMMES[:3]:
                pull = Answer(birthday + 30 * HOUR, draw.name("pull"), programme, "identity_wanted")
                draw.steps.append(pull)


def _odd(draw: Draw, step: Told) -> Step:
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
_THREADS: tuple[Callable[[Draw], None], ...] = (draw_stay, _course, _referral, _bridging)
_WEIGHTS = (50, 20, 17, 13)
