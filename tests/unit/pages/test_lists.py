"""Both lists: the most urgent first, fifty a page, searched and filtered by their addresses; and a need's history."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from connectors.gateway.clients.clients import ClientKind
from connectors.pages.call_words import beginning_of, call_words
from connectors.pages.words import DECISIONS, NOTICES_SENT, TOLD
from connectors.read_model.feed import FetchedRecord
from connectors.vault.keys import pseudonym_roots
from connectors.vault.pseudonyms import Pseudonyms
from schemas.codes import HandoverEventType, InterventionAction, NoticeKind
from schemas.identifiers import derived_id, derived_text
from schemas.instants import milliseconds_of, moment_of
from tests.unit.pages.builders import Browser, Pages
from tests.unit.pages.test_worklist import an_offer
from tests.unit.read_model.builders import NOW, a_decision, a_notice, a_view, handover_id, told

pytestmark = pytest.mark.long

OWNER = "municipality-0217"
MINE: dict[str, Any] = {"state": "with_person", "owner": OWNER, "reason_code": "no_programme"}


def a_need(number: int, **changes: Any) -> FetchedRecord:
    """Returns a need of a young person of its own, due in as many hours as its number says."""
    own = {"clock_at": NOW + timedelta(hours=number), "since": NOW - timedelta(hours=number)}
    return a_view(f"n{number}", place=(0, number), youth_id=f"{number:032x}", **(MINE | own | changes))


async def an_owner(pages: Pages) -> Browser:
    """Returns a browser in which an owner is signed in."""
    return await pages.signed_in(ClientKind.OWNER, OWNER)


def numbers_on(text: str, names: str, count: int) -> list[int]:
    """Returns the numbers of the rows of a page, in its order."""
    ids = {(handover_id if names == "o" else need_id)(f"{names}{number}"): number for number in range(count)}
    return [ids[one] for one in re.findall(r'<th scope="row"><a href="/pages/(?:needs|worklist)/([^"]+)"', text)]


def need_id(name: str) -> str:
    return str(derived_id("need", name))


async def test_the_most_urgent_need_comes_first_and_what_waits_for_the_owner_before_the_rest(pages: Pages) -> None:
    others = {"state": "offered", "programme": "headspace"}
    await pages.project(a_need(3), a_need(0, **others), a_need(1), a_need(2, clock_at=None), a_need(4, **others))

    text = (await (await an_owner(pages)).see("/needs")).text

    assert numbers_on(text, "n", 5) == [1, 3, 2, 0, 4]


async def test_a_list_has_pages_of_fifty_and_says_how_many_there_are(pages: Pages) -> None:
    await pages.project(*(a_need(number) for number in range(120)))
    browser = await an_owner(pages)

    first, third = (await browser.see("/needs")).text, (await browser.see("/needs?page=3")).text

    assert numbers_on(first, "n", 120) == list(range(50))
    assert numbers_on(third, "n", 120) == list(range(100, 120))
    assert ("1–50 af 120" in first, "101–120 af 120" in third) == (True, True)  # noqa: RUF001 as it is printed
    assert ('rel="prev"' in first, 'href="/pages/needs?page=2"' in first) == (False, True)
    assert 'rel="next"' not in third
    assert numbers_on((await browser.see("/needs?page=999999")).text, "n", 120) == list(range(100, 120))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=plan", [1]),
        ("q=ventende", []),
        ("q=intet+tilbud", [0, 1]),
        ("q=HELSING%C3%98R+15%E2%80%9317+%C3%A5r", [0, 1, 2]),
        (f"q=nr.+{need_id('n2')[:8]}", [2]),
        ("q=headspace", [2]),
        (f"q={quote(call_words(need_id('n2')).upper())}", [2]),
        ("q=%25", []),
        ("q=_", []),
        ("q=a%00b", []),
        ("status=mine", [0, 1]),
        ("status=under_way", [2]),
        ("status=offered&kind=aftercare", [2]),
        ("status=offered&kind=plan", []),
        ("status=closed", [3]),
        ("status=closed&q=anden+hj%C3%A6lp", [3]),
        ("municipality=0217&q=efterforl%C3%B8b", [0, 2]),
        ("municipality=0101", []),
    ],
)
async def test_an_address_searches_and_filters(pages: Pages, query: str, found: list[int]) -> None:
    await pages.project(
        a_need(0),
        a_need(1, kind="plan"),
        a_need(2, state="offered", programme="headspace", reason_code=None),
        a_need(3, state="closed", reason_code="other_help", clock_at=None),
    )

    text = (await (await an_owner(pages)).see(f"/needs?{query}")).text

    assert numbers_on(text, "n", 4) == found


@pytest.mark.parametrize(
    "query",
    ["status=<script>", "kind=x", "municipality=Helsing", "page=0", "page=-1", "page=x", "page=²", "q=" + "x" * 101],
)
@pytest.mark.parametrize("path", ["/needs", "/worklist"])
async def test_what_a_list_does_not_have_is_refused_in_words(pages: Pages, path: str, query: str) -> None:
    browser = await (an_owner(pages) if path == "/needs" else pages.signed_in())

    answer = await browser.see(f"{path}?{query}")

    assert (answer.status_code, "<script" in answer.text) == (422, False)
    assert re.search("Vælg igen på listen|helt tal fra 1|højst 100 tegn", answer.text)


async def test_the_pages_of_a_search_are_addresses_that_keep_it(pages: Pages) -> None:
    await pages.project(*(a_need(number) for number in range(60)))

    text = (await (await an_owner(pages)).see("/needs?q=Helsing%C3%B8r&kind=aftercare")).text

    assert 'href="/pages/needs?q=Helsing%C3%B8r&amp;kind=aftercare&amp;page=2"' in text
    assert 'value="Helsingør"' in text
    assert '<option value="aftercare" selected>' in text


async def test_rows_differ_by_more_than_the_number(pages: Pages) -> None:
    same = {"clock_at": NOW, "since": NOW}
    await pages.project(*(a_need(number, **same) for number in range(3)))
    await pages.project(*(an_offer(pages, f"o{number}", (1, number)) for number in range(3)))

    for browser, path in ((await an_owner(pages), "/needs"), (await pages.signed_in(), "/worklist")):
        rows = re.findall(r"<tr.*?</tr>", (await browser.see(path)).text, flags=re.DOTALL)[1:]
        said = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]
        assert len(set(said)) == 3
        assert all(re.match(r"Efterforløb, 15-17 år, Helsingør [A-ZÆØÅ][a-zæøå]+-[a-zæøå]+ · ", one) for one in said)


def test_every_id_has_two_words_by_which_it_is_found() -> None:
    beginnings = [f"{first:02x}{second:02x}" for first in range(256) for second in (0, 127, 255)]

    assert [beginning_of(call_words(f"{one}f143")) for one in beginnings] == beginnings
    assert beginning_of("birk-bølge-lind") is None
    assert call_words("free_capacity") == ""


async def test_a_coordinator_sees_what_is_overdue_first_then_the_tasks_by_their_deadlines(pages: Pages) -> None:
    hours = timedelta(hours=1)
    offer = {"type": "offered", "state": "offered"}
    await pages.project(
        an_offer(pages, "o0", (1, 0), reply_by=NOW + 9 * hours, **offer),
        an_offer(pages, "o1", (1, 1), reply_by=NOW + 2 * hours, **offer),
        an_offer(pages, "o2", (1, 2), type="updated", state="waitlisted", reply_by=None),
        an_offer(pages, "o3", (1, 3), type="updated", state="accepted", first_contact_by=NOW - hours),
        an_offer(pages, "o4", (1, 4), type="updated", state="accepted", first_contact_by=NOW + hours),
        an_offer(pages, "o5", (1, 5), type="withdrawn", state="withdrawn", reply_by=NOW + hours),
        an_offer(pages, "o6", (1, 6), type="withdrawn", state="withdrawn", reply_by=None, reason_code="expired"),
    )
    browser = await pages.signed_in()

    text, past = (await browser.see("/worklist")).text, (await browser.see("/worklist?status=past")).text

    assert numbers_on(text, "o", 7) == [3, 1, 0, 4, 5, 2]
    assert numbers_on(past, "o", 7) == [6]
    assert text.index("Fristen er overskredet <span") < text.index("Svar på disse <span")
    assert "I svarede ikke i tide" in past


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=k%C3%B8benhavn", [1]),
        ("q=med+navn", [1]),
        ("site=helsingoer", [0]),
        ("status=accepted", [1]),
        ("status=overdue", []),
        ("municipality=0101", [1]),
    ],
)
async def test_a_coordinator_searches_and_filters_by_the_address(pages: Pages, query: str, found: list[int]) -> None:
    later = {"reply_by": NOW + timedelta(days=1), "first_contact_by": NOW + timedelta(days=2)}
    there = {"site": "koebenhavn", "municipality": "0101", "identity": "named", "state": "accepted"}
    await pages.project(
        an_offer(pages, "o0", (1, 0), site="helsingoer", **later), an_offer(pages, "o1", (1, 1), **there, **later)
    )

    text = (await (await pages.signed_in()).see(f"/worklist?{query}")).text

    assert numbers_on(text, "o", 2) == found


async def test_fifty_of_a_worklist_stand_on_a_page_with_the_count_of_all(pages: Pages) -> None:
    await pages.project(
        *(an_offer(pages, f"o{one}", (1, one), reply_by=NOW + timedelta(hours=1 + one)) for one in range(55))
    )
    browser = await pages.signed_in()

    first, second = (await browser.see("/worklist")).text, (await browser.see("/worklist?page=2")).text

    assert numbers_on(first, "o", 55) == list(range(50))
    assert numbers_on(second, "o", 55) == list(range(50, 55))
    assert 'Svar på disse <span class="count">55</span>' in second


async def test_a_needs_history_tells_who_did_what_in_the_order_in_which_it_happened(pages: Pages) -> None:
    def at(days: int) -> dict[str, Any]:
        return {"occurred_at": NOW - timedelta(days=days)}

    about = {"subject": need_id("n0"), "recipient": OWNER}
    pseudonyms = Pseudonyms(pseudonym_roots(pages.gateway.settings.keys_folder))
    first = derived_text("handover", need_id("n0"), "headspace", "1")
    named, alone = (pseudonyms.alias_of("headspace", f"{0:032x}", only) for only in (None, first))
    by_name, anonymously = ({"correlation_id": one.ids.shown(need_id("n0"))} for one in (named, alone))
    answer = {"type": "reply_accepted", "reason_code": "declined"}
    await pages.project(
        a_need(0),
        told("n0", (5, 0), **anonymously, **at(9)),
        told("n0", (5, 1), event_id=derived_id("no"), **answer, **anonymously, **at(8)),
        told("n0", (5, 2), event_id=derived_id("w"), type="withdrawn", reason_code="expired", **by_name, **at(7)),
        told("n0", (5, 3), event_id=derived_id("other"), **at(6)),
        a_notice("asked", (0, 0), **about | {"recipient": "region-sjaelland"}, kind="consent_wanted", **at(6)),
        a_notice("escalated", (0, 1), **about, reason_code="no_answer", **at(5)),
        a_decision("taken", (0, 0), about="n0", actor=OWNER, **at(4)),
        a_decision(
            "sent", (0, 1), about="n0", actor="anna", role="visitator", action="offered", programme="headspace", **at(3)
        ),
        a_decision("other", (0, 2), about="n1", actor="bo", **at(2)),
    )

    text = (await (await an_owner(pages)).see(f"/needs/{need_id('n0')}")).text

    history = text.partition('aria-labelledby="history">')[2]
    said = [" ".join(re.sub(r"<[^>]+>", "", one).split()) for one in re.findall(r"<li><time.*?</li>", history)]
    assert [one.partition(": ")[2] for one in said] == [
        "headspace fik henvendelsen",
        "headspace svarede: sagt nej",
        "headspace fik besked om, at henvendelsen er trukket tilbage (tilbuddet svarede ikke i tide)",
        "Region Sjælland blev spurgt om samtykke (intet tilbud passer)",
        "Helsingør Kommune blev bedt om at tage stilling (intet tilbud har sagt ja)",
        "Helsingør Kommune overtog behovet",
        "anna (visitator) sendte behovet til headspace",
    ]
    assert said[0].startswith("torsdag 1. januar 2026 kl. 13.00")


async def test_a_needs_history_tells_a_cause_before_its_effect_whatever_time_a_programme_is_shown(pages: Pages) -> None:
    pseudonyms = Pseudonyms(pseudonym_roots(pages.gateway.settings.keys_folder))
    need, told_at = need_id("n0"), milliseconds_of(NOW)

    def a_record(programme: str, nth: int, **changes: Any) -> FetchedRecord:
        own = derived_text("handover", need, programme, "1")
        alias = pseudonyms.alias_of(programme, f"{0:032x}", own)
        shown = {"youth_id": alias.pseudonym, "correlation_id": alias.ids.shown(need)}
        at = moment_of(alias.ids.earlier(told_at))
        return told(
            "n0", (5, nth), event_id=derived_id(programme), programme=programme, occurred_at=at, **shown, **changes
        )

    programmes = ("headspace", "ungevaerftet", "unik-recovery-young")
    await pages.project(
        a_need(0),
        a_decision("sent", (0, 1), about="n0", actor=OWNER, action="offered", programme="headspace", occurred_at=NOW),
        a_record(programmes[0], 1),
        a_record(programmes[1], 2, type="reply_accepted", reason_code="declined"),
        a_record(programmes[2], 3, type="withdrawn", reason_code="expired"),
    )

    history = (await (await an_owner(pages)).see(f"/needs/{need}")).text.partition('aria-labelledby="history">')[2]

    said = [re.sub(r"<[^>]+>", "", one) for one in re.findall(r"<li><time.*?</li>", history)]
    assert "sendte behovet" in said[0]
    assert "headspace fik henvendelsen" in said[-1]
    assert len(said) == 4


def test_whatever_may_stand_in_a_history_has_words() -> None:
    assert set(NOTICES_SENT) == set(NoticeKind) - {NoticeKind.UNKNOWN}
    assert set(TOLD) == set(HandoverEventType) - {HandoverEventType.UNKNOWN}
    assert set(DECISIONS) == set(InterventionAction) - {InterventionAction.UNKNOWN, InterventionAction.ERASED}
