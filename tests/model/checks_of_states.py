"""Checks of a whole history at a moment at which every signal has arrived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from schemas.codes import NeedKind, NoticeKind, StayStatus
from schemas.events import UNNUMBERED
from schemas.instants import days_of
from schemas.pathway import NEVER, Need
from schemas.programmes import Programme
from tests.model.ledger import Handed, Ledger, Needed
from tests.model.reference import ENDS, Statement, WhyNot, Wish, age_on, covers, is_carried_beyond_doubt, why_not
from tests.model.reference_needs import (
    DAY,
    LIVE,
    OF_CONSENT,
    PENDING,
    TAKEN,
    Fact,
    after_working_days,
    chain_of,
    in_hospital_since,
    is_dead,
    last_discharge,
    raises,
    standing,
)
from tests.model.steps import MINUTE, NUMBERS, day_of_moment, local_of, text_of
from tests.model.world import World

Found = Iterator[str]
_LATE = 2 * MINUTE
#: By then a stay without news holds nothing back any more, whatever days are no working days.
_MISSING = 75 * DAY
#: How long a programme that has told of no free places is passed over (P6).
_FULL = 28 * DAY + MINUTE
#: Five working days, over the longest holidays there are.
_RECEIPT = 16 * DAY


def one_live_handover_of_a_kind(ledger: Ledger, world: World) -> Found:
    """At most one handover of a kind is under way, over all needs and numbers of a person.

    What two programmes had taken over before their numbers were linked goes on.
    """
    for group in _groups(ledger):
        live = Counter(one.kind for one in ledger.live(group))
        taken = Counter(one.kind for one in ledger.live(group) if one.state in TAKEN)
        recent = any(fact.told_at > ledger.now - ledger.settle_max_ms - _LATE for fact in _links(ledger, group))
        for kind, count in live.items():
            if count > 1 and not (len(group) > 1 and (recent or taken[kind] == count)):
                states = sorted(f"{one.programme} {one.state}" for one in ledger.live(group) if one.kind == kind)
                yield f"{count} live handovers of {kind}: {', '.join(states)}"


def _groups(ledger: Ledger) -> set[frozenset[int]]:
    return {ledger.group(number) for number in range(len(NUMBERS)) if NUMBERS[number] in ledger.met_numbers}


def _links(ledger: Ledger, group: frozenset[int]) -> Iterator[Fact]:
    return (
        fact
        for fact in ledger.of(group)
        if fact.model == "Person" and (fact.event["linked_to"] or fact.event["unlinked_from"])
    )


def open_needs_have_owner_and_clock(ledger: Ledger, world: World) -> Found:
    """Every open need has an owner and a clock that will fire, but for one that a programme is in contact about."""
    for pathway in world.pathways.values():
        for need in pathway.needs:
            if need.state == "closed":
                continue
            mine = [one for one in pathway.handovers if one.need_id == need.need_id]
            in_contact = need.state == "taken_over" and any(one.state == "in_contact" for one in mine)
            clock = min([need.clock_at, *(one.clock_at for one in mine if one.state in LIVE)])
            if not need.owner:
                yield f"a need ({need.state}) has no owner"
            settling = pathway.next_due <= ledger.now + ledger.settle_max_ms
            if not in_contact and NEVER in (clock, pathway.next_due) and not settling:
                yield f"a need ({need.state}, {need.trigger}) has no clock"
            if not in_contact and clock < ledger.now:
                yield f"the clock of a need ({need.state}) ran out at {text_of(clock)} and nothing happened"


def what_goes_on_rests_on_a_consent(ledger: Ledger, world: World) -> Found:
    """What was ended under any number is recalled: every live handover rests on a consent that nobody has ended.

    Only what was given before it left carries it.
    """
    for one in ledger.handovers.values():
        if one.state in LIVE and len(ledger.births(one.number)) < 2 and not ledger.is_parted:
            reason = _why_ended(ledger, one, ledger.certain_consents(one.number))
            told = [fact for fact in ledger.widest(one.number) if fact.model == "Consent"]
            if reason and _why_ended(ledger, one, ledger.consents(told)):
                yield f"{one.state} at {one.programme} ({one.identity}) goes on: {reason}"


def _why_ended(ledger: Ledger, one: Handed, said: list[Statement]) -> WhyNot | None:
    known = [each if each.said_at <= one.left_at else _carrying_nothing(each) for each in said]
    reason = why_not(ledger.wish(one, ledger.now, under_way=True), known)
    return reason if reason in (WhyNot.ENDED, WhyNot.NO_CONSENT) else None


def _carrying_nothing(one: Statement) -> Statement:
    return one if one.decision in ENDS else replace(one, receiver="nobody")


def deaths_close_everything(ledger: Ledger, world: World) -> Found:
    """After a death every need is closed and every handover is withdrawn."""
    for group in _groups(ledger):
        facts = ledger.of(group)
        before = [fact for fact in facts if fact.told_at < ledger.now]
        if is_dead(facts, ledger.now) and is_dead(before, ledger.now):
            for one in ledger.live(group):
                yield f"{one.state} at {one.programme} goes on after a death"
            for number in group:
                for need in world.pathway(number).needs:
                    if need.state != "closed":
                        yield f"a need ({need.state}) is open after a death"


def discharges_become_needs(ledger: Ledger, world: World) -> Found:
    """A discharge home from psychiatry that settled has a need: open, taken over, or closed since with a reason."""
    for group in _groups(ledger):
        facts = ledger.of(group)
        latest = last_discharge(facts, ledger.catalogue.units, ledger.now, _missed(ledger))
        if latest is None or (ledger.erased and (ledger.linked or group & set(ledger.erased))):
            continue  # an erasure reaches every number that was linked then
        if len(group) == 1 and ledger.linked:
            continue
        plans = [fact for fact in facts if fact.event.get("status") == StayStatus.DISCHARGE_PLANNED]
        mine = [one for one in ledger.needs.values() if one.number in group and one.need.kind == NeedKind.AFTERCARE]
        ended = any(one.need.reason_code in OF_CONSENT and one.closed_by != "Reply" for one in mine)
        about_plan = [one for one in mine if one.need.trigger == "discharge_planned" and not _was_taken(ledger, one)]
        if (plans and about_plan) or ended:
            continue  # a plan's need, and one that want of consent has closed, may be the discharge's: closed before it
        told = max(fact.told_at for fact in facts)
        old = latest.event["occurred_at"] < told - 100 * DAY or told < ledger.now - 300 * DAY
        settled_at = max(told, ledger.signal_at) + ledger.settle_max_ms + _LATE
        if old or ledger.now < settled_at or dead_ever(ledger, group):
            continue
        same = [fact for fact in facts if _tells_the_same(fact, latest)]
        since = min(fact.told_at for fact in ([*chain_of(latest, facts), *same] if len(group) == 1 else facts))
        if not any(one.live_at >= since or one.first_at >= since for one in mine):
            yield f"the discharge of {text_of(latest.event['occurred_at'])} has no need"


def _tells_the_same(fact: Fact, latest: Fact) -> bool:
    """Tells whether a statement, which may have been taken back, told the end of that day, too (S5)."""
    event, other = fact.event, latest.event
    one_episode = {event.get("episode_id"), other["episode_id"], UNNUMBERED}
    one_day = day_of_moment(event["occurred_at"]) == day_of_moment(other["occurred_at"])
    return event.get("status") == other["status"] and one_day and len(one_episode) <= 2


def _was_taken(ledger: Ledger, one: Needed) -> bool:
    """Tells whether a programme had taken over: what is only planned then is a need of its own (T7)."""
    mine = (handed for handed in ledger.handovers.values() if one.need.need_id in handed.need_ids)
    return any(reason == "accepted" for handed in mine for _, reason, _ in handed.told)


def _missed(ledger: Ledger) -> list[int]:
    return [when for when, fields in ledger.notices if fields["kind"] == NoticeKind.STAY_END_MISSING]


def dead_ever(ledger: Ledger, group: frozenset[int]) -> bool:
    return any(fact.event.get("status") == StayStatus.DECEASED for fact in ledger.of(group))


def readmissions_hold_offers_back(ledger: Ledger, world: World) -> Found:
    """An offer of a discharge that waits for its answer is withdrawn once Y is in hospital again."""
    for one in ledger.handovers.values():
        waits = one.state in ("offered", "waitlisted") and one.trigger == "discharge"
        if not waits or len(ledger.group(one.number)) > 1:
            continue
        admission = in_hospital_since(ledger.of(frozenset({one.number})), ledger.catalogue.units, ledger.now)
        if admission is not None and ledger.now > admission.told_at + ledger.settle_max_ms + _LATE:
            yield f"{one.state} at {one.programme} although in hospital since {text_of(admission.event['occurred_at'])}"


def consents_are_heeded(ledger: Ledger, world: World) -> Found:
    """A need doesn't wait for a consent while one in force carries an offer that a programme would take."""
    for known in ledger.needs.values():
        need = _now(world, known)
        if need is None or need.state != "awaiting_consent" or _held_back(ledger, known.number):
            continue
        statements, born = ledger.certain_consents(known.number), ledger.born(known.number)
        homes = ledger.homes(known.number)
        if (
            born is None
            or len(homes) != 1
            or any(need.kind == one.kind for one in ledger.live(ledger.group(known.number)))
        ):
            continue
        for one in ledger.catalogue.programmes.values():
            asked = any(fact.event.get("referred_from") == one.programme_id for fact in ledger.widest(known.number))
            passed_over = asked or one.programme_id in need.tried or _is_full(world, one.programme_id, ledger.now)
            if passed_over or not _fits(one, need, min(homes), born, ledger.now):
                continue
            for how in one.identity:
                wish = Wish(need.kind, one.programme_id, how, ledger.now, one.lowest_age, born)
                carried = is_carried_beyond_doubt(wish, statements)
                if carried and _settled_consent(ledger, known.number, wish):
                    yield f"a need waits for consent although {one.programme_id} may be told of it ({how})"


