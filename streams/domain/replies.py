"""Replies of programmes: what each does to a handover (docs/specification/rules.md#handovers), and to its need."""

from __future__ import annotations

from typing import Any

from schemas.codes import Disclosed, HandoverEventType, Identity, NoticeKind, ReplyStatus, Side
from schemas.pathway import NEVER, Handover, Need, replace
from schemas.rules import WAITLISTED_UNTIL
from streams.domain.awaiting import give_to_person
from streams.domain.calendar import local_day
from streams.domain.consents import missing_for
from streams.domain.disclosing import disclose
from streams.domain.handovers import close, mark_deleted, mark_tried, take_over, waitlist, withdraw
from streams.domain.work import PENDING_HANDOVERS, SOURCE, Emission, Work

_ALLOWED = {
    ReplyStatus.ACCEPTED: ("offered", "waitlisted"),
    ReplyStatus.DECLINED: ("offered", "waitlisted"),
    ReplyStatus.WAITLISTED: ("offered", "waitlisted"),
    ReplyStatus.FIRST_CONTACT: ("accepted",),
    ReplyStatus.CODE_CLAIMED: ("offered", "waitlisted", "accepted"),
    ReplyStatus.IDENTITY_WANTED: ("accepted", "in_contact"),
    ReplyStatus.NO_SHOW: ("accepted",),
    ReplyStatus.FULFILLED: ("in_contact",),
    ReplyStatus.ENDED: ("accepted", "in_contact"),
    ReplyStatus.RECALLED_AND_DELETED: ("withdrawn",),
}
_NO_SHOW_ENDS_BEFORE_PERSON = 2


def apply_reply(work: Work, reply: dict[str, Any]) -> None:
    """Does what a reply says, or refuses it with the reason and the state; either way the programme is told."""
    if reply["status"] == ReplyStatus.UNDELIVERABLE and reply["source"] == SOURCE:
        _take_undeliverable(work, reply)
        return
    handover = _meant(work, reply)
    problem = _problem(work, handover, reply)
    if handover is None or problem is not None:
        _refuse(work, handover, reply, problem or "unknown_handover")
        return
    if reply["status"] == ReplyStatus.IDENTITY_WANTED:
        _grant(work, handover, reply)
        return
    changed = _changed(work, handover, reply)
    work.tell(changed, HandoverEventType.REPLY_ACCEPTED, reason_code=reply["status"], causation_id=reply["event_id"])
    if changed.state in ("declined", "ended"):
        mark_tried(work, changed)
    _follow(work, work.needs[changed.need_id], reply)


def _meant(work: Work, reply: dict[str, Any]) -> Handover | None:
    """Returns the handover that a reply is about; a claim code names none, and means the one under way."""
    if reply["status"] != ReplyStatus.CODE_CLAIMED:
        return work.handovers.get(reply["subject"])
    claimable = [
        one
        for one in work.handovers.values()
        if one.programme == reply["programme"] and one.state in _ALLOWED[ReplyStatus.CODE_CLAIMED]
    ]
    return max(claimable, key=lambda one: (one.state == "accepted", one.offered_at, one.handover_id), default=None)


def _problem(work: Work, handover: Handover | None, reply: dict[str, Any]) -> str | None:
    status = reply["status"]
    if handover is None or handover.programme != reply["programme"]:
        return "unknown_handover"
    allowed = _ALLOWED.get(status)
    if allowed is None:
        return "not_an_answer"
    if handover.state not in allowed:
        return "handover_withdrawn" if handover.state in ("withdrawn", "deleted") else "not_in_this_state"
    if status == ReplyStatus.WAITLISTED:
        return _why_not_waitlisted(work, reply["waitlisted_until"])
    return _why_no_identity(work, handover) if status == ReplyStatus.IDENTITY_WANTED else None


def _why_not_waitlisted(work: Work, until: int | None) -> str | None:
    if until is None:
        return "waitlisted_until_missing"
    # From tomorrow on at the gateway's; what it took just before midnight is folded on the day itself.
    today = local_day(work.now)
    return None if today <= until <= today + WAITLISTED_UNTIL.to_days else "waitlisted_until_out_of_bounds"


def _why_no_identity(work: Work, handover: Handover) -> str | None:
    if handover.identity != Identity.NAMED:
        return "handover_anonymous"
    missing = missing_for(work.consents, work.asker(handover), Identity.NAMED, work.now)
    return missing if missing in (None, "own_consent_wanted") else "consent_lapsed"


def _grant(work: Work, handover: Handover, reply: dict[str, Any]) -> None:
    """Grants a pull of identity, and enters the disclosure: the door releases it on the committed grant."""
    handover = replace(handover, granted=True)
    handover = work.tell(handover, HandoverEventType.IDENTITY_GRANTED, causation_id=reply["event_id"])
    disclose(work, handover, Disclosed.IDENTITY, work.said[-1].fields["event_id"])


def _take_undeliverable(work: Work, reply: dict[str, Any]) -> None:
    """Tells a person, once in each state, of a handover that could not be brought; an offer goes to the next programme.

    The programme is not answered: that could not be brought either.
    """
    handover = work.handovers.get(reply["subject"])
    if handover is None:
        return
    if handover.state in PENDING_HANDOVERS:
        withdraw(work, handover, "undeliverable")
        mark_tried(work, handover)
    reason = f"{handover.state}_undeliverable"
    about = (NoticeKind.DELIVERY_FAILED, f"{handover.handover_id}/{reason}")
    if about in work.once:
        return
    work.once.add(about)
    work.notify(NoticeKind.DELIVERY_FAILED, work.catalogue.operations, work.needs[handover.need_id], reason_code=reason)


def _changed(work: Work, handover: Handover, reply: dict[str, Any]) -> Handover:
    match reply["status"]:
        case ReplyStatus.ACCEPTED:
            return take_over(work, handover)
        case ReplyStatus.WAITLISTED:
            return waitlist(handover, reply["waitlisted_until"])
        case ReplyStatus.DECLINED:
            return replace(handover, state="declined", clock_at=NEVER, reason_code=reply["reason_code"])
        case ReplyStatus.CODE_CLAIMED if handover.state != "accepted":
            return replace(take_over(work, handover), state="in_contact", clock_at=NEVER)
        case ReplyStatus.FIRST_CONTACT | ReplyStatus.CODE_CLAIMED:
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
        give_to_person(work, work.change(need, state="open"), "no_show")


def _refuse(work: Work, handover: Handover | None, reply: dict[str, Any], reason: str) -> None:
    if handover is not None and handover.programme == reply["programme"]:
        current = work.handovers[handover.handover_id]
        work.tell(current, HandoverEventType.REPLY_REFUSED, reason_code=reason, causation_id=reply["event_id"])
        return
    header = work.header(reply["event_id"], reply["subject"], reply["correlation_id"], reply["event_id"])
    own = {
        "type": HandoverEventType.REPLY_REFUSED,
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
    work.said.append(Emission(f"handovers.{reply['programme']}", header | dict.fromkeys(absent) | own))
