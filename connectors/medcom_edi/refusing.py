"""How a letter is refused: at its first broken rule, with a field named in the sender's own syntax."""

from __future__ import annotations

from schemas.refusals import Refusal, RefusedError

BODY_BYTES_MAX = 1_048_576
ADVICE = "correct the letter and send it again"


def letter_refusal(code: str, field: str, rule: str, advice: str = ADVICE) -> RefusedError:
    """Returns the exception that leaves the reading of a letter; no text of it repeats a value from the letter."""
    return RefusedError(Refusal(code, field, rule, advice))