def _is_full(world: World, programme: str, now: int) -> bool:
    """Tells whether a programme may be passed over: it, or a site of its, has no free places (P6), for four weeks."""
    told = [place for name, place in world.places.items() if name.partition("/")[0] == programme]
    return any(free == 0 and now <= at + _FULL for free, at in told)


def _now(world: World, known: Needed) -> Need | None:
    return next((one for one in world.pathway(known.number).needs if one.need_id == known.need.need_id), None)


def _held_back(ledger: Ledger, number: int) -> bool:
    """Tells whether anything may hold an offer back that is no consent: a stay that is open or unclear, acts, links."""
    steps = [fact for fact in ledger.of(ledger.group(number)) if fact.model == "Discharge"]
    unclear = bool(steps) and last_discharge(steps, ledger.catalogue.units, ledger.now, _missed(ledger)) is None
    recent = any(fact.told_at > ledger.now - ledger.settle_max_ms - _LATE for fact in ledger.facts)
    links = [fact for fact in ledger.facts if fact.model == "Person" and fact.event["linked_to"]]
    joining = ledger.is_parted or any(fact.told_at > ledger.now - DAY for fact in links)
    return unclear or recent or bool(ledger.acts) or joining or number in ledger.erased


def _settled_consent(ledger: Ledger, number: int, wish: Wish) -> bool:
    """Tells whether no consent that bears on a wish is dated so near that the next clock hasn't told of it yet."""
    bearing = (one for one in ledger.certain_consents(number) if covers(one, wish))
    return all(one.said_at < ledger.now - DAY for one in bearing)


