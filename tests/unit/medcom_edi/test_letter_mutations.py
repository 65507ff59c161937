"""Whatever is done to a real letter, it comes out right or is refused with field and rule; and both syntaxes agree."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, assert_never
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.medcom_edi.codes import PATIENT_STATUS_CODES, STATUS_CODES
from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.outcomes import (
    EdiOutcome,
    EdiOutOfScope,
    EdiRefused,
    EdiTranslation,
    InterchangeOutcome,
    LetterOutcome,
    ReceivedReceipt,
    Unreadable,
)
from connectors.medcom_edi.receipt_words import Receipt, ReceiptOutcome
from connectors.medcom_edi.receipts import receipt_of
from connectors.medcom_edi.translate import translate_interchange
from tests.unit.medcom_edi.builders import (
    MESSAGES,
    RECORDED_AT,
    FixedIdentities,
    Notice,
    a_door,
    edited,
    local,
    outcome_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.refusals import Refusal

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
FILES = sorted(path.name for path in MESSAGES.iterdir() if path.suffix in {".edi", ".xml"})
# What no refusal and no receipt may repeat: the names, places and numbers of all the persons in these letters.
PERSONAL = ("Mosebryggersen", "Berggren", "Lauridsen", "Hwarmnaphhattwan", "Grusgraven", "Park All", "danmarksmest")
PATIENTS = ("0101604890", "0108584940", "1502824930", "2406444917", "2505544840", "2505544841", "2512484910")
REENCODINGS = ("utf-8", "utf-16", "utf-32", "cp1252", "iso-8859-1", "iso-8859-15", "cp850", "utf-7")
STATUSES = {code: word.value for code, word in STATUS_CODES.items()} | {"X": "brev"}
PATIENT_STATUSES = {code: word.value for code, word in PATIENT_STATUS_CODES.items()} | {"XX": "andet"}


def parts_of(body: bytes) -> list[bytes]:
    """Returns a letter in parts that can be dropped, swapped and repeated: segments, or tags and texts."""
    mark = b"'" if body[:2] == b"UN" else b">"
    *ended, rest = body.split(mark)
    return [*(part + mark for part in ended), rest]


def _dropped(parts: list[bytes], at: int, _: int) -> bytes:
    return b"".join(parts[:at] + parts[at + 1 :])


def _swapped(parts: list[bytes], at: int, to: int) -> bytes:
    parts[at], parts[to] = parts[to], parts[at]
    return b"".join(parts)


def _repeated(parts: list[bytes], at: int, to: int) -> bytes:
    return b"".join([*parts[:to], parts[at], *parts[to:]])


def _truncated(parts: list[bytes], at: int, _: int) -> bytes:
    return b"".join(parts[:at])


def _overwritten(parts: list[bytes], at: int, to: int) -> bytes:
    return b"".join([*parts[:at], parts[to], *parts[at + 1 :]])


CHANGES: list[Callable[[list[bytes], int, int], bytes]] = [_dropped, _swapped, _repeated, _truncated, _overwritten]


def _counted(body: bytes) -> bytes:
    """Returns an EDIFACT letter with the number of segments that it has, so that more than its count is looked at."""
    return edited(body, "UNT+", "UNT+") if b"UNH+" in body and b"UNT+" in body[body.index(b"UNH+") :] else body


def check_outcome(outcome: EdiOutcome) -> None:
    """Asserts what is true of every outcome."""
    match outcome:
        case Unreadable(refusal, interchange):
            _check_refusal(refusal)
            if interchange is not None:
                assert receipt_of(Receipt(interchange, (), RECORDED_AT, refusal))
        case InterchangeOutcome(interchange, letters):
            for letter in letters:
                _check_letter(letter)
            answers = tuple(
                ReceiptOutcome(letter.addressed, letter.refusal if isinstance(letter, EdiRefused) else None)
                for letter in letters
                if not isinstance(letter, ReceivedReceipt) and letter.addressed is not None
            )
            if answers:
                written = receipt_of(Receipt(interchange, answers, RECORDED_AT)).decode("cp1252")
                assert not any(personal in written for personal in (*PERSONAL, *PATIENTS))
        case _:
            assert_never(outcome)


def _check_letter(letter: LetterOutcome) -> None:
    match letter:
        case EdiRefused(refusal):
            _check_refusal(refusal)
        case EdiTranslation():
            topics = [topic for topic, _ in letter.events]
            assert topics[1:] == ["persons"]
            assert topics[0] in {"discharges", "referrals", "correspondence"}
            said = "".join(event.model_dump_json() for _, event in letter.events)
            assert not any(personal in said for personal in PERSONAL)
        case EdiOutOfScope() | ReceivedReceipt():
            pass
        case _:
            assert_never(letter)


def _check_refusal(refusal: Refusal) -> None:
    said = str(refusal.as_dict())
    assert all(refusal.as_dict().values())
    assert not any(personal in said for personal in (*PERSONAL, *PATIENTS))


@pytest.mark.parametrize("recounted", [False, True])
@given(name=st.sampled_from(FILES), data=st.data())
def test_no_change_of_any_part_ends_in_an_exception(recounted: bool, name: str, data: st.DataObject) -> None:
    body = (MESSAGES / name).read_bytes()
    for change in data.draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3)):
        parts = parts_of(body)
        at, to = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, len(parts) - 1))
        body = change(parts, at, to)

    check_outcome(outcome_of(_counted(body) if recounted else body))


@given(name=st.sampled_from(FILES), data=st.data())
def test_no_change_of_any_byte_ends_in_an_exception(name: str, data: st.DataObject) -> None:
    body = bytearray((MESSAGES / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))

    for syntax in Syntax:
        check_outcome(translate_interchange(bytes(body), syntax, a_door(), RECORDED_AT))


@given(name=st.sampled_from(FILES), encoding=st.sampled_from(REENCODINGS))
def test_another_encoding_is_read_right_or_refused(name: str, encoding: str) -> None:
    body = (MESSAGES / name).read_bytes()
    own = "cp1252" if name.endswith(".xml") else "iso-8859-1"
    original, changed = outcome_of(body), outcome_of(body.decode(own).encode(encoding, "replace"))

    check_outcome(changed)
    if isinstance(original, InterchangeOutcome) and isinstance(changed, InterchangeOutcome):
        for before, after in zip(original.letters, changed.letters, strict=True):
            assert not isinstance(after, EdiTranslation) or isinstance(before, EdiTranslation)
            if isinstance(after, EdiTranslation) and isinstance(before, EdiTranslation):
                assert after.events == before.events


@given(body=st.binary(max_size=400))
def test_no_bytes_end_in_an_exception(body: bytes) -> None:
    for syntax in Syntax:
        check_outcome(translate_interchange(body, syntax, a_door(), RECORDED_AT))


NOTICES = st.builds(
    Notice,
    kind=st.sampled_from(["17", "20"]),
    identifier=st.text("ABCxyz0189-. ", min_size=1, max_size=16),
    notification=st.text("ABCDEFabcdef0189-", min_size=1, max_size=36),
    status=st.sampled_from(sorted(STATUSES.items())),
    patient_status=st.sampled_from(sorted(PATIENT_STATUSES.items())),
    authorised=st.datetimes(local("1995-01-01T00:00"), local("2027-01-01T00:00")).map(
        lambda at: at.replace(microsecond=0)
    ),
    happened=st.datetimes(local("1995-01-01T00:00"), local("2027-01-01T00:00")).map(
        lambda at: at.replace(second=0, microsecond=0)
    ),
    sender=st.sampled_from(
        [
            ("1301812", "SKS:SST", "sygehusafdelingsnummer"),
            ("130183p", "SKS:SST", "sygehusafdelingsnummer"),
            ("9991084000016101", "SOR:SST", "sorkode"),
            ("5790001348120", "EAN:9", "lokationsnummer"),
            ("079741", "YNR:SFU", "ydernummer"),
            ("1", "YNR:SFU", "ydernummer"),
            ("1", "XX:SFU", "andet"),
        ]
    ),
    receiver=st.sampled_from([("173", "KOM:IM", "kommunenummer")] * 9 + [("999", "KOM:IM", "kommunenummer")]),
    number=st.sampled_from(["0105104840", "3105104840", "0105101AA9", "010510-4840"] * 4 + ["3205104840", "010510484"]),
    sender_gln=st.sampled_from(["5790002515200"] * 9 + ["579000251520"]),
)


@given(notice=NOTICES)
def test_the_same_notice_in_either_syntax_says_the_same_field_by_field_or_breaks_the_same_rule(notice: Notice) -> None:
    outcomes = [outcome_of(body, a_door(identities=FixedIdentities())) for body in (notice.edifact(), notice.oioxml())]

    assert _said(outcomes[0]) == _said(outcomes[1])


def _said(outcome: EdiOutcome) -> object:
    if isinstance(outcome, Unreadable):
        return outcome.refusal.code
    (letter,) = outcome.letters
    match letter:
        case EdiRefused(refusal):
            return refusal.code
        case EdiTranslation():
            return letter.letter_id, letter.content_digest, letter.events, letter.details
        case EdiOutOfScope():
            return letter.letter_id, letter.reason
        case ReceivedReceipt(kind):
            return kind
        case _:
            assert_never(letter)


@given(minutes=st.integers(0, 60 * 24 * 400))
def test_a_notice_says_the_minute_that_it_was_written_for(minutes: int) -> None:
    happened = local("2024-06-01T00:00") + timedelta(minutes=minutes)
    outcome = outcome_of(Notice(happened=happened).edifact())
    assert isinstance(outcome, InterchangeOutcome)
    (letter,) = outcome.letters

    if isinstance(letter, EdiTranslation):
        told = letter.events[0][1].occurred_at.astimezone(COPENHAGEN)
        assert told.replace(tzinfo=None) == happened
    else:
        assert isinstance(letter, EdiRefused)
        assert letter.refusal.code in {"invalid_time", "time_ahead"}
