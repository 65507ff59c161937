"""``/docs`` in Chromium, with nobody to be reached but the gateway."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Route, async_playwright

from tests.browser.conftest import CHROMIUM
from tests.unit.gateway.serving import a_server

pytestmark = pytest.mark.browser


async def test_the_doors_are_shown_without_the_internet(tmp_path: Path) -> None:
    elsewhere: list[str] = []
    async with a_server(tmp_path / "data") as served, async_playwright() as playwright:
        own = f"http://127.0.0.1:{served.port}/"

        async def only_ours(route: Route) -> None:
            if route.request.url.startswith((own, "data:")):
                await route.continue_()
            else:
                elsewhere.append(route.request.url)
                await route.abort()

        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()
        await page.route("**/*", only_ours)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)

        await page.goto(f"{own}docs")
        await page.get_by_text("/events/{topic}").first.wait_for()
        await page.get_by_text("/events/{topic}").first.click()
        await page.get_by_text("Takes statements; answers once the broker has confirmed them").first.wait_for()
        await browser.close()

    assert (elsewhere, faults) == ([], [])
