"""What a coordinator may do with a handover, and the reply that each act becomes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from connectors.pages.danish_time import local_date
from connectors.pages.incoming_forms import FormProblemError
from connectors.pages.words import REASONS
from schemas.rules import WAITLISTED_UNTIL

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from connectors.pages.incoming_forms import Form
    from connectors.pages.worklist import WorklistItem

DECLINE_REASONS = ("no_capacity", "not_target_group", "too_far", "other_help", "not_wanted")
END_REASONS = ("no_show", "other_help", "moved_away", "stopped", "agreed_end")
SIDES = ("programme", "young_person")
CLAIM = "code_claimed"
_ACTS = {
    "offered": ("accepted", "declined", "waitlisted"),
    "waitlisted": ("accepted", "declined", "waitlisted"),
    "accepted": ("first_contact", "no_show", "ended"),
    "in_contact": ("fulfilled", "ended"),
    "withdrawn": ("recalled_and_deleted",),
}
_FREE_PLACES_MAX, _FREE_PLACES_DIGITS_MAX = 10_000, 6


@dataclass(frozen=True, slots=True)
class RequestedAct:
    """One act that its form asked for: the reply's status, and what more the reply says."""

    status: str
    more: dict[str, Any]


def acts_of_handover(case: WorklistItem) -> tuple[str, ...]:
    """Returns the acts that a handover allows as it stands; an anonymous first contact is by the claim code."""
    acts = _ACTS.get(case.state, ())
    if case.identity == "anonymous":
        return tuple(CLAIM if act == "first_contact" else act for act in acts)
    return acts


def act_of(form: Form, today: date) -> RequestedAct:
    """Returns the act of a form; raises FormProblemError naming the field and what to do."""
    status = form.one("act")
    match status:
        case "declined":
            return RequestedAct(status, _side_and_reason(form, DECLINE_REASONS))
        case "ended":
            return RequestedAct(status, _side_and_reason(form, END_REASONS))
        case "waitlisted":
            return RequestedAct(status, {"waitlisted_until": _day_ahead(form, today).isoformat()})
        case "accepted" | "first_contact" | "no_show" | "fulfilled" | "recalled_and_deleted":
            return RequestedAct(status, {})
        case _:
            raise FormProblemError("act", "Vælg, hvad du vil gøre.")


def reply_body(act: RequestedAct, case: WorklistItem, programme: str, event_id: UUID, at: datetime) -> bytes:
    """Returns the reply in the public JSON form, as the other ways to answer send it."""
    reply = {
        "event_id": str(event_id),
        "subject": case.handover_id,
        "occurred_at": at.isoformat(),
        "programme": programme,
        "status": act.status,
        "youth_id": case.youth_id,
    }
    return json.dumps(reply | act.more).encode()


def free_places_body(form: Form, sites: dict[str, str], programme: str, event_id: UUID, at: datetime) -> bytes:
    """Returns the reply that tells how many places are free; raises FormProblemError."""
    text = form.one("free_places")
    fits = text.isascii() and text.isdecimal() and len(text) <= _FREE_PLACES_DIGITS_MAX
    if not fits or int(text) > _FREE_PLACES_MAX:
        raise FormProblemError("free_places", "Skriv et helt tal, for eksempel 3.")
    reply = {
        "event_id": str(event_id),
        "subject": "free_capacity",
        "occurred_at": at.isoformat(),
        "programme": programme,
        "status": "free_capacity",
        "free_places": int(text),
    }
    site = {"site": form.choice("site", sites, "Vælg et sted.")} if sites else {}
    return json.dumps(reply | site).encode()


def reasons_in_words(codes: tuple[str, ...]) -> dict[str, str]:
    """Returns codes and the words that a form shows for them."""
    return {code: REASONS[code][:1].upper() + REASONS[code][1:] for code in codes}


def _side_and_reason(form: Form, reasons: tuple[str, ...]) -> dict[str, str]:
    status = form.one("act")
    return {
        "side": form.choice(f"{status}_side", SIDES, "Vælg, hvem der har besluttet det."),
        "reason_code": form.choice(f"{status}_reason", reasons, "Vælg en grund."),
    }


def _day_ahead(form: Form, today: date) -> date:
    try:
        day = date.fromisoformat(form.one("waitlisted_until"))
    except ValueError as error:
        raise FormProblemError("waitlisted_until", "Skriv en dato, for eksempel 2026-12-31.") from error
    if not WAITLISTED_UNTIL.from_days <= (day - today).days <= WAITLISTED_UNTIL.to_days:
        raise FormProblemError("waitlisted_until", "Vælg en kommende dag, højst et år frem.")
    return day


def today_of(at: datetime) -> date:
    """Returns the Danish date of a time."""
    return local_date(at)