def _fits(one: Programme, need: Need, home: str, born: int, now: int) -> bool:
    today = days_of(local_of(now).date())
    valid = one.valid_from <= today <= (one.valid_to or today)
    ages = one.lowest_age <= age_on(born, today) <= one.highest_age
    plain = not one.only_courses and one.adviser_weekday is None and one.receiver == "programme"
    return plain and valid and ages and need.kind in one.kinds and need.trigger in one.triggers and home in one.sites


def offers_expire(ledger: Ledger, world: World) -> Found:
    """An offer that nobody answers is reminded of and ends, each after its working days."""
    for one in ledger.handovers.values():
        offered_at = one.offered_at
        if offered_at is None or one.terms is None or one.appointment or _touched(one):
            continue
        closed = ledger.catalogue.holidays | one.terms.closed_at(None)
        remind = after_working_days(offered_at, one.terms.remind_working_days, closed)
        expire = after_working_days(offered_at, one.terms.reply_working_days, closed)
        yield from _wrong_times(one, remind, expire, ledger.now)


def _wrong_times(one: Handed, remind: int, expire: int, now: int) -> Found:
    ends = [when for statement, _, when in one.told if statement in ("withdrawn", "reply_accepted")]
    reminded = [when for statement, _, when in one.told if statement == "reminded"]
    expired = [when for statement, reason, when in one.told if (statement, reason) == ("withdrawn", "expired")]
    over, offered = min([*ends, now]), f"offered to {one.programme} at {text_of(one.offered_at or 0)}"
    if remind < over and reminded[:1] != [remind]:
        yield f"{offered}, reminded {[*map(text_of, reminded)]}, not {text_of(remind)}"
    if expire < over or (expired and expired != [expire]):
        yield f"{offered}, ended {[*map(text_of, expired)]}, not {text_of(expire)}"


