"""One attempt over a real socket: what is sent, what each kind of answer means, and where nothing is sent to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.webhooks.sending import (
    Delivered,
    Failed,
    Gone,
    HttpSender,
    SendingOutcome,
    SendingRules,
    WebhookMessage,
)
from tests.unit.webhooks.receivers import Handler, a_receiver, answering, dripping, never_answering, never_ending

pytestmark = pytest.mark.long

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SHORT = SendingRules(loopback_allowed=True, time_max=timedelta(seconds=0.5), connect_time_max=timedelta(seconds=0.3))
PATIENT = SendingRules(loopback_allowed=True)


@cache
def systems_trust() -> ssl.SSLContext:
    """Returns what trusts the system's authorities, read once: there are many, and few of these tests speak TLS."""
    return ssl.create_default_context()


def loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


@asynccontextmanager
async def a_sender(
    rules: SendingRules = PATIENT,
    resolve: Callable[[str, int], list[str]] = loopback,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[HttpSender]:
    sender = HttpSender(rules, resolve, tls or systems_trust())
    try:
        yield sender
    finally:
        await sender.close()


async def outcome_of(handler: Handler, rules: SendingRules = PATIENT) -> SendingOutcome:
    async with a_receiver(handler) as port, a_sender(rules) as sender:
        return await sender.send(a_message(f"http://hooks.example:{port}/hook"))


def a_message(url: str) -> WebhookMessage:
    return WebhookMessage(url, {"webhook-id": "x"}, b'{"a":1}')


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (OK, Delivered()),
        (b"HTTP/1.1 204 No Content\r\n\r\n", Delivered()),
        (b"HTTP/1.1 410 Gone\r\n\r\n", Gone()),
        (b"HTTP/1.1 500 Oh\r\n\r\n", Failed("http_500")),
        (b"HTTP/1.1 404 Not\r\n\r\n", Failed("http_404")),
        (b"HTTP/1.1 429 Slow\r\nRetry-After: 120\r\n\r\n", Failed("http_429", timedelta(seconds=120))),
        (b"HTTP/1.1 503 Oh\r\nRetry-After: -1\r\n\r\n", Failed("http_503")),
        (b"HTTP/1.1 503 Oh\r\nRetry-After: 99999999999999\r\n\r\n", Failed("http_503")),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", Failed("redirected")),
        (b"HTTP/1.1 999 What\r\n\r\n", Failed("broken_answer")),
        (b"\x00\xff\xfe garbage\r\n\r\n", Failed("broken_answer")),
        (b"HTTP/1.1 two hundred\r\n\r\n", Failed("broken_answer")),
        (b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"a" * 100_000 + b"\r\n\r\n", Failed("broken_answer")),
        (b"", Failed("broken_answer")),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", Delivered()),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort", Delivered()),
    ],
)
async def test_what_an_answer_means(answer: bytes, expected: SendingOutcome) -> None:
    assert await outcome_of(answering(answer)) == expected


