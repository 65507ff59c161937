"""Whatever young people and the adviser do: a slot is booked where, and only where, an offer holds it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.bookings import decode_bookings
from schemas.codec import codec
from schemas.events import Intervention, Reply
from schemas.instants import days_of
from schemas.internal import Intake
from schemas.signals import SlotAnswer, SlotWanted, decode_signal
from streams.domain.work import LIVE_HANDOVERS
from tests.agents.test_signals import BEGINS, MONDAY, SETTLED, a_town, a_youth, about, bridging, consents, of_copenhagen
from tests.agents.town import Town
from tests.domain.story import a_consent, a_person, header

_YOUTHS = st.integers(1, 7)
_ACTS = st.one_of(
    st.tuples(st.just("ask"), _YOUTHS),
    st.tuples(st.just("ask"), _YOUTHS),
    st.tuples(st.sampled_from(("withdraw", "agree", "move", "erase")), _YOUTHS),
    st.tuples(st.sampled_from(("accepted", "declined", "ended", "first_contact", "fulfilled")), _YOUTHS),
    st.tuples(st.just("wait"), st.sampled_from((0, 1, 20, 60, 200))),
)


@given(st.lists(_ACTS, max_size=40), st.sampled_from((1, 3)))
def test_bookings_and_offers_say_the_same(acts: list[tuple[str, int]], partitions: int) -> None:
    town, now = a_town(partitions), MONDAY
    for number in range(1, 8):
        town.tell(BEGINS, *about(number, of_copenhagen(), consents()))
    for step, (act, number) in enumerate(acts):
        now += timedelta(minutes=7)
        if act == "wait":
            now += timedelta(hours=number)
            town.wait_until(now)
        else:
            town.tell(now, *_events(town, act, number, step, now))
    town.wait_until(now := now + SETTLED)

    today = days_of(now.date())
    assert booked(town, today) == offered(town, today)
    assert all(len(holders) <= 4 for holders in days_of_bookings(town).values())
    for pathway in town.pathways():
        assert all(need.state == "closed" or need.owner for need in pathway.needs)


def _events(town: Town, act: str, number: int, step: int, now: Any) -> list[Any]:
    name = f"{act}-{step}"
    match act:
        case "ask":
            return about(number, bridging(now, name))
        case "withdraw" | "agree":
            decision = "withdrawn" if act == "withdraw" else "given"
            return about(number, a_consent(name, now, purpose="bridging", decision=decision))
        case "move":
            return about(number, a_person(name, municipality=("0175", "0101")[step % 2], occurred_at=now))
        case "erase":
            fields = {"action": "erased", "actor": "operations", "role": "operations"}
            base = header(name, now, youth_id=a_youth(number), subject=a_youth(number))
            return [Intervention.model_validate(base | fields)]
        case _:
            return _answer(town, act, number, name, now)


def _answer(town: Town, status: str, number: int, name: str, now: Any) -> list[Reply]:
    handovers = town.pathway(a_youth(number)).handovers
    if not handovers:
        return []
    base = header(name, now, youth_id=a_youth(number), subject=handovers[-1].handover_id)
    fields = {"programme": "psykinfo-adviser", "status": status, "reason_code": "other"}
    return [Reply.model_validate(base | {"source": "psykinfo-adviser"} | fields)]


def days_of_bookings(town: Town) -> dict[tuple[str, int], list[str]]:
    return {
        (site, day): holders
        for value in town.state(b"\x00bookings/psykinfo-adviser")
        for site, days in decode_bookings(value).items()
        for day, holders in days.items()
    }


def booked(town: Town, today: int) -> set[tuple[str, int, str]]:
    return {
        (site, day, holder.rpartition("/")[0])
        for (site, day), holders in days_of_bookings(town).items()
        for holder in holders
        if day > today
    }


def offered(town: Town, today: int) -> set[tuple[str, int, str]]:
    return {
        (one.site or "", one.appointment_on, one.need_id)
        for pathway in town.pathways()
        for one in pathway.handovers
        if one.state in LIVE_HANDOVERS and one.appointment_on is not None and one.appointment_on > today
    }


def test_the_machine_sees_signals_at_all() -> None:
    town = a_town()
    town.tell(BEGINS, *about(1, of_copenhagen(), consents()))
    town.tell(MONDAY, *about(1, bridging(MONDAY)))
    town.wait_until(MONDAY + SETTLED)
    bodies = [codec(Intake).decode_raw(one.value or b"")["body"] for log in town.logs for one in log]
    signals = [decode_signal(event["content"]) for name, event in bodies if name.endswith(".Signal")]

    assert {type(one) for one in signals} == {SlotWanted, SlotAnswer}
    assert booked(town, 0) == offered(town, 0) != set()
