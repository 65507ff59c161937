"""Answers of programmes: what each does to a handover, by the table of DESIGN §5, and to the need behind it."""

from __future__ import annotations

from typing import Any

from schemas.codes import HandoverStatement, ReplyStatus, Side
from schemas.pathway import NEVER, Handover, Need, replace
from streams.domain.consents import Asker, missing_for
from streams.domain.handovers import accept, mark_deleted, mark_tried, waitlist, withdraw
from streams.domain.needs import close, escalate
from streams.domain.work import Said, Work

_ALLOWED = {
    ReplyStatus.ACCEPTED: ("offered", "waitlisted"),
    ReplyStatus.DECLINED: ("offered", "waitlisted"),
    ReplyStatus.WAITLISTED: ("offered", "waitlisted"),
    ReplyStatus.FIRST_CONTACT: ("accepted",),
    ReplyStatus.NO_SHOW: ("accepted",),
    ReplyStatus.FULFILLED: ("in_contact",),
    ReplyStatus.ENDED: ("accepted", "in_contact"),
    ReplyStatus.RECALLED_AND_DELETED: ("withdrawn",),
}
_NO_SHOW_ENDS_BEFORE_PERSON = 2


def take_reply(work: Work, reply: dict[str, Any]) -> None:
    """Does what a reply says, or refuses it with the reason and the state; either way the programme is told."""
    handover = work.handovers.get(reply["statement_id"])
    problem = _problem(work, handover, reply)
    if handover is None or problem is not None:
        _refuse(work, handover, reply, problem or "unknown_handover")
        return
    changed = _changed(work, handover, reply)
    work.tell(changed, HandoverStatement.REPLY_ACCEPTED, reason_code=reply["status"])
    if changed.state in ("declined", "ended"):
        mark_tried(work, changed)
    _follow(work, work.needs[changed.need_id], reply)


def _problem(work: Work, handover: Handover | None, reply: dict[str, Any]) -> str | None:
    if handover is None or handover.programme != reply["programme"]:
        return "unknown_handover"
    allowed = _ALLOWED.get(reply["status"])
    if allowed is None:
        return "not_an_answer"
    if handover.state not in allowed:
        return "handover_withdrawn" if handover.state in ("withdrawn", "deleted") else "not_in_this_state"
    if reply["status"] == ReplyStatus.WAITLISTED and reply["waitlisted_until"] is None:
        return "waitlisted_until_missing"
    if reply["status"] == ReplyStatus.ACCEPTED and _consent_lapsed(work, handover):
        withdraw(work, handover, "consent_lapsed")
        return "consent_lapsed"
    return None


def _consent_lapsed(work: Work, handover: Handover) -> bool:
    need = work.needs[handover.need_id]
    asker = Asker(handover.programme, need.kind, 0)
    return missing_for(work.consents, asker, handover.identity, work.derived.birth_day, work.now) is not None


def _changed(work: Work, handover: Handover, reply: dict[str, Any]) -> Handover:
    match reply["status"]:
        case ReplyStatus.ACCEPTED:
            return accept(work, handover)
        case ReplyStatus.WAITLISTED:
            return waitlist(handover, reply["waitlisted_until"])
        case ReplyStatus.DECLINED:
            return replace(handover, state="declined", clock_at=NEVER, reason_code=reply["reason_code"])
        case ReplyStatus.FIRST_CONTACT:
            return replace(handover, state="in_contact", clock_at=NEVER)
        case ReplyStatus.FULFILLED | ReplyStatus.ENDED:
            return replace(handover, state=reply["status"], clock_at=NEVER, reason_code=reply["reason_code"])
        case ReplyStatus.RECALLED_AND_DELETED:
            mark_deleted(work, handover)
            return work.handovers[handover.handover_id]
        case _:
            return handover


def _follow(work: Work, need: Need, reply: dict[str, Any]) -> None:
    """Moves the need on; what is open again is offered onward by the reconciliation that follows."""
    by_young_person = reply["side"] == Side.YOUNG_PERSON
    match reply["status"]:
        case ReplyStatus.FULFILLED:
            close(work, need, "fulfilled")
        case ReplyStatus.DECLINED | ReplyStatus.ENDED if by_young_person:
            close(work, need, "declined_by_young_person")
        case ReplyStatus.DECLINED:
            work.change(need, state="open", clock_at=NEVER)
        case ReplyStatus.ENDED if reply["reason_code"] == "no_show":
            _after_no_show(work, need)
        case ReplyStatus.ENDED:
            close(work, need, "ended")


def _after_no_show(work: Work, need: Need) -> None:
    ended = [one for one in work.handovers.values() if one.need_id == need.need_id and one.reason_code == "no_show"]
    if len(ended) < _NO_SHOW_ENDS_BEFORE_PERSON:
        work.change(need, state="open", clock_at=NEVER)
    else:
        escalate(work, need, "no_show")


def _refuse(work: Work, handover: Handover | None, reply: dict[str, Any], reason: str) -> None:
    if handover is not None and handover.programme == reply["programme"]:
        current = work.handovers[handover.handover_id]
        work.tell(current, HandoverStatement.REPLY_REFUSED, reason_code=reason)
        return
    envelope = work.envelope(reply["event_id"], reply["statement_id"], reply["correlation_id"], reply["event_id"])
    own = {
        "statement": HandoverStatement.REPLY_REFUSED,
        "programme": reply["programme"],
        "programme_version": work.catalogue.version,
        "need_kind": "UNKNOWN",
        "identity": "UNKNOWN",
        "reason_code": reason,
    }
    absent = (
        "site",
        "age_band",
        "municipality",
        "trigger",
        "expected_week",
        "appointment_on",
        "occurred_on",
        "reply_by",
        "first_contact_by",
        "state",
    )
    work.said.append(Said(f"handovers.{reply['programme']}", envelope | dict.fromkeys(absent) | own))
