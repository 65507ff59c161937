"""A running service with young people in it, and Debian's Chromium without scripts to look at it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from connectors.kafka.embedded import EmbeddedBroker
from connectors.vault.keys import create_keys
from streams.cli.up import free_port
from streams.supervision import stop_all, wait_until_ready
from tests.browser.young_people import tell_of_all
from tests.integration.command_line import a_gateway, a_worker, run, the_gateway
from tests.integration.emptying import empty

CHROMIUM = Path("/usr/bin/chromium")
_WINDOW: ViewportSize = {"width": 1000, "height": 720}
_LANGUAGE = {"LANGUAGE": "da", "LANG": "da_DK.UTF-8"}


@dataclass
class Visit:
    """A browser window on the service."""

    page: Page
    shots: Path | None

    def sign_in(self, kind: str, name: str) -> None:
        """Signs a new client in, by the form."""
        token = run("clients", "create", kind, name).stdout.strip()
        self.page.goto(f"{the_gateway()}/pages")
        self.page.get_by_label("Adgangsnøgle").fill(token)
        self.page.get_by_role("button", name="Log ind").click()
        assert "/sign-in" not in self.page.url, f"{token!r}: {self.page.inner_text('main')}"

    def until_there(self, text: str, seconds: float = 60) -> None:
        """Loads the page again until a text is on it; fails where it does not come in time."""
        found = self.page.get_by_text(text).first
        deadline = seconds * 1000
        while not found.is_visible() and deadline > 0:
            self.page.wait_for_timeout(250)
            deadline -= 250
            self.page.goto(self.page.url)
        assert found.is_visible(), f"{text!r} is not on {self.page.url}: {self.page.inner_text('main')}"

    def shoot(self, name: str) -> None:
        """Saves a picture of the whole page, where the run was asked for pictures."""
        if self.shots is not None:
            self.shots.mkdir(exist_ok=True)
            self.page.screenshot(path=self.shots / f"{name}.png", full_page=True)


@pytest.fixture(scope="module")
def service(broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Runs worker and gateway, and tells of young people at each point of the way."""
    folder = tmp_path_factory.mktemp("data")
    empty(broker.connection)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROBYGGER_DATA", str(folder))
        patch.setenv("KAFKA_BOOTSTRAP", broker.bootstrap)
        patch.setenv("BROBYGGER_PARTITIONS", "3")
        patch.setenv("BROBYGGER_SETTLE_SECONDS", "0")
        patch.setenv("BROBYGGER_GATEWAY_PORT", str(free_port()))
        create_keys(folder / "keys")
        assert run("topics", "apply").exit_code == 0
        assert run("programmes", "apply").exit_code == 0
        children = [a_gateway(folder), a_worker(folder)]
        try:
            for child in children:
                child.start()
            wait_until_ready(children, timedelta(seconds=120), threading.Event())
            tell_of_all()
            yield
        finally:
            stop_all(children)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Runs Debian's Chromium."""
    if not CHROMIUM.exists():
        pytest.fail("install Debian's chromium (apt-get install chromium): the pages are tested in it")
    with sync_playwright() as playwright:
        # Debian's Chromium can't make its sandbox as root in a container; it sees our own pages alone.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], env=dict(_LANGUAGE))
        yield browser
        browser.close()


@pytest.fixture
def visit(service: None, chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[[], Visit]]:
    """Returns what opens a window that has been nowhere; no script runs in any."""
    folder = request.config.getoption("--screenshots")
    contexts = []

    def opened() -> Visit:
        context = chromium.new_context(java_script_enabled=False, locale="da-DK", viewport=_WINDOW)
        contexts.append(context)
        return Visit(context.new_page(), Path(folder) if folder else None)

    yield opened
    for context in contexts:
        context.close()
