"""Two programmes for tests of what keeps them apart: A, which has handovers, and B, which knows of them and tries."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from connectors.pages.links import ConsentLink, links_key, signed
from connectors.pages.sessions import form_token
from connectors.pages.visits import SESSION_COOKIE
from tests.integration.closed_loop import ClosedLoop
from tests.integration.thefts import A, B, Theft
from tests.integration.ways_over_http import Pulling

View = dict[str, Any]


@dataclass
class Two:
    """Programme A, what it has, and programme B, which knows of it; ``youths`` are those of A.

    ``seen`` is what the pathways of A's young people were when they were last looked at.
    """

    loop: ClosedLoop
    a: httpx.AsyncClient
    b: httpx.AsyncClient
    spoils: dict[str, str]
    youths: tuple[str, ...]
    own_handover: str
    seen: list[View] = field(default_factory=list)

    async def of_a(self) -> list[View]:
        """Returns the pathways of A's young people as they are committed, once all that came in is folded."""
        await self.loop.running.service.wait_until_folded()
        views = await self.loop.pathways()
        self.seen = [views[youth] for youth in self.youths]
        return self.seen

    async def try_it(self, theft: Theft) -> httpx.Response:
        """Tries it as B."""
        headers = {name: self._filled(value) for name, value in theft.headers.items()}
        path, body = self._filled(theft.path), self._filled(json.dumps(theft.body))
        if theft.comes_as == "session":
            cookies = {"cookie": f"{SESSION_COOKIE}={self.spoils['session']}"}
            form = None if theft.body is None else json.loads(body)
            async with httpx.AsyncClient(base_url=self.loop.running.doors, headers=headers | cookies) as browser:
                return await browser.request(theft.method, path, data=form, timeout=60)
        if theft.comes_as != "token":
            headers["authorization"] = f"Bearer {self._filled(theft.comes_as)}"
        content = None if theft.body is None else body.encode()
        return await self.b.request(
            theft.method, path, content=content, headers={"content-type": "application/json"} | headers
        )

    def _filled(self, text: str) -> str:
        for name, value in self.spoils.items():
            text = text.replace(f"{{{name}}}", value)
        return text


async def a_two(loop: ClosedLoop, clients: tuple[httpx.AsyncClient, httpx.AsyncClient], token: str) -> Two:
    a, b = clients
    [named], [anonymous] = await loop.tell(1), await loop.tell(1, scope="anonymous")
    [own] = await loop.tell(1, municipality="0217", scope="anonymous")
    views = await loop.pathways()
    handover = loop.handover_in(views[named.youth_id], A)
    assert loop.handover_in(views[anonymous.youth_id], A)
    need = str(views[named.youth_id]["needs"][0]["need_id"])
    key = str(uuid4())
    own_handover = loop.handover_in(views[own.youth_id], B)
    await Pulling(b).told(own_handover, 1)
    way = Pulling(a)
    await way.told(handover, 1)
    assert (await way.answer(handover, "accepted", key=key)).accepted
    await way.told(handover, 2)
    [reply] = [one["causation_id"] for one in way.received.of(handover) if one["type"] == "reply_accepted"]
    page = (await a.get("/handovers", params={"limit": 1})).json()
    offered = (await a.get(f"/handovers/{handover}")).json()["handover"]
    session = await session_of(loop.running.doors, token)
    forged, altered = links_about(loop, UUID(need))
    spoils = {
        "handover": handover,
        "pseudonym": offered["youth_id"],
        "need": need,
        "key": key,
        "reply": reply,
        "cursor": page["next"],
        "cpr": named.person.cpr,
        "code": anonymous.claim_code or "",
        "client": a.headers["authorization"].removeprefix("Bearer ").partition(".")[0],
        "secret": token.partition(".")[2],
        "session": session,
        "form_token": form_token(session),
        "forged": forged,
        "forged_form_token": form_token(forged),
        "altered": altered,
        "act": str(uuid4()),
        "now": datetime.now(UTC).isoformat(),
    }
    return Two(loop, a, b, spoils, (named.youth_id, anonymous.youth_id), own_handover)


async def session_of(doors: str, token: str) -> str:
    """Returns the cookie of a programme that has signed in at the pages."""
    async with httpx.AsyncClient(base_url=doors, timeout=60) as browser:
        [given] = re.findall(r'name="form_token" value="(\w+)"', (await browser.get("/pages/sign-in")).text)
        answer = await browser.post("/pages/sign-in", data={"form_token": given, "token": token})
        assert answer.headers["location"] == "/pages/worklist"
        return browser.cookies[SESSION_COOKIE]


def links_about(loop: ClosedLoop, need: UUID) -> tuple[str, str]:
    """Returns a link about A's need that another key has signed, and a good one that was altered to be about it."""
    expires_at = datetime.now(UTC) + timedelta(days=1)
    wanted = ConsentLink(uuid4(), need, B, expires_at)
    key = links_key(loop.running.service.settings.keys_folder)
    good = signed(key, ConsentLink(uuid4(), uuid4(), B, expires_at))
    forged = signed(b"of its own", wanted)
    return forged, f"{forged.partition('.')[0]}.{good.partition('.')[2]}"
