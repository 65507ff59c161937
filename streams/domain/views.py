"""The slim public view of a pathway, written whenever what it shows has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.facts import digest64
from schemas.identifiers import derived_text
from schemas.pathway import NEVER, Handover, Need
from streams.domain.stays import is_psychiatric
from streams.domain.work import Emission, Work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.domain.stays import Stay


def show(work: Work) -> int:
    """Says the pathway's view where it differs from the last one said; returns its digest."""
    in_scope = [stay for stay in work.derived.stays.stays if is_psychiatric(stay, work.catalogue.units) is not False]
    stays = [(stay.started_at, stay.ended_at, stay.on_leave, stay.deceased) for stay in in_scope]
    if not stays and not work.needs and not work.pathway.shown:
        return 0
    whole = (work.age_band(), work.derived.municipality, stays, [*work.needs.values()], [*work.handovers.values()])
    digest = digest64(whole)
    if digest != work.pathway.shown:
        youth_id = work.pathway.youth_id
        event_id = derived_text("view", youth_id, str(digest))
        header = work.header(event_id, youth_id, event_id, None)
        work.said.append(Emission("pathways", header | _view(work, in_scope)))
    return digest


def _view(work: Work, stays: Sequence[Stay]) -> dict[str, Any]:
    return {
        "age_band": work.age_band(),
        "municipality": work.derived.municipality,
        "stays": [_stay(stay) for stay in stays],
        "needs": [_need(need, work.live_handover(need)) for need in work.needs.values()],
        "handovers": [_handover(one) for one in work.handovers.values()],
    }


def _stay(stay: Stay) -> dict[str, Any]:
    state = "deceased" if stay.deceased else "ended" if stay.ended_by else "on_leave" if stay.on_leave else "open"
    return {"started_at": stay.started_at, "ended_at": stay.ended_at, "state": state}


def _need(need: Need, handover: Handover | None) -> dict[str, Any]:
    """Shows a need, with the programme and the clock of the offer that is under way."""
    clock_at = _clock_of(handover) if handover else need.clock_at
    return {
        "need_id": need.need_id,
        "kind": need.kind,
        "trigger": need.trigger,
        "state": need.state,
        "since": handover.offered_at if handover else need.opened_at,
        "owner": need.owner,
        "programme": handover.programme if handover else None,
        "clock_at": None if clock_at == NEVER else clock_at,
        "reason_code": need.reason_code,
        "options": [{"programme": one.programme, "outcome": one.outcome} for one in need.options],
        "trigger_reason": need.why,
    }


def _clock_of(handover: Handover) -> int:
    """Returns until when a programme has to answer or to make contact; the reminder on the way is not shown."""
    return handover.reply_by if handover.state == "offered" else handover.clock_at


def _handover(one: Handover) -> dict[str, Any]:
    return {
        "handover_id": one.handover_id,
        "programme": one.programme,
        "site": one.site,
        "programme_version": one.version,
        "state": one.state,
        "reason_code": one.reason_code,
        "identity": one.identity,
    }
