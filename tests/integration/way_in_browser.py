"""The way of a coordinator without any system: the worklist in Debian's Chromium, with scripts switched off."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from playwright.async_api import Browser, BrowserContext, Locator, Page, Request, async_playwright, expect

from connectors.pages.names import Names
from connectors.pages.words import CASE_STATES, EVENT_TYPES, KINDS, REASONS, TRIGGERS
from tests.browser.conftest import CHROMIUM
from tests.integration.way_contract import PROGRAMME, SITE, Answered, Offer, until

_LANGUAGE = {"LANGUAGE": "da", "LANG": "da_DK.UTF-8"}
_ACCEPTED = re.compile(r"Henvendelsens status er nu: (.*)\.")
_REFUSED = re.compile(r"Grund: (.*)\. Henvendelsens status er: (.*)\. Intet er ændret\.")
_NO_YEARS = " år"


@dataclass
class InBrowser:
    """A coordinator at the worklist, and a colleague whose windows have stood open since a handover was first seen."""

    browser: Browser
    doors: str
    token: str
    names: Names
    text: str = ""
    _context: BrowserContext | None = None
    _page: Page | None = None
    _colleague: dict[str, Page] = field(default_factory=dict)
    _sent: dict[str, Request] = field(default_factory=dict)

    @asynccontextmanager
    async def signed_in(self) -> AsyncIterator[None]:
        """Signs in with the token; closes every window in the end."""
        await self._begin()
        try:
            yield
        finally:
            await self._end()

    async def told(self, handover_id: str, count: int) -> list[str]:
        """Returns the steps of a handover's own page; see ``Way``."""

        async def come() -> list[str] | None:
            page = await self._case(handover_id)
            found = await page.locator("ol.steps li").all_inner_texts()
            said = [_code(EVENT_TYPES, re.sub(r" \(.*\)$", "", one.partition(": ")[2])) for one in found]
            return said if len(said) >= count else None

        said = await until(come)
        if handover_id not in self._colleague:
            self._colleague[handover_id] = await self._opened()
            await self._colleague[handover_id].goto(self._place(handover_id))
        return said

    async def offer(self, handover_id: str) -> Offer:
        """Returns what the page of a handover says, which stands in the worklist once; see ``Way``."""
        page = await self._goto("/pages/worklist")
        row = page.get_by_role("rowheader").locator(f'a[href$="{handover_id}"]')
        await expect(row).to_have_count(1)
        page = await self._case(handover_id)
        age_band, _, municipality = (await _fact(page, "Den unge").inner_text()).partition(", ")
        by = await _fact(page, "Svar senest").locator("time").get_attribute("datetime")
        assert by is not None
        return Offer(
            need_kind=_code(KINDS, await _fact(page, "Behov").inner_text()),
            trigger=_code(TRIGGERS, (await _fact(page, "Hvorfor").inner_text()).partition(",")[0]),
            identity="named" if "Med navn" in await _fact(page, "Identitet").inner_text() else "anonymous",
            age_band=age_band.removesuffix(_NO_YEARS),
            municipality=_code(self.names.municipalities, municipality),
            site=_code(self.names.sites[PROGRAMME], await _fact(page, "Sted").inner_text()),
            reply_by=datetime.fromisoformat(by),
        )

    async def answer(self, handover_id: str, status: str, key: str | None = None, **fields: str) -> Answered:
        """Sends the form of an answer: the colleague's where the page has none any more; see ``Way``.

        The same again is the same form sent again, as a browser does that is told to load the answer anew.
        """
        page = await self._case(handover_id)
        if key in self._sent:
            await self._send_again(page, self._sent[key])
        else:
            form = _form(page, status)
            if not await form.count():
                page = self._colleague[handover_id]
                form = _form(page, status)
            sent = await _filled_in_and_sent(page, form, status, fields)
            if key is not None:
                self._sent[key] = sent
        return await until(lambda: self._outcome(page))

    async def tell_free_places(self, places: int) -> None:
        """Fills in the form of the free places; see ``Way``."""
        page = await self._goto("/pages/worklist")
        await page.get_by_label("Hvor mange kan I tage imod nu?").fill(str(places))
        await page.get_by_label("Hvilket sted?").select_option(SITE)
        await page.get_by_role("button", name="Meld ledige pladser").click()
        await expect(page.get_by_role("status")).to_contain_text("er meldt")

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Closes the browser's windows, and signs in anew; see ``Way``."""
        await self._end()
        yield
        await self._begin()

    async def _outcome(self, page: Page) -> Answered | None:
        told = page.locator(".told.good[role=status], .told.bad[role=alert]")
        if not await told.count():
            await page.goto(page.url)
            return None
        words = await told.inner_text()
        if accepted := _ACCEPTED.search(words):
            return Answered(accepted=True, reason=None, state=_code(CASE_STATES, accepted[1]))
        refused = _REFUSED.search(words)
        assert refused is not None, words
        return Answered(accepted=False, reason=_code(REASONS, refused[1]), state=_code(CASE_STATES, refused[2]))

    async def _send_again(self, page: Page, sent: Request) -> None:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = await page.context.request.post(sent.url, data=sent.post_data_buffer, headers=headers)
        assert answer.ok, await answer.text()
        await page.goto(answer.url)

    async def _case(self, handover_id: str) -> Page:
        return await self._goto(self._place(handover_id))

    def _place(self, handover_id: str) -> str:
        return f"{self.doors}/pages/worklist/{handover_id}"

    async def _goto(self, place: str) -> Page:
        assert self._page is not None
        await self._page.goto(place if place.startswith("http") else f"{self.doors}{place}")
        self.text += await self._page.content()
        return self._page

    async def _opened(self) -> Page:
        assert self._context is not None
        return await self._context.new_page()

    async def _begin(self) -> None:
        self._context = await self.browser.new_context(java_script_enabled=False, locale="da-DK")
        self._page = await self._opened()
        page = await self._goto("/pages")
        await page.get_by_label("Adgangsnøgle").fill(self.token)
        await page.get_by_role("button", name="Log ind").click()
        await expect(page.get_by_role("heading", name="Henvendelser til headspace")).to_be_visible()

    async def _end(self) -> None:
        assert self._context is not None
        await self._context.close()
        self._colleague.clear()


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Runs Debian's Chromium, until the end."""
    async with async_playwright() as playwright:
        # Debian's Chromium can't make its sandbox as root in a container; it sees our own pages alone.
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], env=dict(_LANGUAGE))
        yield browser
        await browser.close()


def _form(page: Page, status: str) -> Locator:
    return page.locator(f'form:has(input[name="act"][value="{status}"])')


async def _filled_in_and_sent(page: Page, form: Locator, status: str, fields: dict[str, str]) -> Request:
    if "waitlisted_until" in fields:
        await form.locator("input[name=waitlisted_until]").fill(fields["waitlisted_until"])
    if "side" in fields:
        await form.locator(f'input[name="{status}_side"][value="{fields["side"]}"]').check()
        await form.locator(f'select[name="{status}_reason"]').select_option(fields["reason_code"])
    async with page.expect_request(lambda request: request.method == "POST") as sent, page.expect_navigation():
        await form.locator("button").click()
    return await sent.value


def _fact(page: Page, name: str) -> Locator:
    return page.locator("dl.facts > div").filter(has=page.locator("dt", has_text=re.compile(f"^{name}$"))).locator("dd")


def _code(words: dict[str, str], text: str) -> str:
    """Returns the one code that is shown in these words."""
    [code] = [code for code, shown in words.items() if shown == text.strip()]
    return code