def _touched(one: Handed) -> bool:
    """Tells whether something moved the clocks of an offer: a waiting list, an update."""
    return any(
        statement in ("updated", "announced") or reason in ("waitlisted", "accepted")
        for statement, reason, _ in one.told
    ) or one.state in ("waitlisted", *TAKEN)


def first_contact_is_asked_for(ledger: Ledger, world: World) -> Found:
    """An accepted handover without a first contact is reminded of, or a person told, after the programme's days.

    While Y may be in hospital nobody is, and afterwards from the next working day on (S11).
    """
    for one in ledger.handovers.values():
        days = one.terms.first_contact_days if one.terms else 0
        if one.state != "accepted" or not days or one.appointment:
            continue
        late = one.since + (days + 8) * DAY
        said = [when for statement, _, when in one.told if statement == "reminded" and when >= one.since]
        about = {one.handover_id, *one.need_ids}
        said += [when for when, notice in ledger.notices if notice["subject"] in about and when >= one.since]
        steps = [fact for fact in ledger.widest(one.number) if fact.model == "Discharge"]
        heard_at = max((fact.told_at for fact in steps if one.kind != NeedKind.BRIDGING), default=0)
        in_doubt = (
            ledger.is_parted or last_discharge(steps, ledger.catalogue.units, ledger.now, _missed(ledger)) is None
        )
        late = max(late, heard_at + (_MISSING if in_doubt else 8 * DAY))
        if ledger.now > late and not said:
            yield f"accepted by {one.programme} at {text_of(one.since)}, and nobody asks for the first contact"


def moves_are_heeded(ledger: Ledger, world: World) -> Found:
    """What waits for an answer was told with the municipality where Y lives now (H11)."""
    for one in ledger.handovers.values():
        home = ledger.home(one.number)
        if one.state in PENDING and None not in (home, one.municipality) and home != one.municipality:
            yield f"{one.state} at {one.programme} for {one.municipality}, and Y lives in {home}"


