"""The worklist of a programme's coordinator: what is offered, why, by when; and the acts on it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter, Request, Response

from connectors.gateway.clients.clients import ClientKind
from connectors.gateway.doors.claims import CLAIM_STATEMENT, claim_by_code
from connectors.gateway.publisher import Unavailable
from connectors.pages.case_list import PAST, STATUSES, by_task
from connectors.pages.incoming_forms import FormProblemError, read_page_form
from connectors.pages.listing import asked_of
from connectors.pages.problems import PageRoute, not_found
from connectors.pages.rendering import PREFIX, elsewhere, render_page
from connectors.pages.replies import (
    DECLINE_REASONS,
    END_REASONS,
    act_of,
    acts_of_handover,
    free_places_body,
    reasons_in_words,
    reply_body,
    today_of,
)
from connectors.pages.sending import act_id_of, new_act_id, not_sent, send_reply
from connectors.pages.visits import desk_of, office_of, visitor_of
from connectors.pages.words import KINDS, REASONS, SIDES, said
from schemas.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from connectors.pages.office import Office
    from connectors.pages.visits import Visitor
    from connectors.pages.worklist import WorklistItem

router = APIRouter(prefix=f"{PREFIX}/worklist", route_class=PageRoute, include_in_schema=False)
_CODE_CHARACTERS_MAX = 64


@router.get("")
async def show_worklist(request: Request, told: str = "") -> Response:
    """Shows all that waits for the programme, by what is to be done."""
    visitor = await visitor_of(request, ClientKind.PROGRAMME)
    return await _worklist(request, visitor, told=told)


@router.post("/free-places")
async def tell_free_places(request: Request) -> Response:
    """Tells how many places are free."""
    visitor = await visitor_of(request, ClientKind.PROGRAMME)
    form = await read_page_form(request, visitor.session)
    office, desk = office_of(request), desk_of(request)
    event_id = act_id_of(form)
    sites = _sites_of(office, visitor)
    try:
        body = free_places_body(form, sites, visitor.name, event_id, desk.ports.clock())
    except FormProblemError as problem:
        return await _worklist(request, visitor, problem=problem)
    await send_reply(desk, visitor, body)
    return elsewhere("/worklist?told=places")


@router.post("/claims")
async def take_claim_code(request: Request) -> Response:
    """Takes the code that a young person shows: the first contact. The answer tells which handover it is."""
    visitor = await visitor_of(request, ClientKind.PROGRAMME)
    form = await read_page_form(request, visitor.session)
    code = form.one("code")
    if not 0 < len(code) <= _CODE_CHARACTERS_MAX:
        return await _worklist(
            request, visitor, problem=FormProblemError("code", "Indtast koden, som den unge har fået.")
        )
    claimed = await claim_by_code(desk_of(request), visitor.client, code, visitor.guesser)
    if isinstance(claimed, Unavailable):
        raise not_sent()
    if isinstance(claimed, Refusal):
        why = said(claimed.code, REASONS)
        return await _worklist(request, visitor, problem=FormProblemError("code", f"Koden blev ikke godkendt: {why}."))
    if claimed.answer is None or visitor.reach.site not in (None, claimed.answer.event.site):
        return elsewhere("/worklist?told=code")
    return elsewhere(f"/worklist/{claimed.answer.event.subject}?answer={claimed.event_id}")


@router.get(f"/{CLAIM_STATEMENT}")
async def show_claim(request: Request, answer: str = "") -> Response:
    """Shows why a claim was refused, which names no handover that could be shown."""
    visitor = await visitor_of(request, ClientKind.PROGRAMME)
    event_id = _uuid(answer)
    known = await asyncio.to_thread(office_of(request).worklist.answer, visitor.name, event_id) if event_id else None
    if known is None or known.accepted:
        return elsewhere("/worklist")
    why = said(known.reason_code, REASONS)
    return await _worklist(request, visitor, problem=FormProblemError("code", f"Koden blev ikke godkendt: {why}."))


@router.get("/{handover_id}")
async def show_case(request: Request, handover_id: str, answer: str = "") -> Response:
    """Shows one handover, what may be done, and what the last act was answered."""
    visitor = await visitor_of(request, ClientKind.PROGRAMME)
    return await _case(request, visitor, await _own_case(request, visitor, handover_id), answer, None)


@router.post("/{handover_id}")
async def act_on_case(request: Request, handover_id: str) -> Response:
    """Sends the act that a form asks for, waits a while for its answer, and shows it."""
    visitor = await visitor_of(request, ClientKind.PROGRAMME)
    form = await read_page_form(request, visitor.session)
    case = await _own_case(request, visitor, handover_id)
    try:
        act, event_id, at = (
            act_of(form, today_of(_now(request, [case]))),
            act_id_of(form),
            desk_of(request).ports.clock(),
        )
    except FormProblemError as problem:
        return await _case(request, visitor, case, "", problem)
    body = reply_body(act, case, visitor.name, event_id, at)
    desk = desk_of(request)
    await send_reply(desk, visitor, body)
    await desk.read_model.answers.answer_to(event_id, desk.limits.answer_time_max)
    return elsewhere(f"/worklist/{case.handover_id}?answer={event_id}")


def _sites_of(office: Office, visitor: Visitor) -> dict[str, str]:
    """Returns the sites that the visitor may speak for, by id, with their names."""
    sites = office.names.sites.get(visitor.name, {})
    return {site: name for site, name in sites.items() if visitor.reach.site in (None, site)}


async def _own_case(request: Request, visitor: Visitor, handover_id: str) -> WorklistItem:
    case = await asyncio.to_thread(office_of(request).worklist.case, visitor.reach, handover_id)
    if case is None:
        raise not_found()
    return case


async def _worklist(
    request: Request, visitor: Visitor, *, told: str = "", problem: FormProblemError | None = None
) -> Response:
    office = office_of(request)
    sites = _sites_of(office, visitor)
    allowed = {"status": STATUSES, "kind": KINDS, "municipality": office.names.municipalities, "site": sites}
    asked = asked_of(request.query_params, allowed)
    latest = await asyncio.to_thread(office.case_list.latest, visitor.reach)
    now = max(filter(None, (desk_of(request).ports.clock(), latest)))
    listed, counts = await asyncio.to_thread(office.case_list.page, visitor.reach, asked, now)
    past = asked.chosen.get("status") == PAST
    return render_page(
        "worklist.html",
        422 if problem else 200,
        visitor=visitor,
        names=office.names,
        asked=asked,
        listed=listed,
        groups=[(PAST, listed.rows)] if past and listed.rows else by_task(listed.rows, now),
        counts=counts | {PAST: listed.total},
        filters={
            "status": ("Status", "Alle åbne", STATUSES),
            "kind": ("Behov", "Alle behov", KINDS),
            "site": ("Sted", "Alle steder", sites),
            "municipality": (
                "Kommune",
                "Alle kommuner",
                await asyncio.to_thread(office.case_list.municipalities, visitor.reach),
            ),
        },
        now=now,
        sites=sites,
        act_id=new_act_id(),
        told=told,
        problem=problem,
    )


async def _case(
    request: Request, visitor: Visitor, case: WorklistItem, answered: str, problem: FormProblemError | None
) -> Response:
    office = office_of(request)
    event_id = _uuid(answered)
    known = office.worklist.answer
    answer = await asyncio.to_thread(known, visitor.name, event_id) if event_id else None
    return render_page(
        "case.html",
        422 if problem else 200,
        visitor=visitor,
        names=office.names,
        case=case,
        acts=acts_of_handover(case),
        steps=await asyncio.to_thread(office.worklist.steps, visitor.name, case.handover_id),
        now=_now(request, [case]),
        decline_reasons=reasons_in_words(DECLINE_REASONS),
        end_reasons=reasons_in_words(END_REASONS),
        sides=SIDES,
        act_id=new_act_id(),
        asked=bool(event_id),
        answer=answer,
        problem=problem,
    )


def _now(request: Request, cases: Iterable[WorklistItem]) -> datetime:
    """Returns the time by which something is overdue: the log's, where its calendar runs ahead of the clock."""
    return max([desk_of(request).ports.clock(), *(case.updated_at for case in cases)])


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
