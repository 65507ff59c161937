"""What letters mean, by type and coded patient status, and how corrections and cancellations name what they correct."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from connectors.local_times import HOUR_EXISTS
from connectors.medcom_edi.outcomes import EdiOutOfScope
from schemas.codes import Remark, Specialty, StayStatus
from schemas.events import UNNUMBERED, Correspondence, Referral
from tests.unit.medcom_edi.builders import (
    FixedIdentities,
    Notice,
    a_door,
    a_letter,
    discharge_of,
    edited,
    event_of,
    letters_of,
    local,
    person_of,
    refusal_of,
    translation_of,
)

ADMISSION = Notice(kind="20", patient_status=("HS", "indlagt"))
CORRECTED, CANCELLED = ("M", "rettetbrev"), ("C", "annulleretbrev")
MOVES = [("MW", "flyttet_til_sygehusafd"), ("MH", "flyttet_til_sygehus")]


def test_an_admission_notice_admits_and_the_discharge_notice_of_its_episode_ends_the_stay() -> None:
    admission, discharge = discharge_of(ADMISSION.edifact()), discharge_of(Notice().edifact())

    assert (admission.status, discharge.status) == (StayStatus.ADMITTED, StayStatus.DISCHARGED_HOME)
    assert admission.episode_id == discharge.episode_id == "000000000009ada35a3185937abf8c5b"
    assert discharge.occurred_at == datetime(2025, 6, 23, 22, 2, tzinfo=UTC)
    assert discharge.unit == "sks:1301812"


@pytest.mark.parametrize("status", [("DH", ""), ("DX", ""), ("UP", "")])
def test_whoever_is_discharged_not_to_a_hospital_is_discharged_home(status: tuple[str, str]) -> None:
    assert discharge_of(Notice(patient_status=status).edifact()).status == StayStatus.DISCHARGED_HOME


@pytest.mark.parametrize(
    "notice", [Notice(patient_status=("DE", "doed")), ADMISSION.but(patient_status=("DA", "doed"))]
)
def test_whoever_is_coded_dead_is_deceased(notice: Notice) -> None:
    assert discharge_of(notice.edifact()).status == discharge_of(notice.oioxml()).status == StayStatus.DECEASED


@pytest.mark.parametrize("name", ["DIS01_1", "DIS02_1"])
def test_a_letter_about_somebody_coded_dead_tells_a_death(name: str) -> None:
    coded = {"DIS01_1": "PAS+HS'", "DIS02_1": "PAS+HA'"}[name]

    assert discharge_of(edited(a_letter(name), coded, "PAS+DA'")).status == StayStatus.DECEASED


@pytest.mark.parametrize("status", MOVES)
def test_a_move_is_no_discharge(status: tuple[str, str]) -> None:
    (edifact,), (oioxml,) = (letters_of(body) for body in _both(Notice(patient_status=status)))

    assert isinstance(edifact, EdiOutOfScope)
    assert isinstance(oioxml, EdiOutOfScope)
    assert (edifact.reason, edifact.letter_id) == ("transfer", oioxml.letter_id)


@pytest.mark.parametrize("status", MOVES)
def test_a_discharge_corrected_to_a_move_is_void(status: tuple[str, str]) -> None:
    discharge = discharge_of(Notice().edifact())
    correction = discharge_of(Notice(patient_status=status, status=CORRECTED, identifier="EPIC2").edifact())

    assert (correction.cancels, correction.revises) == (discharge.event_id, None)


@pytest.mark.parametrize("identifier", ["EPIC394310433", "EPIC394310434"])
def test_a_corrected_notice_revises_the_one_of_its_number_whether_or_not_its_own_number_is_new(identifier: str) -> None:
    notice = discharge_of(Notice().edifact())
    correction = discharge_of(Notice(identifier=identifier, status=CORRECTED).oioxml())

    assert correction.revises == notice.event_id != correction.event_id


def test_a_correction_of_the_time_names_the_thread_alone() -> None:
    notice = discharge_of(Notice().edifact())
    correction = discharge_of(Notice(status=CORRECTED, happened=local("2025-06-24T01:15")).oioxml())

    assert correction.revises not in (None, notice.event_id)
    assert correction.subject == notice.subject
    assert correction.occurred_at == datetime(2025, 6, 23, 23, 15, tzinfo=UTC)


@pytest.mark.parametrize("kind", [Notice(), ADMISSION])
def test_a_course_has_a_notice_for_each_day_on_which_somebody_comes_or_goes(kind: Notice) -> None:
    later = kind.but(identifier="EPIC7", happened=local("2025-08-23T10:00"), authorised=local("2025-08-23T10:05"))
    first, second = (discharge_of(body) for body in (kind.edifact(), later.edifact()))

    assert first.episode_id == second.episode_id
    assert first.event_id != second.event_id


def test_a_correction_names_the_notice_of_its_time_and_every_one_the_thread() -> None:
    times = ("2025-06-24T10:00", "2025-06-24T15:00")
    first, second = (Notice(happened=local(when), identifier=f"EPIC{number}") for number, when in enumerate(times))
    correction = second.but(status=CORRECTED, identifier="EPIC9")

    said = [discharge_of(notice.oioxml()) for notice in (first, second, correction)]

    assert said[2].revises == said[1].event_id != said[0].event_id
    assert len({one.subject for one in said}) == 1


def test_a_cancelled_notice_cancels_the_one_of_its_number() -> None:
    notice, cancelled = discharge_of(Notice().edifact()), discharge_of(Notice(status=CANCELLED).edifact())

    assert (cancelled.cancels, cancelled.revises) == (notice.event_id, None)
    assert cancelled.status == StayStatus.DISCHARGED_HOME


def test_another_departments_notice_of_the_same_episode_is_a_step_of_its_own() -> None:
    here, there = ADMISSION, ADMISSION.but(sender=("1330520", "SKS:SST", "sygehusafdelingsnummer"))

    assert discharge_of(here.edifact()).event_id != discharge_of(there.edifact()).event_id


def test_a_notification_number_that_is_a_letters_names_no_episode_nor_do_its_corrections() -> None:
    first = discharge_of(Notice(identifier="24681012", notification="24681012").edifact())
    correction = Notice(identifier="24681013", notification="24681012", status=CORRECTED)

    assert first.episode_id == discharge_of(correction.edifact()).episode_id == UNNUMBERED
    assert discharge_of(correction.oioxml()).revises == first.event_id


def test_a_discharge_letter_without_discharge_or_of_an_outpatient_is_for_somebody_to_read() -> None:
    letter = a_letter("DIS01_1", ".xml")
    without = edited(letter, "<Discharge><Date>1999-01-11</Date><Time>13:00</Time></Discharge>", "")
    outpatient = edited(letter, ">indlagt<", ">ambulant<")

    assert [event_of(body).__class__ for body in (without, outpatient)] == [Correspondence, Correspondence]


def test_a_referral_says_who_refers_to_whom_and_nothing_of_why() -> None:
    referral = event_of(a_letter("REF01_1"))

    assert isinstance(referral, Referral)
    assert (referral.referred_from, referral.referred_to) == ("ynr:079741", "sks:2001060")
    assert "DI10" not in referral.model_dump_json()


def test_free_text_changes_nothing_of_what_a_letter_says() -> None:
    changed = edited(a_letter("DIS91_1"), "Forinden der foretages visitation", "Patienten er udskrevet og d?+d")

    assert translation_of(changed) == translation_of(a_letter("DIS91_1"))


def test_the_receivers_municipality_is_the_persons_with_three_digits_or_four() -> None:
    three = person_of(Notice().edifact())
    four = person_of(Notice(receiver=("0217", "KOM:IM", "kommunenummer")).edifact())

    assert (three.municipality, four.municipality) == ("0217", "0217")
    assert three.birth_date == date(2010, 5, 1)


def test_a_receiver_that_reference_data_knows_by_location_number_is_of_its_municipality() -> None:
    receiver = ("5790001348120", "EAN:9", "lokationsnummer")

    assert person_of(Notice(receiver=receiver, receiver_gln="5790001348120").edifact()).municipality == "0163"
    assert person_of(a_letter("DIS91_1")).municipality is None


@pytest.mark.parametrize(
    "sender",
    [
        ("9984101", "SKS:SST", "sygehusafdelingsnummer"),
        ("9521108400116", "EAN:9", "lokationsnummer"),
        ("9991084000016101", "SOR:SST", "sorkode"),
    ],
)
def test_a_department_that_reference_data_knows_is_its_unit_whatever_list_it_is_named_by(
    sender: tuple[str, str, str],
) -> None:
    discharge = discharge_of(Notice(sender=sender).edifact())

    assert (discharge.unit, discharge.specialty) == ("9991084000016101", Specialty.CHILD_PSYCHIATRY)


@pytest.mark.parametrize(
    ("code", "specialty"), [("52", Specialty.CHILD_PSYCHIATRY), ("50", Specialty.ADULT_PSYCHIATRY)]
)
def test_a_department_that_nobody_knows_is_of_the_specialty_that_its_letter_codes(
    code: str, specialty: Specialty
) -> None:
    letter = edited(a_letter("DIS01_1"), "SPR+ORG+30:", f"SPR+ORG+{code}:")

    assert discharge_of(letter).specialty == specialty


def test_a_letter_says_the_same_after_reference_data_has_come_to_know_its_department() -> None:
    notice = Notice(sender=("9984101", "SKS:SST", "sygehusafdelingsnummer"))
    door = a_door()
    before = replace(door, reference=door.reference.model_copy(update={"units": ()}))
    unknown, known = translation_of(notice.edifact(), before), translation_of(notice.edifact(), door)

    assert (unknown.letter_id, unknown.content_digest) == (known.letter_id, known.content_digest)
    assert unknown.events != known.events


def test_a_municipality_that_there_is_not_is_refused() -> None:
    refusal = refusal_of(Notice(receiver=("999", "KOM:IM", "kommunenummer")).edifact())

    assert (refusal.code, refusal.field) == ("unknown_code", "S01.NAD.2")


def test_a_replacement_number_in_a_notice_is_remarked_and_in_a_referral_is_not() -> None:
    notice = discharge_of(Notice(number="0105101AA9").edifact())

    assert notice.remarks == (Remark.NONSTANDARD_IDENTIFIER,)
    assert person_of(a_letter("REF06_1")).birth_date is None


def test_what_is_about_nobody_of_the_programmes_ages_is_out_of_scope_and_the_vault_is_not_asked() -> None:
    identities = FixedIdentities()
    (young,) = letters_of(Notice().edifact(), a_door(range(3, 26), identities))
    asked = list(identities.asked)
    (old,) = letters_of(Notice(number="0105504840").edifact(), a_door(range(3, 26), identities))

    assert asked == identities.asked == [("urn:oid:1.2.208.176.1.2", "0105104840")]
    assert not isinstance(young, EdiOutOfScope)
    assert isinstance(old, EdiOutOfScope)
    assert old.reason == "age"


def test_what_lies_more_than_a_day_ahead_is_refused() -> None:
    refusal = refusal_of(Notice(happened=local("2026-01-02T02:00")).edifact())

    assert (refusal.code, refusal.field) == ("time_ahead", "S11.DTM.1")


def test_a_number_that_holds_the_patients_number_is_refused() -> None:
    assert refusal_of(Notice(notification="0105104840").edifact()).code == "identifier_in_id"


@pytest.mark.parametrize(
    ("happened", "utc"),
    [
        (local("2025-10-26T02:30"), datetime(2025, 10, 26, 0, 30, tzinfo=UTC)),
        (local("2025-03-30T01:59"), datetime(2025, 3, 30, 0, 59, tzinfo=UTC)),
    ],
)
def test_a_time_is_danish_and_of_the_first_hour_where_clocks_go_back(happened: datetime, utc: datetime) -> None:
    assert discharge_of(Notice(happened=happened).edifact()).occurred_at == utc


@pytest.mark.parametrize("body", ["edifact", "oioxml"])
def test_of_the_hour_that_comes_twice_a_stay_begins_in_the_first_and_ends_in_the_last(body: str) -> None:
    came = ADMISSION.but(happened=local("2025-10-26T02:45"), authorised=local("2025-10-26T02:46"))
    left = Notice(happened=local("2025-10-26T02:15"), authorised=local("2025-10-26T02:16"))

    admission, discharge = (discharge_of(getattr(notice, body)()) for notice in (came, left))

    assert [one.isoformat()[11:16] for one in (admission.occurred_at, admission.sent_at)] == ["00:45", "00:46"]
    assert [one.isoformat()[11:16] for one in (discharge.occurred_at, discharge.sent_at)] == ["01:15", "01:16"]


def test_nobody_is_told_of_a_discharge_before_it() -> None:
    discharge = discharge_of(Notice(happened=local("2025-10-26T02:30"), authorised=local("2025-10-26T02:10")).edifact())

    assert discharge.occurred_at <= discharge.sent_at


def test_an_hour_that_clocks_pass_over_is_refused() -> None:
    refusal = refusal_of(Notice(happened=local("2025-03-30T02:30")).edifact())

    assert (refusal.code, refusal.rule) == ("invalid_time", HOUR_EXISTS)


def _both(notice: Notice) -> tuple[bytes, bytes]:
    return notice.edifact(), notice.oioxml()


def test_a_number_with_sixty_added_to_its_day_is_known_and_a_notice_has_no_room_for_it() -> None:
    for body in _both(Notice(number="6105104840")):
        assert discharge_of(body).remarks == (Remark.NONSTANDARD_IDENTIFIER,)
        assert person_of(body).birth_date is None