def people_decide_where_somebody_lives(ledger: Ledger, world: World) -> Found:
    """What a person has to decide is with the owner of the municipality where Y lives now (N2)."""
    for known in ledger.needs.values():
        need, home = _now(world, known), ledger.home(known.number)
        if need is None or need.state != "with_person" or home is None or ledger.linked or ledger.acts:
            continue
        if any(fact.told_at > ledger.now - ledger.settle_max_ms - _LATE for fact in ledger.facts):
            continue  # what is settling is decided when it has
        owners = {catalogue.owner_of(home) for catalogue in ledger.versions.values()}
        if need.owner not in owners:
            yield f"a need ({need.reason_code}) is with {need.owner}, and Y lives in {home}"


def receipts_are_waited_for(ledger: Ledger, world: World) -> Found:
    """A person hears of a receipt of deletion that is missing after five working days (H30); after a death nobody."""
    acts = {number for _, number, _ in ledger.acts}
    for one in ledger.handovers.values():
        group = ledger.group(one.number)
        if not one.is_recalled or ledger.now < one.since + _RECEIPT or acts & group or dead_ever(ledger, group):
            continue
        about = {one.handover_id, *one.need_ids}
        kind = NoticeKind.DELETION_OVERDUE
        if not any(fields["kind"] == kind and fields["subject"] in about for _, fields in ledger.notices):
            yield f"recalled from {one.programme} at {text_of(one.since)}, and nobody waits for its receipt"


def bridgings_wait_for_no_stay(ledger: Ledger, world: World) -> Found:
    """A wish to bridge goes on while Y is in hospital: stays hold aftercare and plans back."""
    for known in ledger.needs.values():
        if known.need.kind == NeedKind.BRIDGING and known.need.state == "in_hospital":
            yield "a bridging waits for a stay's end"


def void_triggers_raise_nothing(ledger: Ledger, world: World) -> Found:
    """No need is open, but for what a programme has taken over, of which nothing stands that could raise it (N35)."""
    if ledger.linked or ledger.acts:
        return
    for known in ledger.needs.values():
        need = _now(world, known)
        if need is None or need.state in ("closed", "taken_over"):
            continue
        facts = ledger.of(frozenset({known.number}))
        if not any(raises(fact, need.kind) for fact in standing(facts)):
            yield f"a need ({need.state}, {need.trigger}) is open, and nothing that stands raises {need.kind}"


def links_hold_for_good(ledger: Ledger, world: World) -> Found:
    """Nobody's numbers come apart but by a word (I3): no age of a link ends anything."""
    for pathway in world.pathways.values():
        for need in pathway.needs:
            if need.reason_code == "unlinked" and not ledger.is_parted:
                yield "a need is closed as unlinked, and nobody said so"
        number = NUMBERS.index(pathway.youth_id)
        links = [fact for fact in ledger.facts if fact.number == number and fact.model == "Person"]
        linked = any(fact.event["linked_to"] for fact in links) and number not in ledger.erased
        if (
            linked
            and not ledger.is_parted
            and not ledger.erased
            and pathway.merged_into is None
            and not _circular(ledger)
        ):
            yield "a number that was replaced stands by itself again, and nobody said so"


def _circular(ledger: Ledger) -> bool:
    replaced = {fact.number for fact in ledger.facts if fact.model == "Person" and fact.event["linked_to"]}
    return len(replaced) == len(NUMBERS)


STATE_CHECKS: tuple[Callable[[Ledger, World], Found], ...] = (
    one_live_handover_of_a_kind,
    open_needs_have_owner_and_clock,
    what_goes_on_rests_on_a_consent,
    deaths_close_everything,
    discharges_become_needs,
    readmissions_hold_offers_back,
    consents_are_heeded,
    offers_expire,
    first_contact_is_asked_for,
    moves_are_heeded,
    people_decide_where_somebody_lives,
    receipts_are_waited_for,
    void_triggers_raise_nothing,
    links_hold_for_good,
    bridgings_wait_for_no_stay,
)
