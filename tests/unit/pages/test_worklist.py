"""The worklist: what it shows, to whom alone, and the replies that its forms become."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from connectors.pages.sessions import SESSION_TIME_MAX
from connectors.read_model.feed import FetchedRecord
from tests.unit.pages.builders import Pages, the_pages
from tests.unit.read_model.builders import NOW, YOUTH_ID, an_answer, handover_id, told
from tests.unit.vault.builders import allotted

pytestmark = pytest.mark.long

HOSTILE = "<script>alert('x')</script>\"'&{{7*7}}"


def an_offer(pages: Pages, name: str = "one", place: tuple[int, int] = (0, 0), **changes: Any) -> FetchedRecord:
    """Returns an offer under a pseudonym that the gateway knows."""
    programme = changes.get("programme", "headspace")
    return told(name, place, **{"youth_id": pages.gateway.pseudonym(programme), **changes})


async def test_an_offer_shows_why_for_whom_where_and_by_when_in_danish_time(pages: Pages) -> None:
    await pages.project(an_offer(pages, site="helsingoer", reply_by=NOW + timedelta(days=1)))
    browser = await pages.signed_in()

    text = (await browser.see("/worklist")).text

    for shown in ("Efterforløb", "Udskrevet fra psykiatrisk afdeling", "15-17 år, Helsingør", "headspace Helsingør"):
        assert shown in text, shown
    assert "søndag 11. januar 2026 kl. 13.00" in text
    assert "Overskredet" not in text


async def test_what_is_overdue_is_marked_by_word(pages: Pages) -> None:
    await pages.project(an_offer(pages, reply_by=NOW))
    browser = await pages.signed_in()

    assert "Overskredet" in (await browser.see("/worklist")).text


async def test_a_programme_sees_and_answers_its_own_alone(pages: Pages) -> None:
    await pages.project(an_offer(pages, "theirs", programme="ungevaerftet"))
    browser = await pages.signed_in()
    listed = await browser.see("/worklist")
    shown = await browser.see(f"/worklist/{handover_id('theirs')}")
    form = listed.text.partition('name="form_token" value="')[2].partition('"')[0]

    answered = await browser.http.post(
        f"/pages/worklist/{handover_id('theirs')}",
        data={"form_token": form, "act": "accepted", "act_id": str(uuid4())},
    )

    assert handover_id("theirs")[:8] not in listed.text
    assert (shown.status_code, answered.status_code) == (404, 404)
    assert pages.gateway.publisher.records == []


async def test_a_coordinator_of_one_site_sees_and_answers_for_that_site_alone(pages: Pages) -> None:
    await pages.project(
        an_offer(pages, "theirs", (0, 0), site="koebenhavn"), an_offer(pages, "ours", (0, 1), site="helsingoer")
    )
    browser = await pages.signed_in(site="helsingoer")

    listed = (await browser.see("/worklist")).text
    shown = [(await browser.see(f"/worklist/{handover_id(name)}")).status_code for name in ("ours", "theirs")]

    assert handover_id("ours")[:8] in listed
    assert handover_id("theirs")[:8] not in listed
    assert shown == [200, 404]
    assert 'value="koebenhavn"' not in listed


async def test_hostile_values_are_shown_as_text(pages: Pages) -> None:
    await pages.project(an_offer(pages, age_band=HOSTILE, site=HOSTILE))
    browser = await pages.signed_in()

    case = f"/worklist/{handover_id('one')}"
    for path in ("/worklist", case, f"{case}?answer={HOSTILE}", f"{case}?answer={uuid4()}"):
        text = (await browser.see(path)).text
        assert "<script" not in text
        assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&#34;&#39;&amp;{{7*7}}" in text


@pytest.mark.parametrize(
    ("state", "fields", "said"),
    [
        ("offered", {"act": "accepted"}, {"status": "accepted"}),
        (
            "offered",
            {"act": "declined", "declined_side": "programme", "declined_reason": "no_capacity"},
            {"status": "declined", "side": "programme", "reason_code": "no_capacity"},
        ),
        ("offered", {"act": "waitlisted", "waitlisted_until": "2026-03-01"}, {"status": "waitlisted"}),
        ("waitlisted", {"act": "accepted"}, {"status": "accepted"}),
        ("accepted", {"act": "first_contact"}, {"status": "first_contact"}),
        ("accepted", {"act": "no_show"}, {"status": "no_show"}),
        (
            "accepted",
            {"act": "ended", "ended_side": "young_person", "ended_reason": "no_show"},
            {"status": "ended", "side": "young_person", "reason_code": "no_show"},
        ),
        ("in_contact", {"act": "fulfilled"}, {"status": "fulfilled"}),
        ("withdrawn", {"act": "recalled_and_deleted"}, {"status": "recalled_and_deleted"}),
    ],
)
async def test_each_act_becomes_the_reply_that_the_other_doors_take(
    pages: Pages, state: str, fields: dict[str, str], said: dict[str, str]
) -> None:
    await pages.project(an_offer(pages, state=state, type="updated", identity="named"))
    browser = await pages.signed_in()

    answer = await browser.submit(f"/worklist/{handover_id('one')}", fields, act=fields["act"])

    [reply] = pages.gateway.published("replies")
    assert {name: reply[name] for name in said} == said
    assert (reply["subject"], reply["programme"]) == (handover_id("one"), "headspace")
    assert "Svaret er sendt" in answer.text


async def test_a_waiting_list_has_its_day(pages: Pages) -> None:
    await pages.project(an_offer(pages))
    browser = await pages.signed_in()
    path = f"/worklist/{handover_id('one')}"

    for day in ("", "soon", "2026-01-10", "2028-01-01"):
        answer = await browser.submit(path, {"waitlisted_until": day}, act="waitlisted")
        assert (answer.status_code, 'aria-invalid="true"' in answer.text) == (422, True), day
    await browser.submit(path, {"waitlisted_until": "2026-01-11"}, act="waitlisted")

    [reply] = pages.gateway.published("replies")
    assert date(1970, 1, 1) + timedelta(days=reply["waitlisted_until"]) == date(2026, 1, 11)


async def test_a_decline_names_its_side_and_one_of_the_reasons(pages: Pages) -> None:
    await pages.project(an_offer(pages))
    browser = await pages.signed_in()
    path = f"/worklist/{handover_id('one')}"
    whole = {"declined_side": "programme", "declined_reason": "no_capacity"}

    for name in whole:
        for value in ("", HOSTILE):
            answer = await browser.submit(path, whole | {name: value}, act="declined")
            assert answer.status_code == 422
            assert "<script" not in answer.text

    assert pages.gateway.publisher.records == []


async def test_the_same_form_sent_twice_is_one_reply(pages: Pages) -> None:
    await pages.project(an_offer(pages))
    browser = await pages.signed_in()
    path = f"/worklist/{handover_id('one')}"
    act = {"act_id": str(uuid4())}

    first = await browser.submit(path, act, act="accepted")
    pages.gateway.clock.now += timedelta(seconds=2)
    second = await browser.submit(path, act, act="accepted")

    assert first.url == second.url
    assert len(pages.gateway.published("replies")) == 1


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "Svar: taget imod. Henvendelsens status er nu: Taget imod."),
        (
            {"type": "reply_refused", "reason_code": "handover_withdrawn", "state": "withdrawn"},
            "Grund: henvendelsen er trukket tilbage. Henvendelsens status er: Trukket tilbage. Intet er ændret.",
        ),
    ],
)
async def test_the_answer_to_an_act_is_shown_in_words(pages: Pages, changes: dict[str, Any], shown: str) -> None:
    reply = UUID(int=7)
    await pages.project(an_offer(pages), an_answer(reply, **changes))
    browser = await pages.signed_in()

    assert shown in (await browser.see(f"/worklist/{handover_id('one')}?answer={reply}")).text


async def test_an_answer_to_another_programme_is_not_shown(pages: Pages) -> None:
    reply = UUID(int=7)
    theirs = an_answer(reply, "theirs", programme="ungevaerftet")
    await pages.project(an_offer(pages), theirs)
    browser = await pages.signed_in()

    assert "Svaret er sendt" in (await browser.see(f"/worklist/{handover_id('one')}?answer={reply}")).text


async def test_a_broker_that_is_away_is_told_and_nothing_is_lost(pages: Pages) -> None:
    await pages.project(an_offer(pages))
    browser = await pages.signed_in()
    path, act = f"/worklist/{handover_id('one')}", {"act_id": str(uuid4())}

    pages.gateway.publisher.reachable = False
    away = await browser.submit(path, act, act="accepted")
    pages.gateway.publisher.reachable = True
    again = await browser.submit(path, act, act="accepted")

    assert (away.status_code, again.status_code) == (503, 200)
    assert len(pages.gateway.published("replies")) == 1


async def test_an_anonymous_first_contact_is_by_the_code_that_the_young_person_shows(pages: Pages) -> None:
    await pages.project(an_offer(pages, state="accepted", type="updated"))
    browser = await pages.signed_in()
    path, desk = f"/worklist/{handover_id('one')}", pages.gateway.app.state.desk
    allotted(desk.vault.engine, YOUTH_ID)
    code = desk.claim_codes.make(YOUTH_ID, NOW)
    shown = await browser.see(path)

    wrong = await browser.submit(path, {"code": "7K3Q-X9M2-TDF"}, to="/worklist/claims")
    right = await browser.submit(path, {"code": f" {code.lower()} "}, to="/worklist/claims")

    assert "Vi har haft kontakt" not in shown.text
    assert (wrong.status_code, "Koden blev ikke godkendt" in wrong.text) == (422, True)
    assert "Koden er modtaget" in right.text
    [reply] = pages.gateway.published("replies")
    assert (reply["status"], desk.pseudonyms.youth_of("headspace", reply["youth_id"])) == ("code_claimed", YOUTH_ID)


@pytest.mark.parametrize(
    ("state", "identity", "shown"),
    [
        ("offered", "named", "I kan hente navnet, når I har taget imod."),
        ("accepted", "named", "Navnet vises ikke her. Det hentes med jeres egen nøgle"),
        ("in_contact", "named", "Navnet vises ikke her. Det hentes med jeres egen nøgle"),
        ("ended", "named", "<dd>Med navn. </dd>"),
        ("accepted", "anonymous", "Den unge har en kode"),
        ("in_contact", "anonymous", "<dd>Anonym. </dd>"),
    ],
)
async def test_how_to_learn_who_it_is_is_said_as_long_as_it_is_to_be_learnt(
    pages: Pages, state: str, identity: str, shown: str
) -> None:
    await pages.project(an_offer(pages, state=state, type="updated", identity=identity))
    browser = await pages.signed_in()

    assert shown in (await browser.see(f"/worklist/{handover_id('one')}")).text


async def test_free_places_are_told_for_a_site(pages: Pages) -> None:
    browser = await pages.signed_in()
    places = {"free_places": "3", "site": "helsingoer"}

    for wrong in (
        {"free_places": "-1"},
        {"free_places": "many"},
        {"free_places": "²"},
        {"free_places": "000000" + "9" * 5000},
        {"site": "nowhere"},
    ):
        answer = await browser.submit("/worklist", places | wrong, to="/worklist/free-places")
        assert answer.status_code == 422
    taken = await browser.submit("/worklist", places, to="/worklist/free-places")

    [reply] = pages.gateway.published("replies")
    assert (reply["status"], reply["free_places"], reply["site"]) == ("free_capacity", 3, "helsingoer")
    assert "Antallet af ledige pladser er meldt" in taken.text


async def test_an_act_after_the_session_has_ended_does_nothing(pages: Pages) -> None:
    await pages.project(an_offer(pages))
    browser = await pages.signed_in()
    page = await browser.see(f"/worklist/{handover_id('one')}")
    form = page.text.partition('name="form_token" value="')[2].partition('"')[0]

    pages.gateway.clock.now += SESSION_TIME_MAX
    answer = await browser.http.post(
        f"/pages/worklist/{handover_id('one')}",
        data={"form_token": form, "act": "accepted", "act_id": str(uuid4())},
    )

    assert answer.url.path == "/pages/sign-in"
    assert pages.gateway.publisher.records == []


async def test_two_acts_at_once_are_two_replies(pages: Pages) -> None:
    await pages.project(an_offer(pages), an_offer(pages, "two", (0, 1)))
    browser = await pages.signed_in()

    await asyncio.gather(
        *(browser.submit(f"/worklist/{handover_id(name)}", {}, act="accepted") for name in ("one", "two"))
    )

    assert {reply["subject"] for reply in pages.gateway.published("replies")} == {
        handover_id("one"),
        handover_id("two"),
    }


async def test_a_code_that_is_refused_later_says_why_on_the_worklist(tmp_path: Path) -> None:
    async with the_pages(tmp_path / "data", answer_time_max=timedelta(seconds=20)) as pages:
        browser, desk = await pages.signed_in(), pages.gateway.app.state.desk
        allotted(desk.vault.engine, YOUTH_ID)
        code = desk.claim_codes.make(YOUTH_ID, NOW)

        claiming = asyncio.create_task(browser.submit("/worklist", {"code": code}, to="/worklist/claims"))
        await pages.gateway.publisher.published(1)
        [reply] = pages.gateway.published("replies")
        refused: dict[str, Any] = {"type": "reply_refused", "reason_code": "unknown_handover", "state": None}
        refused |= {"subject": "claim"}
        await pages.project(an_answer(UUID(str(reply["event_id"])), "nobody", **refused))
        answer = await claiming

    assert answer.status_code == 422
    assert "Koden blev ikke godkendt: henvendelsen er ikke jeres." in answer.text
