"""A reply is read under the pseudonym that it comes under: what was not told under it is a handover that nobody has."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.codec import codec
from schemas.events import Reply
from schemas.outputs import Disclosure
from schemas.pathway import Handover
from tests.agents.intake import PSEUDONYMS
from tests.agents.public_town import START, PublicTown, a_reply, an_offered_town, event_of
from tests.domain.story import YOUTH, a_consent, a_step, at, header

LATER = START + timedelta(hours=1)
NAMED = a_consent("named", at("2026-02-01 12:00"), scope="named", receiver="headspace", purpose=None)


def told(town: PublicTown, programme: str) -> list[dict[str, Any]]:
    return [event_of(one) for one in town.told(programme)]


def offers(town: PublicTown, programme: str) -> list[dict[str, Any]]:
    return [one for one in told(town, programme) if one["type"] == "offered"]


def handovers(town: PublicTown) -> tuple[Handover, ...]:
    return town.pathway(YOUTH).handovers


def offered_twice() -> PublicTown:
    """Returns a town where one programme has two anonymous handovers of Y, of two stays."""
    town = an_offered_town()
    town.source_states(LATER, "discharges", a_step("stin-2", LATER, "admitted", episode_id="second"))
    again = LATER + timedelta(hours=1)
    town.source_states(again, "discharges", a_step("slhj-2", again, "discharged_home", episode_id="second"))
    town.wait_until(again + timedelta(hours=1))
    return town


def refused(town: PublicTown, reply: Reply) -> None:
    """Asserts that the reply is refused as one to a handover that nobody has, in its own words, and changes nothing."""
    before = handovers(town)
    town.reply(LATER + timedelta(hours=3), reply)

    answer = told(town, reply.programme)[-1]
    assert (answer["type"], answer["reason_code"]) == ("reply_refused", "unknown_handover")
    named = {name: str(getattr(reply, name)) for name in ("subject", "youth_id", "correlation_id")}
    assert {name: answer[name] for name in named} == named
    assert answer["causation_id"] == str(reply.event_id)
    assert handovers(town) == before


def test_an_answer_in_the_programmes_own_ids_is_taken_and_named_as_the_programme_names_it() -> None:
    town = an_offered_town()
    [offer] = offers(town, "ungevaerftet")
    reply = a_reply(offer, "accepted", LATER, "reply")
    town.reply(LATER, reply)

    answer = told(town, "ungevaerftet")[-1]
    assert (answer["type"], answer["state"]) == ("reply_accepted", "accepted")
    assert (answer["causation_id"], answer["subject"]) == (str(reply.event_id), offer["subject"])
    assert answer["youth_id"] == offer["youth_id"]


def test_the_same_reply_twice_is_answered_once() -> None:
    town = an_offered_town()
    [offer] = offers(town, "ungevaerftet")
    for _ in range(2):
        town.reply(LATER, a_reply(offer, "accepted", LATER, "reply"))

    assert [one["type"] for one in told(town, "ungevaerftet")] == ["offered", "reply_accepted"]


def test_one_anonymous_handovers_pseudonym_answers_no_other_handover_of_the_same_person() -> None:
    town = offered_twice()
    one, other = offers(town, "ungevaerftet")
    assert one["youth_id"] != other["youth_id"]

    refused(town, a_reply(one | {"subject": other["subject"]}, "accepted", LATER, "crossed"))


def test_our_own_id_of_a_handover_answers_nothing() -> None:
    town = an_offered_town()
    [offer] = offers(town, "ungevaerftet")

    refused(town, a_reply(offer | {"subject": handovers(town)[0].handover_id}, "accepted", LATER, "guessed"))


def test_the_young_persons_own_pseudonym_answers_no_anonymous_handover() -> None:
    town = an_offered_town()
    [offer] = offers(town, "ungevaerftet")
    fields = offer | {"youth_id": PSEUDONYMS.pseudonym_of("ungevaerftet", YOUTH)}

    refused(town, a_reply(fields, "accepted", LATER, "named"))


@pytest.mark.parametrize("subject", ["claim", "no-uuid", "c7f64c60-b20d-4454-9ffb-031b44da29a5", "A" * 128])
def test_an_id_that_was_never_told_comes_back_as_it_was(subject: str) -> None:
    town = an_offered_town()
    [offer] = offers(town, "ungevaerftet")

    refused(town, a_reply(offer | {"subject": subject}, "accepted", LATER, "odd"))


def test_a_reply_under_the_event_id_of_a_hospitals_statement_is_answered_like_any_other() -> None:
    """Otherwise its silence would tell that the pseudonym is of whom that statement is about."""
    town = an_offered_town()
    [offer] = offers(town, "ungevaerftet")
    discharge = town.stated[-1][1]
    reply = a_reply(offer, "accepted", LATER, "reply").model_copy(update={"event_id": discharge.event_id})
    town.reply(LATER, reply)

    answer = told(town, "ungevaerftet")[-1]
    assert (answer["type"], answer["causation_id"]) == ("reply_accepted", str(discharge.event_id))


def a_claim(programme: str, name: str, event: str) -> Reply:
    """Builds the reply that the gateway makes of a claim."""
    base = header(name, LATER, source=programme, subject="claim", programme=programme, status="code_claimed")
    pseudonym = PSEUDONYMS.pseudonym_of(programme, YOUTH, str(base["event_id"]))
    return Reply.model_validate(base | {"youth_id": pseudonym, "correlation_id": base["event_id"]})


def test_a_claim_is_the_first_contact_of_the_anonymous_handover_and_answered_under_its_pseudonym() -> None:
    town = an_offered_town()
    [offer] = offers(town, "ungevaerftet")
    claim = a_claim("ungevaerftet", "claim", "event")
    town.reply(LATER, claim)

    answer = told(town, "ungevaerftet")[-1]
    assert (answer["type"], answer["state"]) == ("reply_accepted", "in_contact")
    assert (answer["youth_id"], answer["subject"]) == (offer["youth_id"], offer["subject"])
    assert answer["causation_id"] == str(claim.event_id)


def test_a_claim_that_fits_no_handover_is_refused_under_a_pseudonym_of_its_own() -> None:
    town = an_offered_town()
    claims = [a_claim("headspace", f"claim-{number}", "event") for number in range(2)]
    for claim in claims:
        town.reply(LATER, claim)

    answers = told(town, "headspace")
    assert [one["reason_code"] for one in answers] == ["unknown_handover"] * 2
    assert [one["youth_id"] for one in answers] == [one.youth_id for one in claims]
    assert len({one["youth_id"] for one in answers} | {PSEUDONYMS.pseudonym_of("headspace", YOUTH)}) == 3


def test_an_offer_that_becomes_a_named_one_keeps_its_pseudonym_and_its_order() -> None:
    town = an_offered_town(a_consent("consent", at("2026-02-01 12:00"), receiver="headspace", purpose=None))
    [offer] = offers(town, "headspace")
    town.source_states(LATER, "consents", NAMED.model_copy(update={"sent_at": LATER, "recorded_at": LATER}))
    town.wait_until(LATER + timedelta(minutes=20))

    updated = told(town, "headspace")[-1]
    assert (offer["identity"], updated["identity"], updated["type"]) == ("anonymous", "named", "updated")
    assert (updated["youth_id"], updated["subject"]) == (offer["youth_id"], offer["subject"])
    assert len({partition for _, partition, _ in town.told("headspace")}) == 1


def test_named_handovers_of_one_person_share_the_persons_pseudonym() -> None:
    town = an_offered_town(a_consent("consent", at("2026-02-01 12:00"), scope="named", receiver="headspace"))
    again = LATER + timedelta(hours=1)
    town.source_states(LATER, "discharges", a_step("stin-2", LATER, "admitted", episode_id="second"))
    town.source_states(again, "discharges", a_step("slhj-2", again, "discharged_home", episode_id="second"))
    town.wait_until(again + timedelta(hours=1))

    assert {one["youth_id"] for one in offers(town, "headspace")} == {PSEUDONYMS.pseudonym_of("headspace", YOUTH)}
    assert len({one["subject"] for one in offers(town, "headspace")}) == 2


def test_a_grant_stands_among_the_disclosures_by_the_id_that_its_programme_has_it_by() -> None:
    town = an_offered_town(a_consent("consent", at("2026-02-01 12:00"), scope="named", receiver="headspace"))
    for number, status in enumerate(("accepted", "identity_wanted")):
        when = LATER + timedelta(minutes=number)
        town.reply(when, a_reply(told(town, "headspace")[-1], status, when, status))

    grant = told(town, "headspace")[-1]
    disclosed = [codec(Disclosure).decode_raw(value) for topic, value in town.written if ".disclosures." in topic]
    assert grant["type"] == "identity_granted"
    assert [one["grant_id"] for one in disclosed] == [None, grant["event_id"]]
