"""A hundred thousand changes of real letters in the soak, a seeded tenth in every run: right, or refused by name."""

from __future__ import annotations

import time
from collections import Counter
from random import Random

import pytest

from connectors.medcom_edi.envelopes import unwrap
from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.outcomes import InterchangeOutcome, Unreadable
from connectors.medcom_edi.translate import translate_interchange
from schemas.refusals import RefusedError
from tests.unit.medcom_edi.builders import MESSAGES, RECORDED_AT, a_door, edited, syntax_of
from tests.unit.medcom_edi.test_envelopes import WRAPPINGS
from tests.unit.medcom_edi.test_letter_mutations import CHANGES, FILES, REENCODINGS, check_outcome, parts_of

pytestmark = pytest.mark.long
SEED = 20261128
COUNT = 100_000
SECONDS_MAX = 2.0


def _changed(random: Random, body: bytes) -> bytes:
    """Returns a letter with one to three changes; half of EDIFACT's tell their number of segments anew."""
    own = "cp1252" if syntax_of(body) is Syntax.OIOXML else "iso-8859-1"
    for _ in range(random.randint(1, 3)):
        if random.random() < 0.1:
            body = body.decode(own, "replace").encode(random.choice(REENCODINGS), "replace")
        elif random.random() < 0.2:
            at = random.randrange(len(body) or 1)
            body = body[:at] + bytes([random.randrange(256)]) + body[at + 1 :]
        else:
            parts = parts_of(body)
            body = random.choice(CHANGES)(parts, random.randrange(len(parts)), random.randrange(len(parts)))
    whole = syntax_of(body) is Syntax.EDIFACT and b"UNT+" in body.partition(b"UNH+")[2]
    return edited(body, "UNT+", "UNT+") if whole and random.random() < 0.5 else body


def _outcome(body: bytes) -> str:
    """Returns what came of a body, having asserted what is true of every outcome."""
    try:
        message = unwrap(body).message
    except RefusedError as error:
        return error.refusal.code
    outcome = translate_interchange(message, syntax_of(message), a_door(), RECORDED_AT)
    check_outcome(outcome)
    if isinstance(outcome, Unreadable):
        return outcome.refusal.code
    assert isinstance(outcome, InterchangeOutcome)
    return type(outcome.letters[0]).__name__


def test_whatever_is_done_to_a_letter_it_comes_out_right_or_is_refused_by_name(*, soak: bool) -> None:
    random, outcomes, slowest = Random(SEED), Counter[str](), 0.0
    letters = [(MESSAGES / name).read_bytes() for name in FILES]
    for _ in range(COUNT if soak else COUNT // 10):
        body = _changed(random, random.choice(letters))
        if random.random() < 0.1:
            body = random.choice(WRAPPINGS)(body)
        began = time.perf_counter()
        outcomes[_outcome(body)] += 1
        slowest = max(slowest, time.perf_counter() - began)

    assert slowest < SECONDS_MAX
    assert min(outcomes[kind] for kind in ("EdiTranslation", "EdiRefused", "segment_missing", "not_xml")) > 100
