"""What a programme's credentials are tried on at the doors over HTTP, one attempt a row, knowing all but A's secrets.

``{...}`` in a row stands for what A has: the thief is given its ids, cursor, pseudonym, the young person's claim code
and number. Each row names the status and the code, or the words of a page, by which the attempt is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.unit.gateway.builders import a_message

A, B = "headspace", "ungevaerftet"
_ABOUT = {"subject": "{handover}", "occurred_at": "{now}"}
_ENDED: dict[str, Any] = {"status": "ended", "side": "young_person", "reason_code": "not_wanted"}
_OF_A = _ABOUT | _ENDED | {"youth_id": "{pseudonym}", "programme": A}
_PLACES = {"subject": "free_capacity", "occurred_at": "{now}", "status": "free_capacity", "free_places": 0}
_PERSON = {"person": {"cpr": "{cpr}", "municipality": "0101"}}
_COURSE = _ABOUT | _PERSON | {"status": "active", "status_at": "{now}"}
_REFERRAL = _COURSE | {"programme": "stime", "referred_to": A}
_CONSENT = _ABOUT | _PERSON | {"decision": "withdrawn", "given_by": ["young_person"], "scope": "named"}
_STAY = _ABOUT | _PERSON | {"episode_id": "1", "unit": "9991084000016101", "status": "deceased"}
_STREAM = {"accept": "text/event-stream"}
_FORM = {"act_id": "{act}", "form_token": "{form_token}"}


@dataclass(frozen=True)
class Theft:
    """One attempt at a door, and how it is refused.

    ``comes_as`` is ``token``, ``session`` (signed in at the pages; its body is a form), or the bearer token itself.
    """

    door: str
    what: str
    method: str
    path: str
    status: int
    refused_by: str
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    comes_as: str = "token"

    def __str__(self) -> str:
        return f"{self.door}: {self.what}".replace(" ", "-")


def ask(door: str, what: str, path: str, status: int, refused_by: str, **more: Any) -> Theft:
    return Theft(door, what, "GET", path, status, refused_by, **more)


def send(door: str, what: str, path: str, body: dict[str, Any], status: int, refused_by: str, **more: Any) -> Theft:
    return Theft(door, what, "POST", path, status, refused_by, body, **more)


_PAGE: dict[str, Any] = {"comes_as": "session"}
_NOT_THERE = "Findes ikke"
_SIGN_IN = "/pages/sign-in"
_LINES = {"content-type": "application/x-ndjson"}
_KEY = {"idempotency-key": "of-its-own"}

#: The doors over Kafka are tried in ``test_access.py``, and webhooks, which have no door, in ``test_isolation.py``.
THEFTS = (
    ask("pull", "show A's handover", "/handovers/{handover}", 404, "not_found"),
    ask("pull", "go on from A's cursor", "/handovers?cursor={cursor}", 422, "wrong_cursor"),
    ask("pull", "come as A with its own secret", "/handovers", 401, "unauthenticated", comes_as="{client}.{secret}"),
    ask("stream", "go on from A's cursor", "/handovers?cursor={cursor}", 422, "wrong_cursor", headers=_STREAM),
    ask(
        "stream",
        "go on from A's last id",
        "/handovers",
        422,
        "wrong_cursor",
        headers=_STREAM | {"last-event-id": "{cursor}"},
    ),
    send("replies", "end A's handover", "/handovers/{handover}/replies", _ENDED, 404, "not_found"),
    send(
        "replies",
        "repeat A's answer",
        "/handovers/{handover}/replies",
        {"status": "accepted"},
        404,
        "not_found",
        headers={"idempotency-key": "{key}"},
    ),
    ask("replies", "ask what A was answered", "/replies/{reply}", 404, "not_found"),
    send("replies", "end it in A's name", "/events/replies", _OF_A, 403, "foreign_programme"),
    send("replies", "end it among lines", "/events/replies", _OF_A, 200, "foreign_programme", headers=_LINES),
    send("replies", "end it as A's system", "/events/replies", _OF_A | {"source": A}, 403, "foreign_source"),
    send("replies", "end it with A's pseudonym", "/events/replies", _OF_A | {"programme": B}, 422, "unknown_pseudonym"),
    send("replies", "tell that A is full", "/events/replies", _PLACES | {"programme": A}, 403, "foreign_programme"),
    *(
        send("replies", f"vouch for {status}", "/events/replies", _OF_A | {"status": status}, 422, "foreign_statement")
        for status in ("code_claimed", "identity_wanted", "undeliverable")
    ),
    send("claims", "claim the code of A's young person", "/claims", {"code": "{code}"}, 409, "unknown_handover"),
    ask("identity", "pull whom A was told of", "/handovers/{handover}/identity", 404, "not_found", headers=_KEY),
    ask(
        "identity",
        "pull it under A's key",
        "/handovers/{handover}/identity",
        404,
        "not_found",
        headers={"idempotency-key": "{key}"},
    ),
    send(
        "sources",
        "send a hospital's message",
        "/medcom/fhir",
        a_message(),
        403,
        "forbidden",
        headers={"content-type": "application/fhir+json"},
    ),
    send("sources", "tell of a death", "/events/discharges", _STAY, 403, "foreign_topic"),
    send("sources", "take the consent back", "/events/consents", _CONSENT, 403, "foreign_topic"),
    send("sources", "tell of A's course", "/events/enrolments", _COURSE | {"programme": A}, 403, "foreign_programme"),
    send(
        "sources",
        "ask for bridging as A",
        "/events/referrals",
        _REFERRAL | {"referred_from": A, "bridging": True},
        403,
        "foreign_programme",
    ),
    send("sources", "refer to A", "/events/referrals", _REFERRAL | {"referred_from": B}, 403, "foreign_programme"),
    send("sources", "offer it anew", "/events/interventions", _ABOUT, 404, "unknown_topic"),
    send("sources", "write what A is told", "/events/handovers", _ABOUT, 404, "unknown_topic"),
    ask("worklist", "open A's case", "/pages/worklist/{handover}", 404, _NOT_THERE, **_PAGE),
    ask("worklist", "see A's answer", "/pages/worklist/{handover}?answer={reply}", 404, _NOT_THERE, **_PAGE),
    send(
        "worklist", "end A's case", "/pages/worklist/{handover}", _FORM | {"act": "no_show"}, 404, _NOT_THERE, **_PAGE
    ),
    send(
        "worklist",
        "claim the code",
        "/pages/worklist/claims",
        _FORM | {"code": "{code}"},
        303,
        "/pages/worklist/claim?",
        **_PAGE,
    ),
    ask("owners", "list needs", "/pages/needs", 303, _SIGN_IN, **_PAGE),
    ask("owners", "open the need", "/pages/needs/{need}", 303, _SIGN_IN, **_PAGE),
    send(
        "owners",
        "offer the need to itself",
        "/pages/needs/{need}",
        _FORM | {"act": "offered", "programme": B},
        303,
        _SIGN_IN,
        **_PAGE,
    ),
    ask("links", "open a link that it has signed", "/pages/consents/{forged}", 404, "Linket virker ikke", **_PAGE),
    ask("links", "open A's link for another need", "/pages/consents/{altered}", 404, "Linket virker ikke", **_PAGE),
    send(
        "links",
        "take the consent back by it",
        "/pages/consents/{forged}",
        {"act_id": "{act}", "form_token": "{forged_form_token}", "decision": "withdrawn"},
        404,
        "Linket virker ikke",
        **_PAGE,
    ),
    send("webhooks", "register itself for A", "/webhooks/headspace", {"url": "https://example.org/"}, 404, "Not Found"),
)
