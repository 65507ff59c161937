"""The page behind a signed link: a discharging unit records consent, refusal or withdrawal, and sees the code."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog
from fastapi import APIRouter, Request, Response

from connectors.gateway.statements.reading import wants_claim_code
from connectors.pages import consents
from connectors.pages.incoming_forms import FormProblemError, read_page_form
from connectors.pages.links import link_of_token
from connectors.pages.needs import CLOSED
from connectors.pages.problems import PageError, PageRoute
from connectors.pages.rendering import PREFIX, render_page
from connectors.pages.sending import act_id_of, new_act_id, publish_once
from connectors.pages.sessions import form_token
from connectors.pages.visits import desk_of, office_of

if TYPE_CHECKING:
    from connectors.pages.links import ConsentLink
    from connectors.pages.needs import NeedRow

router = APIRouter(prefix=f"{PREFIX}/consents", route_class=PageRoute, include_in_schema=False)
_log = structlog.get_logger(__name__)


@router.get("/{token}")
async def show_consent_form(request: Request, token: str) -> Response:
    """Shows what consent is wanted for, and the form that records it."""
    link, need = await _link_and_need(request, token)
    return _form(request, (token, link, need), None)


@router.post("/{token}")
async def record_consent(request: Request, token: str) -> Response:
    """Publishes what was decided; for an anonymous consent, shows the claim code, also where the form comes again."""
    form = await read_page_form(request, token)
    link, need = await _link_and_need(request, token)
    if need.state == CLOSED:
        return _form(request, (token, link, need), None)
    desk, at = desk_of(request), desk_of(request).ports.clock()
    try:
        consent = consents.consent_of(form, link, need, act_id_of(form), at)
    except FormProblemError as problem:
        return _form(request, (token, link, need), problem)
    anonymous, codes = wants_claim_code(consent), desk.claim_codes
    make = partial(codes.make, need.youth_id, at, consent.event_id) if anonymous else str
    fresh = await publish_once(desk, "consents", consent, make)
    # Asked for in either case: a browser that sends the form again is shown the same page.
    code = await asyncio.to_thread(codes.again, need.youth_id, at, consent.event_id) if anonymous else None
    _log.info("consent_recorded", decision=consent.decision, scope=consent.scope, fresh=fresh)
    names = office_of(request).names
    return render_page(
        "consent_recorded.html", visitor=None, names=names, consent=consent, anonymous=anonymous, code=code
    )


async def _link_and_need(request: Request, token: str) -> tuple[ConsentLink, NeedRow]:
    office = office_of(request)
    link = link_of_token(office.links_key, token, desk_of(request).ports.clock())
    need = await asyncio.to_thread(office.needs.need, link.need_id) if link else None
    if link is None or need is None:
        raise PageError(
            404, "Linket virker ikke", "Det er udløbet, eller noget af det mangler. Bed driften om et nyt link."
        )
    return link, need


def _form(request: Request, about: tuple[str, ConsentLink, NeedRow], problem: FormProblemError | None) -> Response:
    token, link, need = about
    return render_page(
        "consent.html",
        422 if problem else 200,
        visitor=None,
        names=office_of(request).names,
        link=link,
        need=need,
        closed=need.state == CLOSED,
        decisions=consents.DECISIONS,
        givers=consents.GIVERS,
        scopes=consents.SCOPES,
        custodies=consents.CUSTODIES,
        evidences=consents.EVIDENCES,
        token=form_token(token),
        act_id=new_act_id(),
        problem=problem,
    )
