"""Capacity, as a young person's pathway sees it: programmes that are full, and slots asked for and given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.identifiers import derived_text
from schemas.pathway import Need, Slot, replace
from schemas.signals import SignalContent, SlotAnswer, SlotGivenBack, SlotWanted, encode_signal, signal_kind
from streams.domain.calendar import after_days, local_day
from streams.domain.work import SIGNALS, Emission, Work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.programmes import Programme

NO_SLOT = "no_free_slot"
NO_PLACES = "no_free_places"
#: After so many days a programme that had no slot is asked again, and one that told of no free places isn't believed.
_ASKED_AGAIN_DAYS = 7
_BELIEVED_DAYS = 28


def full_now(work: Work, need: Need) -> Mapping[str, str]:
    """Returns which programmes can't take the need now for want of capacity, and why."""
    programmes = work.catalogue.programmes if work.catalogue.places else {}
    full = {
        name: NO_PLACES
        for name, programme in programmes.items()
        if _has_no_places(work, name, programme.sites.get(work.derived.municipality or ""))
    }
    slot = need.slot
    if slot is not None and slot.answered_at is not None and slot.day is None:
        again_at = after_days(slot.answered_at, _ASKED_AGAIN_DAYS)
        if work.now < again_at:
            work.wake_at(again_at)
            full[slot.programme] = NO_SLOT
    return full


def full_then(need: Need) -> Mapping[str, str]:
    """Returns which programmes were full when the need was decided: capacity moves no offer that has left."""
    return {one.programme: one.outcome for one in need.options if one.outcome in (NO_SLOT, NO_PLACES)}


def has_slot(work: Work, need: Need, programme: Programme) -> bool:
    """Tells whether a programme can be offered the need: it sees people whenever, or has given a slot to come."""
    if programme.slots_a_day is None:
        return True
    return appointment_on(work, need, programme) is not None


def appointment_on(work: Work, need: Need, programme: Programme) -> int | None:
    """Returns the day on which a programme that sees people by the day sees this one, or None."""
    slot = need.slot
    if programme.slots_a_day is None or slot is None or slot.day is None or slot.day <= local_day(work.now):
        return None
    return slot.day if (slot.programme, slot.site) == (programme.programme_id, _site(work, programme)) else None


def ask_for_slot(work: Work, need: Need, programme: Programme) -> None:
    """Asks a programme for its next free slot, once; what another gave before goes back."""
    slot, site = need.slot, _site(work, programme)
    if slot is not None and (slot.programme, slot.site, slot.answered_at) == (programme.programme_id, site, None):
        return
    if slot is not None:
        _return(work, need.need_id, slot)
    number = 1 if slot is None else slot.number + 1
    asked = Slot(programme.programme_id, site, number)
    work.change(need, slot=asked)
    wanted = SlotWanted(work.pathway.youth_id, need.need_id, number, programme.programme_id, site, local_day(work.now))
    _write(work, programme.programme_id, need.need_id, number, wanted)


def take_answer(work: Work, answer: SlotAnswer) -> None:
    """Keeps a slot that was given, or gives it back at once where nobody waits for it any more."""
    need = work.needs.get(answer.need_id)
    slot = None if need is None else need.slot
    if need is not None and slot is not None and slot.number == answer.number and slot.answered_at is None:
        work.change(need, slot=replace(slot, answered_at=work.now, day=answer.day))
    else:
        _return(work, answer.need_id, Slot(answer.programme, answer.site, answer.number, work.now, answer.day))


def give_back_slots(work: Work) -> None:
    """Gives back every slot whose need isn't with its programme, so that others may have it."""
    for need in list(work.needs.values()):
        slot = need.slot
        if slot is None or slot.day is None:
            continue
        live = work.live_handover(need)
        if live is None or live.programme != slot.programme:
            _return(work, need.need_id, slot)
            work.change(need, slot=replace(slot, programme="", day=None))


def renumbered_slot(work: Work, need: Need, known: Need | None) -> Slot | None:
    """Returns the slot of a need that takes on another id: what it held or asked for goes back, counted on."""
    numbers = [one.slot.number for one in (need, known) if one is not None and one.slot is not None]
    if need.slot is not None:
        _return(work, need.need_id, need.slot)
    return Slot("", "", max(numbers), work.now) if numbers else None


def _site(work: Work, programme: Programme) -> str:
    return programme.sites.get(work.derived.municipality or "") or ""


def _has_no_places(work: Work, programme: str, site: str | None) -> bool:
    told = work.catalogue.places.get(f"{programme}/{site or ''}") or work.catalogue.places.get(f"{programme}/")
    if told is None or told[0] != 0:
        return False
    believed_until = after_days(told[1], _BELIEVED_DAYS)
    if work.now < believed_until:
        work.wake_at(believed_until)
    return work.now < believed_until


def _return(work: Work, need_id: str, slot: Slot) -> None:
    """Gives a slot back, unless there is none or its day is over."""
    if slot.day is not None and slot.day > local_day(work.now):
        returned = SlotGivenBack(need_id, slot.number, slot.programme, slot.site, slot.day)
        _write(work, slot.programme, need_id, slot.number, returned)


def _write(work: Work, to: str, need_id: str, number: int, content: SignalContent) -> None:
    kind = signal_kind(content)
    event_id = derived_text("signal", need_id, str(number), kind)
    header = work.header(event_id, need_id, need_id, None) | {"youth_id": None}
    own = {"topic": kind, "need_kind": None, "content": encode_signal(content), "to": to}
    work.said.append(Emission(SIGNALS, header | own))
