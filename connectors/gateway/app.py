"""The gateway's FastAPI application."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from connectors.gateway import documentation
from connectors.gateway.addresses import ReadableAddresses
from connectors.gateway.api_errors import ApiError, refused_answer
from connectors.gateway.clients.at_once import UntilAnswered
from connectors.gateway.composition import opened_desk
from connectors.gateway.doors import claims, edi, events, handovers, identity, lists, medcom, replies
from connectors.gateway.doors.handover_forms import HandoverReply
from connectors.gateway.head_requests import HeadRequests
from connectors.gateway.ports import Desk, GatewayPorts
from connectors.gateway.statements.forms import FORMS
from schemas.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pydantic import BaseModel

    from connectors.gateway.settings import GatewaySettings

_DESCRIPTION = """Doors of Brobygger: MedCom messages and JSON statements about young people between sectors.
A statement is answered once the broker has confirmed it. CPR numbers go to the vault and no further."""
_REFERENCES = "#/components/schemas/{model}"
_log = structlog.get_logger(__name__)
_state = APIRouter(tags=["State"])


def build_gateway(settings: GatewaySettings, ports: GatewayPorts | None = None) -> FastAPI:
    """Returns the application; its lifespan opens and closes stores and producer, nothing is opened here."""
    outside = ports or GatewayPorts()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened_desk(settings, outside) as desk:
            app.state.desk = desk
            yield

    app = FastAPI(
        title="Brobygger gateway",
        version="1",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's pages load their scripts from elsewhere
        redoc_url=None,
    )
    # An address with a slash too many is none of ours: a redirect would go wherever the Host header says.
    app.router.redirect_slashes = False
    app.add_middleware(UntilAnswered)
    app.add_middleware(HeadRequests)
    app.add_middleware(ReadableAddresses, turn_away=_turn_away)
    app.add_exception_handler(ApiError, _turn_away)
    app.add_exception_handler(RequestValidationError, _refuse_parameters)
    app.add_exception_handler(ClientDisconnect, _let_go)
    programmes = (handovers.router, replies.router, identity.router, claims.router)
    doors = (medcom.router, edi.router, events.router, lists.router)
    for router in (*doors, *programmes, _state, documentation.router):
        app.include_router(router)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def end_waiting(app: FastAPI) -> None:
    """Sends everybody away who follows a topic or waits for an answer; does nothing before the lifespan began."""
    desk: Desk | None = getattr(app.state, "desk", None)
    if desk is not None:
        desk.read_model.end_waiting()


@_state.get("/health")
async def tell_health() -> dict[str, str]:
    """Answers as long as the process runs."""
    return {"status": "ok"}


@_state.get("/ready", responses={503: {"description": "Something that the doors need can't be reached"}})
async def tell_readiness(request: Request) -> Response:
    """Tells whether vault, ledger and broker can be reached and the read model is current: 200 where so, else 503."""
    desk: Desk = request.app.state.desk
    vault, ledger, broker = await asyncio.gather(
        asyncio.to_thread(desk.vault.is_reachable),
        asyncio.to_thread(desk.ledger.is_reachable),
        desk.publisher.is_reachable(),
    )
    reachable = {"vault": vault, "ledger": ledger, "broker": broker, "read_model": desk.read_model.projector.is_current}
    return JSONResponse(reachable, 200 if all(reachable.values()) else 503)


@_state.get("/metrics")
async def tell_metrics(request: Request) -> Response:
    """Returns the metrics in Prometheus' text format."""
    desk: Desk = request.app.state.desk
    return Response(desk.metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def _turn_away(request: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    desk: Desk = request.app.state.desk
    desk.metrics.refusals.labels("entrance", error.refusal.code).inc()
    _log.info("turned_away", status=error.status, code=error.refusal.code)
    return refused_answer(error.status, error.refusal, error.headers)


async def _refuse_parameters(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    return refused_answer(422, Refusal("broken_rule", field, first["msg"], "correct it as /docs tells, and send again"))


async def _let_go(_request: Request, _error: Exception) -> Response:
    # The client has gone, so nobody reads this answer; without it the log would show a fault of ours.
    return Response(status_code=400)


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        components = document.setdefault("components", {})
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for path in ("/medcom/fhir", "/medcom/edifact", "/medcom/oioxml", "/events/{topic}", "/lists/{name}"):
            document["paths"][path]["post"]["security"] = [{"token": []}]
        schemas = components.setdefault("schemas", {})
        forms: list[type[BaseModel]] = [*FORMS.values(), HandoverReply, claims.ClaimForm]
        for form in forms:
            schema = form.model_json_schema(ref_template=_REFERENCES)
            schemas |= schema.pop("$defs", {})
            schemas[form.__name__] = schema
        components["schemas"] = schemas
        app.openapi_schema = document
    return app.openapi_schema
