"""Signing in: whom it lets in, what the cookie is like, and what ends it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from connectors.gateway.clients.clients import ClientKind
from connectors.gateway.server import configured
from connectors.pages.attempts import ATTEMPTS_MAX, WINDOW
from connectors.pages.sessions import SESSION_TIME_MAX, form_token
from connectors.pages.visits import FORM_COOKIE, SESSION_COOKIE
from tests.unit.pages.builders import Browser, Pages

pytestmark = pytest.mark.long


async def test_a_programme_comes_to_its_worklist_and_an_owner_to_its_needs(pages: Pages) -> None:
    programme = await pages.signed_in()
    owner = await pages.signed_in(ClientKind.OWNER, "municipality-0217")

    assert (await programme.see("")).url.path == "/pages/worklist"
    assert (await owner.see("")).url.path == "/pages/needs"
    assert (await owner.see("/worklist")).url.path == "/pages/sign-in"
    assert (await programme.see("/needs")).url.path == "/pages/sign-in"


async def test_nobody_sees_a_page_without_signing_in(pages: Pages) -> None:
    for path in ("", "/worklist", "/needs"):
        assert (await pages.browser().see(path)).url.path == "/pages/sign-in"


@pytest.mark.parametrize("token", ["", "x", "abc.def", "x" * 300])
async def test_an_unknown_token_is_turned_away_in_words(pages: Pages, token: str) -> None:
    answer = await pages.browser().sign_in(token)

    assert answer.status_code == 403
    assert "Adgangsnøglen er ukendt" in answer.text
    assert SESSION_COOKIE not in answer.cookies


async def test_a_source_has_no_page(pages: Pages) -> None:
    answer = await pages.browser().sign_in(pages.token(ClientKind.SOURCE, "region-h"))

    assert (answer.status_code, "hører til et system" in answer.text) == (403, True)


@pytest.mark.parametrize(("base_url", "secure"), [("http://127.0.0.1", False), ("https://brobygger.example", True)])
async def test_the_cookie_is_for_no_script_no_other_site_and_no_plain_connection(
    pages: Pages, base_url: str, *, secure: bool
) -> None:
    browser = pages.browser(base_url)
    browser.http.follow_redirects = False

    answer = await browser.sign_in(pages.token(ClientKind.PROGRAMME, "headspace"))

    [cookie] = [one for one in answer.headers.get_list("set-cookie") if SESSION_COOKIE in one]
    assert cookie.startswith("__Host-") is secure
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/", f"max-age={8 * 3600}"} <= attributes
    assert not any(attribute.startswith("domain") for attribute in attributes)
    assert ("secure" in attributes) is secure


@pytest.mark.parametrize("host", ["", "[", "a b", "æ.dk", "localhost:99999"])
async def test_a_host_that_nobody_can_read_gets_no_cookie(pages: Pages, host: str) -> None:
    answer = await pages.browser().http.get("/pages/sign-in", headers=[(b"host", host.encode("latin-1"))])

    assert (answer.status_code, "set-cookie" in answer.headers) == (400, False)


async def test_a_request_that_names_no_host_is_not_taken_for_this_machines(pages: Pages) -> None:
    http = pages.browser().http
    request = http.build_request("GET", "/pages/sign-in")
    del request.headers["host"]

    answer = await http.send(request)

    assert answer.headers["set-cookie"].startswith("__Host-")
    assert "secure" in answer.headers["set-cookie"].lower()


async def test_a_form_cookie_that_a_sibling_host_planted_is_not_ours(pages: Pages) -> None:
    browser = pages.browser("https://brobygger.example")
    secret = "planted"
    browser.http.cookies.set(FORM_COOKIE, secret, domain="brobygger.example")
    body = {"token": pages.token(ClientKind.PROGRAMME, "headspace"), "form_token": form_token(secret)}

    answer = await browser.http.post("/pages/sign-in", data=body)

    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://sibling.brobygger.example"},
        {"origin": "https://brobygger.example.evil.example"},
        {"origin": "brobygger.example"},
        {"sec-fetch-site": "cross-site", "origin": "null"},
        {"sec-fetch-site": "same-site", "origin": "null"},
    ],
)
async def test_a_form_of_another_origin_is_turned_away(pages: Pages, headers: dict[str, str]) -> None:
    browser = pages.browser("https://brobygger.example")
    browser.http.headers.update(headers)

    answer = await browser.sign_in(pages.token(ClientKind.PROGRAMME, "headspace"))

    assert (answer.status_code, "fra en anden side" in answer.text) == (403, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "null", "sec-fetch-site": "same-origin"},
        {"origin": "https://brobygger.example"},
        {"origin": "https://BROBYGGER.example", "sec-fetch-site": "same-origin"},
        {},
    ],
)
async def test_a_form_of_our_own_pages_is_taken_as_browsers_send_it(pages: Pages, headers: dict[str, str]) -> None:
    browser = pages.browser("https://brobygger.example")
    browser.http.headers.update(headers)

    answer = await browser.sign_in(pages.token(ClientKind.PROGRAMME, "headspace"))

    assert answer.url.path == "/pages/worklist"


async def test_a_session_ends_after_eight_hours(pages: Pages) -> None:
    browser = await pages.signed_in()

    pages.gateway.clock.now += SESSION_TIME_MAX - timedelta(seconds=1)
    before = await browser.see("/worklist")
    pages.gateway.clock.now += timedelta(seconds=1)
    after = await browser.see("/worklist")

    assert (before.url.path, after.url.path) == ("/pages/worklist", "/pages/sign-in")


async def test_a_revoked_token_ends_its_sessions(pages: Pages) -> None:
    browser = await pages.signed_in()
    [client] = pages.gateway.clients.listed()

    pages.gateway.clients.revoke(client.client_id, pages.gateway.clock.now)

    assert (await browser.see("/worklist")).url.path == "/pages/sign-in"


async def test_signing_out_ends_every_copy_of_the_cookie(pages: Pages) -> None:
    browser = await pages.signed_in()
    copy = pages.browser()
    copy.http.cookies.set(SESSION_COOKIE, browser.http.cookies[SESSION_COOKIE])
    assert (await copy.see("/worklist")).url.path == "/pages/worklist"

    await browser.submit("/worklist", {}, to="/sign-out")

    assert (await copy.see("/worklist")).url.path == "/pages/sign-in"


async def test_the_eleventh_attempt_waits_even_with_the_right_token(pages: Pages) -> None:
    browser = pages.browser()
    for _ in range(ATTEMPTS_MAX):
        await browser.sign_in("wrong")

    refused = await browser.sign_in(pages.token(ClientKind.PROGRAMME, "headspace"))
    pages.gateway.clock.seconds += WINDOW.total_seconds()
    let_in = await browser.sign_in(pages.token(ClientKind.PROGRAMME, "headspace"))

    assert (refused.status_code, "For mange forsøg" in refused.text) == (429, True)
    assert let_in.url.path == "/pages/worklist"


def behind_proxies(pages: Pages, trusted: tuple[str, ...], socket: str) -> Callable[[str], Browser]:
    """Returns what makes browsers whose requests come in by one socket address, as a forwarded address each."""
    settings = pages.gateway.settings.model_copy(update={"trusted_proxies": trusted})
    config = configured(pages.gateway.app, settings, "127.0.0.1", 0)
    config.load()

    def browser(address: str) -> Browser:
        transport = httpx.ASGITransport(config.loaded_app, client=(socket, 1))
        headers = {"x-forwarded-for": address}
        return Browser(httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers))

    return browser


@pytest.mark.parametrize(
    ("trusted", "socket", "status"),
    [
        (("10.0.0.0/8",), "10.1.2.3", 303),
        (("192.168.0.1", "10.1.2.3"), "10.1.2.3", 303),
        (("10.0.0.0/8",), "203.0.113.9", 429),
        ((), "127.0.0.1", 429),
    ],
)
async def test_one_proxy_is_not_everybody_where_it_is_trusted_and_nobody_else_is_believed(
    pages: Pages, trusted: tuple[str, ...], socket: str, status: int
) -> None:
    browser = behind_proxies(pages, trusted, socket)
    guessing = browser("198.51.100.7")
    for _ in range(ATTEMPTS_MAX):
        await guessing.sign_in("wrong")

    others = await browser("198.51.100.8").sign_in(pages.token(ClientKind.PROGRAMME, "headspace"))
    own = await guessing.sign_in(pages.token(ClientKind.PROGRAMME, "headspace"))

    assert (others.status_code, own.status_code) == (status, 429)


async def test_wrong_keys_lock_out_whoever_tries_them_and_never_the_keys_holder(pages: Pages) -> None:
    browser = behind_proxies(pages, ("10.1.2.3",), "10.1.2.3")
    held = pages.token(ClientKind.PROGRAMME, "headspace")
    for number in range(ATTEMPTS_MAX):
        await browser("198.51.100.7").sign_in(f"{held.partition('.')[0]}.guess-{number}")
        await browser(f"192.0.2.{number}").sign_in(f"{held.partition('.')[0]}.guess-{number}")

    guesser = await browser("198.51.100.7").sign_in(held)
    holder = await browser("203.0.113.1").sign_in(held)

    assert (guesser.status_code, holder.status_code) == (429, 303)


async def test_whoever_signs_in_between_gets_no_more_guesses(pages: Pages) -> None:
    own, browser = pages.token(ClientKind.PROGRAMME, "headspace"), pages.browser()
    for _ in range(ATTEMPTS_MAX - 1):
        await browser.sign_in("wrong")

    let_in = [(await browser.sign_in(own)).url.path for _ in range(2)]
    last = await browser.sign_in("wrong")

    assert (let_in, last.status_code) == (["/pages/worklist"] * 2, 403)
    assert (await browser.sign_in("wrong")).status_code == 429


async def test_right_keys_from_one_address_are_never_too_many(pages: Pages) -> None:
    token = pages.token(ClientKind.PROGRAMME, "headspace")

    answers = [await pages.browser().sign_in(token) for _ in range(ATTEMPTS_MAX + 2)]

    assert {answer.url.path for answer in answers} == {"/pages/worklist"}


@pytest.mark.parametrize(
    ("guessing", "other", "status"),
    [
        ("2001:db8:1:2::{}", "2001:db8:1:2:ffff::1", 429),
        ("2001:db8:1:2::{}", "2001:db8:1:3::1", 303),
        ("::ffff:198.51.100.7", "198.51.100.7", 429),
        ("::ffff:198.51.100.7", "::ffff:198.51.100.8", 303),
    ],
)
async def test_an_ipv6_network_is_one_address(pages: Pages, guessing: str, other: str, status: int) -> None:
    browser = behind_proxies(pages, ("10.1.2.3",), "10.1.2.3")
    for number in range(ATTEMPTS_MAX):
        await browser(guessing.format(number)).sign_in("wrong")

    answer = await browser(other).sign_in(pages.token(ClientKind.PROGRAMME, "headspace"))

    assert answer.status_code == status


async def test_a_form_without_the_token_of_its_page_is_refused(pages: Pages) -> None:
    stranger, browser = pages.browser(), await pages.signed_in()
    token = pages.token(ClientKind.PROGRAMME, "headspace")

    forged = [
        await stranger.http.post("/pages/sign-in", data={"token": token}),
        await browser.http.post("/pages/sign-out", data={"form_token": "0" * 64}),
        await browser.http.post("/pages/worklist/free-places", data={"free_places": "3"}),
        await browser.http.post("/pages/worklist/claims", data={"code": "3", "form_token": "æ"}),
    ]

    assert [answer.status_code for answer in forged] == [403] * 4
    assert pages.gateway.publisher.records == []


async def test_another_sites_form_comes_without_cookies_and_signs_nobody_in(pages: Pages) -> None:
    fields = {"token": pages.token(ClientKind.PROGRAMME, "headspace"), "form_token": form_token("")}

    answer = await pages.browser().http.post("/pages/sign-in", data=fields)

    assert (answer.status_code, SESSION_COOKIE in answer.cookies) == (403, False)


async def test_another_visitors_form_token_is_refused(pages: Pages) -> None:
    mine, theirs = await pages.signed_in(), await pages.signed_in(name="ungevaerftet")
    page = await theirs.see("/worklist")
    taken = page.text.partition('name="form_token" value="')[2].partition('"')[0]

    answer = await mine.http.post("/pages/sign-out", data={"form_token": taken})

    assert answer.status_code == 403
    assert (await mine.see("/worklist")).url.path == "/pages/worklist"


async def test_every_answer_forbids_scripts_frames_caches_and_referrers(pages: Pages) -> None:
    browser = await pages.signed_in()

    for path in ("", "/sign-in", "/worklist", "/worklist/unknown", "/consents/forged"):
        headers = (await browser.see(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';"), path
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")


async def test_a_form_that_is_too_large_or_no_form_is_refused_as_a_page(pages: Pages) -> None:
    browser = await pages.signed_in()

    large = await browser.http.post("/pages/worklist/claims", data={"code": "x" * 20_000})
    json = await browser.http.post("/pages/worklist/claims", json={"code": "x"})
    broken = await browser.http.post(
        "/pages/worklist/claims",
        content=b"code=%ff\xff",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert [answer.status_code for answer in (large, json, broken)] == [413, 415, 400]
    assert all(answer.headers["content-type"].startswith("text/html") for answer in (large, json, broken))


async def test_an_address_that_holds_no_id_is_answered_by_a_page(pages: Pages) -> None:
    browser = await pages.signed_in(ClientKind.OWNER, "municipality-0217")

    answer = await browser.see("/needs/none")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_the_form_cookie_alone_opens_nothing(pages: Pages) -> None:
    browser = pages.browser()
    await browser.see("/sign-in")

    browser.http.cookies.set(SESSION_COOKIE, browser.http.cookies[FORM_COOKIE])

    assert (await browser.see("/worklist")).url.path == "/pages/sign-in"
