"""The page behind a signed link: what it records, for which need alone, and the code that it shows once."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from connectors.pages.links import ConsentLink, links_key, signed
from connectors.vault.claims import Claim, ClaimCodes
from schemas.identifiers import derived_id, derived_text
from tests.unit.pages.builders import Pages
from tests.unit.read_model.builders import NOW, YOUTH_ID, a_view
from tests.unit.vault.builders import allotted

pytestmark = pytest.mark.long

UNIT = "region-hovedstaden"
NEED = derived_id("need", "one")
GIVEN = {
    "decision": "given",
    "given_by": ["young_person"],
    "evidence": "signed",
    "scope": "anonymous",
    "custody": "UNKNOWN",
}
CODE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{3}")


def path_of(pages: Pages, **changes: Any) -> str:
    """Returns the path of a link to the need."""
    fields: dict[str, Any] = {
        "notice_id": UUID(int=1),
        "need_id": NEED,
        "recipient": UNIT,
        "expires_at": NOW + timedelta(days=7),
    }
    link = ConsentLink(**(fields | changes))
    return f"/consents/{signed(links_key(pages.gateway.settings.keys_folder), link)}"


@pytest.fixture(autouse=True)
async def need(pages: Pages) -> None:
    """Has a need wait for consent, of somebody whom the vault knows."""
    allotted(pages.gateway.app.state.desk.vault.engine, YOUTH_ID)
    await pages.project(a_view("one", state="awaiting_consent", owner=UNIT))


async def test_an_anonymous_consent_is_recorded_and_its_code_shown(pages: Pages) -> None:
    browser, act = pages.browser(), {"act_id": str(uuid4())}

    first = await browser.submit(path_of(pages), GIVEN | act)

    [consent] = pages.gateway.published("consents")
    [record] = pages.gateway.publisher.records
    code = CODE.search(first.text)
    assert code is not None
    claim = pages.gateway.app.state.desk.claim_codes.claim(code[0], "headspace", NOW)
    assert isinstance(claim, Claim)
    assert claim.youth_id == consent["youth_id"] == YOUTH_ID == record.key.decode()
    assert (consent["decision"], consent["scope"], consent["purpose"]) == ("given", "anonymous", "aftercare")
    assert (consent["given_by"], consent["recorded_by"], consent["source"]) == (["young_person"], UNIT, UNIT)


async def test_a_form_that_comes_again_shows_the_same_code(pages: Pages) -> None:
    browser, act = pages.browser(), {"act_id": str(uuid4())}

    answers = [await browser.submit(path_of(pages), GIVEN | act) for _ in range(3)]
    answers += await asyncio.gather(*(browser.submit(path_of(pages), GIVEN | act) for _ in range(3)))

    assert len({answer.text for answer in answers}) == 1
    assert CODE.search(answers[0].text)
    assert len(pages.gateway.published("consents")) == 1


@pytest.mark.parametrize("lost", ["claimed", "a day ago"])
async def test_where_the_code_cannot_be_shown_any_more_the_page_says_how_to_get_a_new_one(
    pages: Pages, lost: str
) -> None:
    browser, act = pages.browser(), {"act_id": str(uuid4())}
    first = CODE.findall((await browser.submit(path_of(pages), GIVEN | act)).text)
    if lost == "claimed":
        pages.gateway.app.state.desk.claim_codes.claim(first[0], "headspace", NOW)
    else:
        pages.gateway.clock.now += timedelta(days=1)

    again = await browser.submit(path_of(pages), GIVEN | act)
    anew = await browser.submit(path_of(pages), GIVEN | {"act_id": str(uuid4())})

    assert CODE.search(again.text) is None
    assert "kommer der en ny kode" in again.text
    assert CODE.findall(anew.text) not in ([], first)


async def test_a_named_consent_says_who_has_custody_and_has_no_code(pages: Pages) -> None:
    given = GIVEN | {"given_by": ["custody_holder", "other_custody_holder"], "scope": "named", "custody": "joint"}

    answer = await pages.browser().submit(path_of(pages), given | {"youth_unable": "yes"})

    [consent] = pages.gateway.published("consents")
    assert (consent["scope"], consent["custody"], consent["youth_unable"]) == ("named", "joint", True)
    assert consent["given_by"] == ["custody_holder", "other_custody_holder"]
    assert CODE.search(answer.text) is None


async def test_a_refusal_and_a_withdrawal_name_the_same_consent(pages: Pages) -> None:
    browser = pages.browser()

    for decision in ("given", "withdrawn", "refused"):
        answer = await browser.submit(path_of(pages), GIVEN | {"decision": decision})
        assert ("Giv den unge denne kode" in answer.text) is (decision == "given")

    consents = pages.gateway.published("consents")
    assert [one["decision"] for one in consents] == ["given", "withdrawn", "refused"]
    assert {one["subject"] for one in consents} == {derived_text("consent", str(NEED), UNIT)}


async def test_two_holders_of_a_sole_custody_are_asked_about(pages: Pages) -> None:
    """C4: who says so contradicts themselves; nothing is recorded."""
    given = GIVEN | {"given_by": ["custody_holder", "other_custody_holder"], "scope": "named", "custody": "sole"}

    answer = await pages.browser().submit(path_of(pages), given)

    assert (answer.status_code, "er der ingen anden indehaver" in answer.text) == (422, True)
    assert pages.gateway.published("consents") == []


@pytest.mark.parametrize("field", ["decision", "given_by", "evidence", "scope", "custody"])
@pytest.mark.parametrize("value", ["", "<script>", "UNKNOWN "])
async def test_what_is_missing_or_unknown_is_asked_for_again(pages: Pages, field: str, value: str) -> None:
    wrong = GIVEN | {field: f"{value}x" if value else ""}

    answer = await pages.browser().submit(path_of(pages), wrong)

    assert (answer.status_code, 'aria-invalid="true"' in answer.text) == (422, True)
    assert "<script" not in answer.text
    assert pages.gateway.publisher.records == []


async def test_a_link_that_is_forged_expired_or_for_no_need_shows_nothing(pages: Pages) -> None:
    token = path_of(pages)
    pages.gateway.clock.now = NOW
    paths = [f"{token}x", token[:-2], path_of(pages, expires_at=NOW), path_of(pages, need_id=uuid4())]

    for path in paths:
        answer = await pages.browser().see(path)
        assert (answer.status_code, "Linket virker ikke" in answer.text) == (404, True), path


async def test_a_form_of_one_link_does_not_go_to_another(pages: Pages) -> None:
    await pages.project(a_view("two", youth_id="f" * 32, place=(1, 0), state="awaiting_consent"))
    browser = pages.browser()
    other = path_of(pages, need_id=derived_id("need", "two"))
    page = await browser.see(path_of(pages))
    form = page.text.partition('name="form_token" value="')[2].partition('"')[0]

    answer = await browser.http.post(f"/pages{other}", data=GIVEN | {"form_token": form, "act_id": str(uuid4())})

    assert answer.status_code == 403
    assert pages.gateway.publisher.records == []


async def test_a_closed_need_wants_no_consent(pages: Pages) -> None:
    browser = pages.browser()
    page = await browser.see(path_of(pages))
    form = page.text.partition('name="form_token" value="')[2].partition('"')[0]
    await pages.project(a_view("one", place=(0, 1), state="closed", reason_code="deceased"))

    answer = await browser.http.post(
        f"/pages{path_of(pages)}", data=GIVEN | {"form_token": form, "act_id": str(uuid4())}
    )

    assert "behovet er lukket" in answer.text
    assert pages.gateway.publisher.records == []


async def test_a_consent_that_the_broker_did_not_take_can_be_sent_again(pages: Pages) -> None:
    browser, act = pages.browser(), {"act_id": str(uuid4())}

    pages.gateway.publisher.reachable = False
    away = await browser.submit(path_of(pages), GIVEN | act)
    pages.gateway.publisher.reachable = True
    again = await browser.submit(path_of(pages), GIVEN | act)

    assert (away.status_code, CODE.search(away.text)) == (503, None)
    assert CODE.search(again.text) is not None
    assert len(pages.gateway.published("consents")) == 1


async def test_a_process_that_ended_before_the_code_was_shown_gives_another(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, act = pages.browser(), {"act_id": str(uuid4())}

    with monkeypatch.context() as patch:
        patch.setattr(ClaimCodes, "make", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            await browser.submit(path_of(pages), GIVEN | act)
    again = await browser.submit(path_of(pages), GIVEN | act)

    assert CODE.search(again.text) is not None
    assert len({one["event_id"] for one in pages.gateway.published("consents")}) == 1


async def test_the_link_of_a_page_is_nowhere_in_it(pages: Pages) -> None:
    path = path_of(pages)

    assert path.removeprefix("/consents/") not in (await pages.browser().see(path)).text
