"""An owner's page: what it shows, to whom alone, and the decisions that its forms become."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from connectors.gateway.clients.clients import ClientKind
from connectors.pages.names import names_of
from connectors.pages.needs import NeedAsOf
from connectors.pages.owner_page import jurisdiction_of
from schemas.identifiers import derived_id
from schemas.programmes import load_programmes
from schemas.reference import load_reference
from tests.unit.gateway.prepared import ROOT
from tests.unit.pages.builders import Browser, Pages
from tests.unit.read_model.builders import NOW, YOUTH_ID, a_decision, a_notice, a_view

pytestmark = pytest.mark.long

OWNER, NEED = "municipality-0217", str(derived_id("need", "one"))
WAITING: dict[str, Any] = {
    "state": "with_person",
    "owner": OWNER,
    "reason_code": "no_programme",
    "options": (
        {"programme": "headspace", "outcome": "already_tried"},
        {"programme": "ungevaerftet", "outcome": "over_age"},
    ),
}
HOSTILE = "<script>alert('x')</script>"


async def an_owner(pages: Pages, name: str = OWNER) -> Browser:
    """Returns a browser in which an owner is signed in."""
    return await pages.signed_in(ClientKind.OWNER, name)


async def test_a_need_shows_what_waits_since_when_and_why_nothing_fitted_and_no_identity(pages: Pages) -> None:
    await pages.project(a_view("one", **WAITING))
    browser = await an_owner(pages)

    listed, shown = (await browser.see("/needs")).text, (await browser.see(f"/needs/{NEED}")).text

    for text in (
        "Efterforløb",
        "Afventer jeres stillingtagen",
        "15-17 år, Helsingør",
        "lørdag 10. januar 2026 kl. 13.00",
    ):
        assert text in listed, text
    assert "headspace: er allerede prøvet" in shown
    assert "Ungeværftet: den unge er for gammel" in shown
    assert YOUTH_ID not in listed + shown


async def test_an_owner_sees_and_decides_about_its_own_alone(pages: Pages) -> None:
    await pages.project(a_view("one", **WAITING))
    browser = await an_owner(pages, "municipality-0101")
    listed, shown = await browser.see("/needs"), await browser.see(f"/needs/{NEED}")
    form = listed.text.partition('name="form_token" value="')[2].partition('"')[0]

    decided = await browser.http.post(
        f"/pages/needs/{NEED}",
        data={"form_token": form, "act": "closed", "closed_reason": "other_help", "act_id": str(uuid4())},
    )

    assert NEED[:8] not in listed.text
    assert (shown.status_code, decided.status_code) == (404, 404)
    assert pages.gateway.publisher.records == []


async def test_a_need_that_another_holds_is_seen_at_home_and_can_be_taken_over(pages: Pages) -> None:
    await pages.project(a_view("one", state="awaiting_consent", owner="region-hovedstaden"))
    browser = await an_owner(pages)

    await browser.submit(f"/needs/{NEED}", {}, act="assigned")

    [decision] = pages.gateway.published("interventions")
    assert (decision["action"], decision["actor"], decision["role"]) == ("assigned", OWNER, "owner")


@pytest.mark.parametrize("path", ["/needs", f"/needs/{NEED}"])
async def test_whoever_owns_a_need_can_take_it_from_list_and_page(pages: Pages, path: str) -> None:
    await pages.project(a_view("one", **WAITING))
    browser = await an_owner(pages)
    before = (await browser.see(f"/needs/{NEED}")).text

    await browser.submit(path, {}, to=f"/needs/{NEED}", act="assigned")

    [decision] = pages.gateway.published("interventions")
    assert (decision["action"], decision["actor"], decision["role"]) == ("assigned", OWNER, "owner")
    assert "Helsingør Kommune, ikke overtaget endnu" in before


@pytest.mark.parametrize(
    ("later", "taken"),
    [({"action": "closed"}, True), ({"action": "reopened"}, False), ({"actor": "operations"}, True)],
)
async def test_a_need_that_was_taken_says_so_until_it_is_opened_anew(
    pages: Pages, later: dict[str, str], *, taken: bool
) -> None:
    taking, after = a_decision("take", actor=OWNER), NOW + timedelta(minutes=1)
    await pages.project(a_view("one", **WAITING), taking, a_decision("later", (0, 1), occurred_at=after, **later))
    browser = await an_owner(pages)

    for path in ("/needs", f"/needs/{NEED}"):
        text = (await browser.see(path)).text
        assert ("overtaget lørdag 10. januar 2026 kl. 13.00" in text) is taken
        assert ('name="act" value="assigned"' in text) is not taken


async def test_taking_a_need_is_done_once_the_decision_is_on_its_topic(pages: Pages) -> None:
    await pages.project(a_view("one", **WAITING))
    needs = pages.gateway.app.state.office.needs
    look = partial(needs.moment, UUID(NEED), OWNER, taking=True)
    before = look()
    waiting = asyncio.create_task(needs.changed_since(before, look, timedelta(seconds=20)))

    await pages.project(a_decision("take", actor=OWNER))

    assert (await waiting).taken_at == NOW
    assert needs.moment(UUID(NEED), OWNER) == NeedAsOf(before.need, None)


def test_operations_answer_for_whoever_has_no_owner() -> None:
    names = names_of(load_programmes(ROOT / "programmes"), load_reference(ROOT / "reference"))

    seen = jurisdiction_of("operations", names)

    assert seen.without_municipality
    assert "0147" in seen.municipalities
    assert "0217" not in seen.municipalities
    assert jurisdiction_of(OWNER, names).municipalities == ("0217",)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"act": "offered", "programme": "headspace"}, {"action": "offered", "programme": "headspace"}),
        ({"act": "reopened"}, {"action": "reopened", "reason_code": None}),
        ({"act": "closed", "closed_reason": "moved_away"}, {"action": "closed", "reason_code": "moved_away"}),
        ({"act": "consent_asked"}, {"action": "consent_asked", "reason_code": None}),
    ],
)
async def test_each_act_becomes_the_intervention_that_the_command_writes(
    pages: Pages, fields: dict[str, str], said: dict[str, str | None]
) -> None:
    wanting = {"reason_code": "consent_missing"} if fields["act"] == "consent_asked" else {}
    await pages.project(a_view("one", **WAITING | wanting))
    browser = await an_owner(pages)

    answer = await browser.submit(f"/needs/{NEED}", fields, act=fields["act"])

    [decision] = pages.gateway.published("interventions")
    [record] = pages.gateway.publisher.records
    assert {name: decision[name] for name in said} == said
    assert (decision["subject"], decision["youth_id"], record.key) == (NEED, YOUTH_ID, YOUTH_ID.encode())
    assert "Beslutningen er sendt" in answer.text


@pytest.mark.parametrize(
    ("fields", "act"),
    [
        ({"programme": ""}, "offered"),
        ({"programme": "stime"}, "offered"),
        ({"closed_reason": HOSTILE}, "closed"),
        ({"act": "escalation_answered"}, "closed"),
        ({"act": HOSTILE}, "closed"),
    ],
)
async def test_a_decision_that_lacks_something_is_shown_again_and_not_sent(
    pages: Pages, fields: dict[str, str], act: str
) -> None:
    await pages.project(a_view("one", **WAITING))
    browser = await an_owner(pages)

    answer = await browser.submit(f"/needs/{NEED}", fields, act=act)

    assert (answer.status_code, "Noget mangler" in answer.text) == (422, True)
    assert "<script" not in answer.text
    assert pages.gateway.publisher.records == []


@pytest.mark.parametrize(
    ("changes", "asks", "lacks"),
    [
        (
            {"state": "awaiting_consent", "owner": "region-hovedstaden", "reason_code": "named_consent_wanted"},
            True,
            True,
        ),
        ({"reason_code": "consent_missing"}, True, True),
        ({"state": "taken_over", "reason_code": None}, True, False),
        ({"reason_code": "no_programme"}, False, False),
        ({"state": "offered", "reason_code": None}, False, False),
        ({"state": "closed", "reason_code": "consent_missing"}, False, False),
    ],
)
async def test_a_need_that_lacks_consent_can_have_it_asked_for_again_and_no_other_can(
    pages: Pages, changes: dict[str, Any], *, asks: bool, lacks: bool
) -> None:
    await pages.project(a_view("one", **WAITING | changes))
    browser = await an_owner(pages)

    text = (await browser.see(f"/needs/{NEED}")).text

    assert ('name="act" value="consent_asked"' in text) is asks
    assert ("Der er ikke spurgt nogen endnu." in text) is lacks


async def test_a_need_shows_who_was_asked_for_consent_and_when(pages: Pages) -> None:
    about = {"subject": NEED, "recipient": "region-hovedstaden", "reason_code": "named_consent_wanted"}
    later = {"occurred_at": NOW + timedelta(days=2)}
    await pages.project(
        a_view("one", **WAITING | {"reason_code": "consent_missing"}),
        a_notice("first", (0, 0), kind="consent_wanted", **about),
        a_notice("second", (0, 1), kind="consent_reminder", **about, **later),
        a_notice("third", (0, 2), subject=NEED, recipient=OWNER, reason_code="consent_missing", **later),
    )

    text = (await (await an_owner(pages)).see(f"/needs/{NEED}")).text

    asked = text.partition('aria-labelledby="asked">')[2].partition("</ul>")[0]
    assert "lørdag 10. januar 2026 kl. 13.00</time>: Region Hovedstaden blev spurgt om samtykke" in asked
    assert "mandag 12. januar 2026 kl. 13.00</time>: Region Hovedstaden blev mindet om samtykke" in asked
    assert "Helsingør Kommune" not in asked
    assert "Region Hovedstaden bliver spurgt igen" in text


async def test_the_same_form_sent_twice_is_one_decision(pages: Pages) -> None:
    await pages.project(a_view("one", **WAITING))
    browser = await an_owner(pages)
    act = {"act_id": str(uuid4())}

    for _ in range(2):
        await browser.submit(f"/needs/{NEED}", act, act="reopened")

    assert len(pages.gateway.published("interventions")) == 1


@pytest.mark.parametrize(
    ("changes", "acts"),
    [
        ({}, {"assigned", "offered", "reopened", "closed"}),
        ({"state": "awaiting_consent"}, {"assigned", "consent_asked", "offered", "reopened", "closed"}),
        ({"state": "announced"}, {"assigned", "offered", "closed"}),
        ({"state": "offered"}, {"assigned", "offered", "closed"}),
        ({"state": "waitlisted"}, {"assigned", "offered", "closed"}),
        ({"state": "taken_over"}, {"assigned", "consent_asked", "closed"}),
        ({"state": "closed"}, {"reopened"}),
    ],
)
async def test_a_page_offers_what_the_needs_state_allows_and_nothing_else(
    pages: Pages, changes: dict[str, str], acts: set[str]
) -> None:
    await pages.project(a_view("one", **WAITING | changes))

    text = (await (await an_owner(pages)).see(f"/needs/{NEED}")).text

    assert set(re.findall(r'name="act" value="([a-z_]+)"', text)) == acts


@pytest.mark.parametrize(("kind", "answered"), [("escalated", True), ("deletion_overdue", True), ("stuck", False)])
async def test_whoever_was_reminded_can_say_that_it_was_seen_to(pages: Pages, kind: str, *, answered: bool) -> None:
    await pages.project(a_view("one", **WAITING), a_notice(kind=kind, subject=NEED, recipient=OWNER))
    browser = await an_owner(pages)
    offered = 'value="escalation_answered"' in (await browser.see(f"/needs/{NEED}")).text
    if offered:
        await browser.submit(f"/needs/{NEED}", {}, act="escalation_answered")

    assert offered is answered
    assert [one["action"] for one in pages.gateway.published("interventions")] == ["escalation_answered"] * answered


async def test_a_closed_need_can_only_be_opened_again(pages: Pages) -> None:
    await pages.project(a_view("one", **WAITING | {"state": "closed", "reason_code": "other_help"}))
    browser = await an_owner(pages)

    text = (await browser.see(f"/needs/{NEED}")).text

    assert 'name="act" value="reopened"' in text
    assert 'value="closed"' not in text
    assert 'value="offered"' not in text


async def test_why_a_need_came_back_is_read_from_its_notice(pages: Pages) -> None:
    await pages.project(a_view("one", **WAITING | {"reason_code": None}))
    await pages.project(a_notice(recipient=OWNER, subject=NEED, reason_code="not_on_offer"))
    browser = await an_owner(pages)

    text = (await browser.see(f"/needs/{NEED}?told=not_done&why=capacity_full")).text

    assert "Grund: not on offer" in text


async def test_no_word_of_an_address_is_shown(pages: Pages) -> None:
    await pages.project(a_view("one", **WAITING))
    browser = await an_owner(pages)

    for told in ("done", "not_done", "under_way", "ring_nu_12345678"):
        text = (await browser.see(f"/needs/{NEED}?told={told}&why=ring_nu_12345678")).text
        assert "12345678" not in text


async def test_hostile_values_are_shown_as_text(pages: Pages) -> None:
    await pages.project(a_view("one", **WAITING | {"owner": HOSTILE, "programme": HOSTILE}), a_notice())
    browser = await an_owner(pages)

    for path in ("/needs", f"/needs/{NEED}", f"/needs/{NEED}?told={HOSTILE}&why={HOSTILE}"):
        text = (await browser.see(path)).text
        assert "<script" not in text
        assert "&lt;script&gt;" in text
