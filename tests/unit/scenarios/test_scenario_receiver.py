"""The receiver of a scenario's webhooks: takes what is signed, once, and nothing else."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

from standardwebhooks import Webhook

from streams.scenarios.receiving import WebhookReceiver

SECRET, OTHER = "whsec_MDEyMzQ1Njc4OWFiY2RlZg==", "whsec_ZmVkY2JhOTg3NjU0MzIxMA=="


async def sent(receiver: WebhookReceiver, event: dict[str, str], secret: str = SECRET) -> int:
    """Posts an event as the deliverer does, and returns the status."""
    server = await asyncio.start_server(receiver.take, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    body, at = json.dumps(event), datetime.now(UTC)
    signature = Webhook(secret).sign(event["event_id"], at, body)
    head = {"webhook-id": event["event_id"], "webhook-timestamp": str(int(at.timestamp()))}
    head |= {"Webhook-Signature": signature, "Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    writer.write(f"POST / HTTP/1.1\r\n{lines}\r\n{body}".encode())
    status = int((await reader.readline()).split()[1])
    writer.close()
    server.close()
    return status


async def test_what_is_signed_is_taken_once_and_given_in_the_order_in_which_it_came() -> None:
    receiver = WebhookReceiver(SECRET)
    events = [{"event_id": name, "says": name} for name in ("c", "a", "b")]

    assert [await sent(receiver, event) for event in (*events, events[0])] == [204] * 4

    assert await receiver.received(["a", "b", "c"]) == events
    assert await receiver.received(["a"]) == [events[1]]


async def test_what_another_signed_is_turned_away_and_never_received() -> None:
    receiver = WebhookReceiver(SECRET)

    assert await sent(receiver, {"event_id": "a", "says": "forged"}, OTHER) == 401
    assert await sent(receiver, {"event_id": "a", "says": "signed"}) == 204

    assert await receiver.received(["a"]) == [{"event_id": "a", "says": "signed"}]


async def test_it_waits_for_what_has_not_come_yet() -> None:
    receiver = WebhookReceiver(SECRET)
    waiting = asyncio.create_task(receiver.received(["late"]))

    await sent(receiver, {"event_id": "early"})
    assert not waiting.done()
    await sent(receiver, {"event_id": "late"})

    assert await waiting == [{"event_id": "late"}]