@pytest.mark.parametrize("form", ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"])
async def test_a_receiver_may_ask_to_be_left_alone_until_a_date(form: str) -> None:
    until = datetime.now(UTC) + timedelta(hours=2)
    head = f"HTTP/1.1 503 Oh\r\nRetry-After: {until.strftime(form)}\r\n\r\n"

    outcome = await outcome_of(answering(head.encode()))

    assert isinstance(outcome, Failed)
    assert outcome.retry_after is not None
    assert timedelta(hours=1) < outcome.retry_after <= timedelta(hours=2)


async def test_a_receiver_that_never_answers_has_failed_when_its_time_is_over() -> None:
    assert await outcome_of(never_answering, SHORT) == Failed("timed_out")


async def test_a_receiver_that_answers_a_byte_at_a_time_has_failed_too() -> None:
    assert isinstance(await outcome_of(dripping, SHORT), Failed)


async def test_an_answer_without_end_is_read_to_a_small_bound() -> None:
    assert await outcome_of(never_ending) == Delivered()


@pytest.mark.parametrize("status", [b"301", b"302", b"303", b"307", b"308"])
async def test_a_redirect_is_not_followed(status: bytes) -> None:
    asked: list[bytes] = []

    async def elsewhere(request: bytes, writer: asyncio.StreamWriter) -> None:
        asked.append(request)
        writer.write(OK)

    async with a_receiver(elsewhere) as other:
        target = f"http://127.0.0.1:{other}/".encode()
        answer = b"HTTP/1.1 " + status + b" Moved\r\nLocation: " + target + b"\r\n\r\n"
        assert await outcome_of(answering(answer)) == Failed("redirected")

    assert asked == []


async def test_the_checked_address_is_connected_to_under_the_hosts_own_name() -> None:
    requests: list[bytes] = []
    looked_up: list[str] = []

    async def keep(request: bytes, writer: asyncio.StreamWriter) -> None:
        requests.append(request)
        writer.write(OK)

    def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    async with a_receiver(keep) as port, a_sender(resolve=resolve) as sender:
        url = f"http://hooks.example:{port}/a%20b?c=%2F"
        assert await sender.send(a_message(url)) == await sender.send(a_message(url)) == Delivered()

    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /a%20b?c=%2F HTTP/1.1\r\n")
    assert f"Host: hooks.example:{port}".encode() in head
    assert b"Content-Type: application/json" in head
    assert b"webhook-id: x" in head
    assert body == b'{"a":1}'
    assert looked_up == ["hooks.example", "hooks.example"]


@pytest.mark.parametrize(
    "addresses", [["10.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["169.254.169.254"], ["::ffff:10.0.0.1"], ["fe80::1"]]
)
async def test_a_name_that_leads_to_an_internal_address_now_is_not_connected_to(addresses: list[str]) -> None:
    async with a_receiver(answering(OK)) as port, a_sender(resolve=lambda *_: addresses) as sender:
        assert await sender.send(a_message(f"http://hooks.example:{port}/")) == Failed("internal_address")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "hooks.example", "localhost"])
async def test_loopback_is_not_connected_to_unless_the_setting_allows_it(host: str) -> None:
    async with a_receiver(answering(OK)) as port, a_sender(SendingRules()) as sender:
        assert await sender.send(a_message(f"http://{host}:{port}/")) == Failed("internal_address")


@pytest.mark.parametrize("host", ["2130706433", "0177.0.0.1", "127.1", "0x7f.0.0.1"])
async def test_a_host_in_an_odd_form_reaches_nothing_even_past_its_registration(host: str) -> None:
    resolve = lambda *_: ["127.0.0.1"]  # noqa: E731
    async with a_receiver(answering(OK)) as port, a_sender(SendingRules(), resolve) as sender:
        assert isinstance(await sender.send(a_message(f"http://{host}:{port}/")), Failed)


async def test_a_rebound_name_is_seen_at_the_next_connection() -> None:
    answers = iter([["127.0.0.1"], ["192.168.0.1"], ["127.0.0.1"]])
    async with a_receiver(answering(OK)) as port, a_sender(resolve=lambda *_: next(answers)) as sender:
        message = a_message(f"http://hooks.example:{port}/")

        outcomes = [await sender.send(message) for _ in range(3)]

    assert outcomes == [Delivered(), Failed("internal_address"), Delivered()]


async def test_a_receiver_that_is_down_or_unknown_is_unreachable() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError

    async with a_receiver(answering(OK)) as port:
        pass
    async with a_sender() as sender:
        assert await sender.send(a_message(f"http://hooks.example:{port}/")) == Failed("unreachable")
    async with a_sender(resolve=unknown) as sender:
        assert await sender.send(a_message("http://hooks.example/")) == Failed("unreachable")


@pytest.mark.parametrize(
    ("certified", "trusted", "expected"),
    [
        ("hooks.example", True, Delivered()),
        ("hooks.example", False, Failed("tls_failed")),
        ("other.example", True, Failed("tls_failed")),
    ],
)
async def test_the_certificate_is_verified_for_the_hosts_name(
    tmp_path: Path, certified: str, trusted: bool, expected: SendingOutcome
) -> None:
    server, client = a_certificate(tmp_path, certified)
    asked_for: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    tls = client if trusted else ssl.create_default_context()

    async with a_receiver(answering(OK), server) as port, a_sender(tls=tls) as sender:
        assert await sender.send(a_message(f"https://hooks.example:{port}/")) == expected

    assert asked_for == ["hooks.example"]


def a_certificate(folder: Path, host: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Returns a server's context with a certificate for a host, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    alternatives = x509.SubjectAlternativeName([x509.DNSName(host), x509.IPAddress(ip_address("192.0.2.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(alternatives, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    file = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    client = ssl.create_default_context(cadata=pem.decode())
    return server, client
