"""People at work in the browser: a coordinator, an owner, and a unit that takes a consent."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import Visit
from tests.browser.young_people import youth_id_of
from tests.integration.command_line import run, until

pytestmark = [pytest.mark.integration, pytest.mark.browser]
PROGRAMME = "ungevaerftet"
_PHONE: ViewportSize = {"width": 390, "height": 844}
_ROW_PIXELS_MAX = 150


def waiting(page: Page) -> list[str]:
    """Returns the addresses of what waits for an answer."""
    rows = page.get_by_role("region", name="Svar på disse").get_by_role("rowheader").get_by_role("link")
    return [str(row.get_attribute("href")) for row in rows.all()]


def open_first(visit: Visit) -> None:
    """Opens the first handover that waits for an answer."""
    visit.page.get_by_role("region", name="Svar på disse").get_by_role("rowheader").get_by_role("link").first.click()


def test_a_coordinator_sees_offers_and_accepts_declines_and_waitlists(visit: Callable[[], Visit]) -> None:
    coordinator = visit()
    coordinator.sign_in("programme", PROGRAMME)
    page = coordinator.page
    coordinator.until_there("Svar på disse")
    _until_offered(coordinator, 4)
    coordinator.shoot("worklist")

    open_first(coordinator)
    page.get_by_role("button", name="Tag imod").click()
    expect(page.get_by_role("status")).to_contain_text("Svaret er registreret")
    expect(page.get_by_role("status")).to_contain_text("Taget imod")
    expect(page.get_by_label("Kode")).to_be_visible()

    page.get_by_role("link", name="Alle henvendelser").click()
    open_first(coordinator)
    page.get_by_label("Vi", exact=True).check()
    page.get_by_label("Hvorfor?").select_option("no_capacity")
    page.get_by_role("button", name="Sig nej").click()
    expect(page.get_by_role("status")).to_contain_text("I har sagt nej")

    page.get_by_role("link", name="Alle henvendelser").click()
    open_first(coordinator)
    page.get_by_label("Til og med").fill((datetime.now(UTC) + timedelta(days=20)).date().isoformat())
    page.get_by_role("button", name="Sæt på venteliste").click()
    expect(page.get_by_role("status")).to_contain_text("På jeres venteliste")

    page.get_by_role("link", name="Alle henvendelser").click()
    expect(page.get_by_role("region", name="Taget imod: kontakt den unge").get_by_role("rowheader")).to_have_count(1)
    expect(page.get_by_role("region", name="På jeres venteliste").get_by_role("rowheader")).to_have_count(1)
    assert len(waiting(page)) == 1


def test_an_answer_that_comes_too_late_is_refused_in_words(visit: Callable[[], Visit]) -> None:
    first, second = visit(), visit()
    for window in (first, second):
        window.sign_in("programme", "headspace")
        window.until_there("Svar på disse")  # the one that Ungeværftet has declined, or offered by its owner
    address = f"{first.page.url.partition('/pages')[0]}{waiting(first.page)[0]}"
    first.page.goto(address)
    second.page.goto(address)

    first.page.get_by_role("button", name="Tag imod").click()
    expect(first.page.get_by_role("status")).to_contain_text("Svaret er registreret")
    second.page.get_by_label("Vi", exact=True).check()
    second.page.get_by_label("Hvorfor?").select_option("no_capacity")
    second.page.get_by_role("button", name="Sig nej").click()

    expect(second.page.get_by_role("alert")).to_contain_text("Svaret blev afvist")
    expect(second.page.get_by_role("alert")).to_contain_text("Intet er ændret")


def test_a_row_is_short_on_a_phone_and_nothing_is_wider_than_it(visit: Callable[[], Visit]) -> None:
    coordinator = visit()
    coordinator.sign_in("programme", PROGRAMME)
    page = coordinator.page
    page.set_viewport_size(_PHONE)
    _until_offered(coordinator, 1)

    rows = page.locator("tbody tr").all()
    boxes = [box for one in (*rows, page.locator("main")) if (box := one.bounding_box())]
    assert len(boxes) == len(rows) + 1
    assert max(box["x"] + box["width"] for box in boxes) <= _PHONE["width"]
    assert max(box["height"] for box in boxes[:-1]) <= _ROW_PIXELS_MAX


def test_a_search_is_an_address_that_can_be_opened_again(visit: Callable[[], Visit]) -> None:
    coordinator = visit()
    coordinator.sign_in("programme", PROGRAMME)
    page = coordinator.page
    _until_offered(coordinator, 1)

    page.get_by_text("Søg og filtrér").click()
    page.get_by_role("searchbox").fill("ingen som hedder sådan")
    page.get_by_role("button", name="Vis", exact=True).click()
    expect(page.get_by_text("Ingen henvendelser passer til søgningen.")).to_be_visible()
    page.get_by_role("searchbox").fill("helsingør")
    page.get_by_role("button", name="Vis", exact=True).click()
    page.goto(page.url)

    assert waiting(page)
    expect(page.get_by_role("searchbox")).to_have_value("helsingør")


def test_an_owner_offers_a_need_to_another_programme(visit: Callable[[], Visit]) -> None:
    owner = visit()
    owner.sign_in("owner", "municipality-0360")
    page = owner.page
    owner.until_there("Afventer jeres stillingtagen")
    page.get_by_role("region", name="Venter på jer").get_by_role("rowheader").get_by_role("link").click()
    expect(page.get_by_text("Ungeværftet: dækker ikke kommunen")).to_be_visible()
    page.get_by_role("button", name="Overtag behovet").click()
    expect(page.get_by_role("status")).to_contain_text("Det er gjort")
    expect(page.get_by_text("Lolland Kommune overtog behovet")).to_be_visible()
    owner.shoot("need")

    page.get_by_label("Tilbud", exact=True).select_option("headspace")
    page.get_by_role("button", name="Send").click()

    expect(page.get_by_role("status")).to_contain_text("Det er gjort")
    expect(page.get_by_role("status")).to_contain_text("headspace")
    page.get_by_role("link", name="Alle behov").click()
    expect(page.get_by_role("region", name="I gang").get_by_role("rowheader")).to_have_count(1)


def test_a_unit_records_a_consent_through_the_link_of_its_notice(visit: Callable[[], Visit]) -> None:
    notice = until(_consent_wanted, 60)
    link = until(lambda: (made := run("links", "make", notice)).exit_code == 0 and made.stdout.strip(), 60)
    unit, coordinator = visit(), visit()
    coordinator.sign_in("programme", PROGRAMME)
    others = len(waiting(coordinator.page))
    page = unit.page
    page.goto(link)
    unit.shoot("consent")

    page.get_by_label("Ja, der er givet samtykke").check()
    page.get_by_label("Den unge selv").check()
    page.get_by_label("Mundtligt, noteret i journalen").check()
    page.get_by_label("Anonymt: tilbuddet får ikke navnet.").check()
    page.get_by_label("Ved ikke").check()
    page.get_by_role("button", name="Gem").click()

    expect(page.get_by_role("heading", name="Det er gemt")).to_be_visible()
    code = page.locator(".code").inner_text()
    _claim_at_the_programme(coordinator, code, others)
    page.goto(f"{link}x")
    expect(page.get_by_role("heading", name="Linket virker ikke")).to_be_visible()


def _claim_at_the_programme(coordinator: Visit, code: str, others: int) -> None:
    """Enters the code, as the programme's coordinator, once the need is offered there beside the others."""
    page = coordinator.page
    _until_offered(coordinator, others + 1)
    page.get_by_role("region", name="Har en ung vist jer en kode?").get_by_label("Kode").fill(code)
    page.get_by_role("button", name="Brug koden").click()
    expect(page.get_by_role("status")).to_contain_text("Svaret er registreret")
    expect(page.get_by_role("status")).to_contain_text("I kontakt")


def _until_offered(coordinator: Visit, count: int) -> None:
    page = coordinator.page

    def offered() -> bool:
        page.goto(page.url)
        return len(waiting(page)) >= count

    assert until(offered, 60)


def _consent_wanted() -> str | None:
    # A process of its own: Playwright's loop runs in this one, and the command would start a second.
    wanted = ["subscribe", "notices", "--timeout", "2", "--limit", "9", "--json"]
    printed = subprocess.run([sys.executable, "-m", "streams.cli", *wanted], capture_output=True, check=False).stdout
    told = [json.loads(line)["event"] for line in printed.splitlines()]
    # Consents and discharges are read from two topics: of the others too a consent may be wanted for a moment.
    about = [one for one in told if UUID(one["youth_id"]).hex == youth_id_of("consent")]
    return next((one["event_id"] for one in about if one["kind"] == "consent_wanted"), None)
