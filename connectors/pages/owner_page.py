"""The page of an owner of needs: what waits, since when, why nothing fitted, and what may be decided."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID  # noqa: TC003 a path's type, read while the program runs

from fastapi import APIRouter, Request, Response

from connectors.gateway.clients.clients import ClientKind
from connectors.pages.incoming_forms import FormProblemError, read_page_form
from connectors.pages.interventions import Decision, intervention_of
from connectors.pages.listing import asked_of
from connectors.pages.need_list import MINE, STATUSES, UNDER_WAY
from connectors.pages.needs import CLOSED, Jurisdiction
from connectors.pages.problems import PageRoute, not_found
from connectors.pages.rendering import PREFIX, elsewhere, render_page
from connectors.pages.replies import reasons_in_words
from connectors.pages.sending import act_id_of, new_act_id, publish_once
from connectors.pages.visits import desk_of, office_of, visitor_of
from connectors.pages.words import KINDS
from schemas.codes import InterventionAction, NoticeKind
from schemas.rules import CONSENT_REASONS

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.pages.incoming_forms import Form
    from connectors.pages.names import Names
    from connectors.pages.needs import NeedAsOf, NeedRow, NoticeRow
    from connectors.pages.visits import Visitor

router = APIRouter(prefix=f"{PREFIX}/needs", route_class=PageRoute, include_in_schema=False)
CLOSE_REASONS = ("other_help", "moved_away", "not_wanted", "not_target_group", "agreed_end")
_ROLE = "owner"
_TAKEN_OVER, _PENDING = "taken_over", ("announced", "offered", "waitlisted")
#: Notices that come again until somebody has answered them.
_REMINDING = frozenset({NoticeKind.ESCALATED, NoticeKind.CODE_UNCLAIMED, NoticeKind.DELETION_OVERDUE})
_TOLD = ("done", "not_done", "under_way")


@router.get("")
async def show_needs(request: Request) -> Response:
    """Shows what waits for a person and what is under way, the most urgent first; or what the address asks for."""
    visitor = await visitor_of(request, ClientKind.OWNER)
    office = office_of(request)
    seen = jurisdiction_of(visitor.name, office.names)
    allowed = {"status": STATUSES, "kind": KINDS, "municipality": office.names.municipalities}
    asked = asked_of(request.query_params, allowed)
    listed, counts = await asyncio.to_thread(office.need_list.page, seen, asked)
    closed = asked.chosen.get("status") == CLOSED
    return render_page(
        "needs.html",
        visitor=visitor,
        names=office.names,
        asked=asked,
        listed=listed,
        groups=[(section, list(some)) for section, some in groupby(listed.rows, partial(_section, visitor))],
        counts=counts | {CLOSED: listed.total},
        closed=closed,
        filters={
            "status": ("Status", "Alle åbne", STATUSES),
            "kind": ("Behov", "Alle behov", KINDS),
            "municipality": (
                "Kommune",
                "Alle kommuner",
                await asyncio.to_thread(office.need_list.municipalities, seen),
            ),
        },
        now=_now(request, listed.rows),
        acts_on=decisions_on,
        new_act_id=new_act_id,
    )


@router.get("/{need_id}")
async def show_need(request: Request, need_id: UUID, told: str = "") -> Response:
    """Shows one need, what may be decided, and what came of the last decision."""
    visitor = await visitor_of(request, ClientKind.OWNER)
    need = await _own_need(request, visitor, need_id)
    moment = await asyncio.to_thread(office_of(request).needs.moment, need_id, visitor.name)
    return await _need(request, visitor, need, (told, _why(moment)), None)


@router.post("/{need_id}")
async def decide_about_need(request: Request, need_id: UUID) -> Response:
    """Publishes what a form decides, waits a while for what comes of it, and shows that."""
    visitor = await visitor_of(request, ClientKind.OWNER)
    form = await read_page_form(request, visitor.session)
    need = await _own_need(request, visitor, need_id)
    desk, office = desk_of(request), office_of(request)
    notice = await _last_notice(request, visitor, need_id)
    try:
        decision = _decision(form, decisions_on(need, visitor.name, notice), visitor, office.names)
    except FormProblemError as problem:
        return await _need(request, visitor, need, ("", None), problem)
    # What nobody but the owner's own colleagues sees changes nothing but who has taken it.
    taking = decision.action is InterventionAction.ASSIGNED and need.owner == visitor.name
    look = partial(office.needs.moment, need_id, visitor.name, taking=taking)
    before = await asyncio.to_thread(look)
    event = intervention_of(decision, need.youth_id, need_id, act_id_of(form), desk.ports.clock())
    if not await publish_once(desk, "interventions", event):
        return elsewhere(f"/needs/{need_id}")  # what came of it was waited for the first time
    after = await office.needs.changed_since(before, look, desk.limits.answer_time_max)
    return elsewhere(f"/needs/{need_id}?told={_told(before, after)}")


def jurisdiction_of(owner: str, names: Names) -> Jurisdiction:
    """Returns what an owner may see: their own needs, and those of young people whose municipality is theirs.

    The default owner answers for every municipality that has none of its own, and for needs without any.
    """
    default = owner == names.default_owner
    own = (code for code in names.municipalities if names.owner_of.get(code, names.default_owner) == owner)
    return Jurisdiction(owner, tuple(own), without_municipality=default)


def decisions_on(need: NeedRow, owner: str, notice: NoticeRow | None = None) -> tuple[str, ...]:
    """Returns the decisions that a need allows as it stands, ``notice`` being the last to its owner about it."""
    answered = ("escalation_answered",) if notice is not None and notice.kind in _REMINDING else ()
    if need.state == CLOSED:
        return ("reopened", *answered)
    taken = need.owner == owner and need.taken_at is not None
    acts = [*(() if taken else ("assigned",)), *(("consent_asked",) if _may_lack_consent(need) else ())]
    # A programme that has taken over ends it itself; a programme's turn is not taken away by trying all anew.
    acts += [] if need.state == _TAKEN_OVER else ["offered"]
    acts += [] if need.state in {_TAKEN_OVER, *_PENDING} else ["reopened"]
    return (*acts, "closed", *answered)


def lacks_consent(need: NeedRow) -> bool:
    """Tells whether a need waits for consent, or came to a person for want of it."""
    waits = need.state == "awaiting_consent"
    return waits or (need.state == "with_person" and need.reason_code in CONSENT_REASONS)


def _may_lack_consent(need: NeedRow) -> bool:
    """Tells whether consent may be asked for again: a birthday may end what a handover by name rested on."""
    return lacks_consent(need) or need.state == _TAKEN_OVER


def _section(visitor: Visitor, need: NeedRow) -> str:
    if need.state == CLOSED:
        return CLOSED
    return MINE if need.owner == visitor.name and need.state == "with_person" else UNDER_WAY


def _decision(form: Form, acts: tuple[str, ...], visitor: Visitor, names: Names) -> Decision:
    action = form.choice("act", acts, "Det kan ikke lade sig gøre med behovets nuværende status.")
    programme = reason = None
    if action == "offered":
        programme = form.choice("programme", names.receiving, "Vælg et tilbud.")
    if action == "closed":
        reason = form.choice("closed_reason", CLOSE_REASONS, "Vælg en grund.")
    return Decision(
        action=InterventionAction(action), actor=visitor.name, role=_ROLE, programme=programme, reason_code=reason
    )


def _told(before: NeedAsOf, after: NeedAsOf | None) -> str:
    if after is None:
        return "under_way"
    return "not_done" if after.notice != before.notice and _is_escalated(after) else "done"


def _why(moment: NeedAsOf) -> str | None:
    """Returns why the need came back to its owner: what the log says, never what an address says."""
    return moment.notice.reason_code if moment.notice is not None and _is_escalated(moment) else None


def _is_escalated(moment: NeedAsOf) -> bool:
    return moment.notice is not None and moment.notice.kind == NoticeKind.ESCALATED


async def _last_notice(request: Request, visitor: Visitor, need_id: UUID | str) -> NoticeRow | None:
    moment = await asyncio.to_thread(office_of(request).needs.moment, need_id, visitor.name)
    return moment.notice


async def _own_need(request: Request, visitor: Visitor, need_id: UUID) -> NeedRow:
    office = office_of(request)
    seen = jurisdiction_of(visitor.name, office.names)
    need = await asyncio.to_thread(office.needs.need_seen_by, seen, str(need_id))
    if need is None:
        raise not_found()
    return need


async def _need(
    request: Request, visitor: Visitor, need: NeedRow, told: tuple[str, str | None], problem: FormProblemError | None
) -> Response:
    office = office_of(request)
    names = office.names
    history = await asyncio.to_thread(office.history.of, need)
    return render_page(
        "need.html",
        422 if problem else 200,
        visitor=visitor,
        names=names,
        need=need,
        acts=decisions_on(need, visitor.name, await _last_notice(request, visitor, need.need_id)),
        close_reasons=reasons_in_words(CLOSE_REASONS),
        programmes=names.receiving,
        lost=[option for option in need.options if option["outcome"] != "offered"],
        history=history,
        asked=[entry for entry in history if entry.asks_consent],
        lacks_consent=lacks_consent(need),
        act_id=new_act_id(),
        told=told[0] if told[0] in _TOLD else None,
        why=told[1],
        now=_now(request, [need]),
        problem=problem,
    )


def _now(request: Request, needs: list[NeedRow] | tuple[NeedRow, ...]) -> datetime:
    """Returns the time by which something is overdue: the log's, where its calendar runs ahead of the clock."""
    return max([desk_of(request).ports.clock(), *(need.updated_at for need in needs)])
