"""Puts the pages on the gateway's application: routers, and what they need, opened and closed with it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from connectors.gateway.clients.clients import open_clients
from connectors.pages import consent_page, owner_page, sign_in_page, worklist_page
from connectors.pages.attempts import Attempts
from connectors.pages.case_list import CaseList
from connectors.pages.history import History
from connectors.pages.links import links_key
from connectors.pages.names import names_of
from connectors.pages.need_list import NeedList
from connectors.pages.needs import NeedStore
from connectors.pages.office import Office
from connectors.pages.sessions import Sessions, open_sessions
from connectors.pages.worklist import Worklist
from connectors.vault.keys import pseudonym_roots
from connectors.vault.pseudonyms import Pseudonyms
from schemas.programmes import load_programmes
from schemas.reference import load_reference

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from connectors.gateway.ports import Desk
    from connectors.gateway.settings import GatewaySettings


def attach_pages(app: FastAPI, settings: GatewaySettings) -> None:
    """Adds the pages to a gateway that ``build_gateway`` made; nothing is opened before its lifespan begins.

    The lifespan raises as those of the files and databases do: KeyFileError, ProgrammeFileError,
    ReferenceDataError, LedgerUnavailableError.
    """
    gateway_lifespan = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with gateway_lifespan(app):
            app.state.office = office = await asyncio.to_thread(_opened, app.state.desk, settings)
            try:
                yield
            finally:
                office.sessions.close()

    app.router.lifespan_context = lifespan
    for router in (sign_in_page.router, worklist_page.router, owner_page.router, consent_page.router):
        app.include_router(router)


def _opened(desk: Desk, settings: GatewaySettings) -> Office:
    clients = open_clients(settings.ledger_database)
    engine = desk.read_model.engine
    names = names_of(load_programmes(settings.programmes_folder), load_reference(settings.reference_folder))
    return Office(
        clients=clients,
        sessions=Sessions(open_sessions(settings.ledger_database), clients),
        attempts=Attempts(desk.ports.clock_seconds),
        names=names,
        worklist=Worklist(engine),
        case_list=CaseList(engine, names),
        needs=NeedStore(engine),
        need_list=NeedList(engine, names),
        history=History(engine, names, Pseudonyms(pseudonym_roots(settings.keys_folder))),
        links_key=links_key(settings.keys_folder),
    )
