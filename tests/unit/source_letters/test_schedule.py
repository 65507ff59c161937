"""However answers, failures and silences come, a letter is sent three times at most and ends."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from connectors.medcom_fhir.codes import ResponseCode
from connectors.source_letters.schedule import (
    OPEN,
    SENDINGS_MAX,
    LetterState,
    MessageProgress,
    after_acknowledgement,
    after_crossing,
    after_failure,
    after_silence,
    begin_sending,
    retry_at,
)
from connectors.webhooks.backoff import RetryRules
from tests.unit.source_letters.builders import NOW

RULES = RetryRules(attempts_max=4)
EVENTS = st.lists(st.sampled_from(["crossed", "failed", "died", *ResponseCode]), max_size=40)


@given(EVENTS)
def test_a_letter_is_sent_three_times_at_most_and_its_bundles_change_only_between_sendings(events: list[str]) -> None:
    letter, at, bundles = MessageProgress(LetterState.WAITING, 0, NOW, 0, NOW), NOW, []
    for event in events:
        at = max(at, letter.next_at) + timedelta(seconds=1)
        if isinstance(event, ResponseCode):
            letter = after_acknowledgement(letter, event)
            continue
        if letter.state is LetterState.SENT:
            letter = after_silence(letter, at)
        if letter.state not in {LetterState.WAITING, LetterState.SENDING}:
            break
        letter = begin_sending(letter, at)
        bundles.append((letter.sendings, letter.sent_at))
        if event == "crossed":
            letter = after_crossing(letter, at)
        elif event == "failed":
            letter = after_failure(letter, retry_at(letter, RULES, ("letter", NOW), at), "unreachable")

    assert letter.sendings <= SENDINGS_MAX
    assert len(set(bundles)) == letter.sendings
    assert letter.attempts <= RULES.attempts_max


@given(first=st.sampled_from(list(ResponseCode)), then=st.sampled_from(list(ResponseCode)))
def test_the_first_answer_that_settles_a_letter_stands(first: ResponseCode, then: ResponseCode) -> None:
    letter = after_crossing(begin_sending(MessageProgress(LetterState.WAITING, 0, NOW, 0, NOW), NOW), NOW)
    settled = after_acknowledgement(letter, first)

    again = after_acknowledgement(settled, then)

    if first is ResponseCode.TRANSIENT_ERROR:
        assert settled.state is LetterState.SENT
        assert settled.next_at == letter.next_at
    else:
        assert settled.state not in OPEN
        assert again == settled
