"""Reads JSON from strangers: limits first, then nothing that two readers could understand differently."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from schemas.refusals import Refusal, RefusedError
from schemas.rules import shown_name

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_QUOTATION_MARK = ord('"')
#: How many strings, commas and brackets a body may have: they bound what it becomes in memory, and its bytes do not.
SIGNS_MAX = 500_000
# A string that never ends is matched to the end of the body, or the scan would begin again at each of its
# quotation marks and take quadratic time; and nothing is tried a second time, or each escape in it would take memory.
_SIGNS = re.compile(rb'[^"\[\]{},]++|"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]++|[\]}]++|,++', re.DOTALL)
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def read_json_object(body: bytes, nesting_max: int) -> dict[str, Any]:
    """Returns the JSON object that the bytes hold.

    Raises RefusedError for: nothing at all, bytes that are not UTF-8, NUL or half a surrogate pair in a text, more
    than ``nesting_max`` levels, too many values, a key twice in one object, NaN, Infinity and numbers beyond a double,
    and what is no JSON object.
    """
    refuse_oversized(body, nesting_max)
    text = _decoded(body)
    try:
        value = json.loads(
            text, object_pairs_hook=_without_repeated_keys, parse_constant=_refuse_constant, parse_float=_finite
        )
    except (ValueError, RecursionError) as error:
        raise _refused("not_json", "the body is JSON (RFC 8259)", "check it with a JSON tool") from error
    if not isinstance(value, dict):
        raise _refused("not_an_object", "the body is one JSON object", "send one object, or lines of NDJSON")
    if _SUSPECT_ESCAPE.search(body):
        _refuse_unfit_text(value)
    return value


def refuse_oversized(body: bytes, nesting_max: int, signs_max: int = SIGNS_MAX) -> None:
    """Raises RefusedError where a body would become too many values, or too deep ones, before any of them is made."""
    nesting, signs = size_of(body, nesting_max, signs_max)
    if nesting > nesting_max:
        raise _refused("nesting_too_deep", f"JSON is nested at most {nesting_max} levels deep", "flatten it")
    if signs > signs_max:
        raise _refused(
            "too_many_values", f"JSON has at most {signs_max} strings, commas and brackets", "send less at once"
        )


def size_of(body: bytes, nesting_max: int, signs_max: int) -> tuple[int, int]:
    """Returns how deeply brackets are nested outside strings, and how many strings, commas and brackets there are.

    Counts no further than just over what is enough, so that it takes linear time and no memory.

    >>> size_of(b'{"a": [1, "[[["]}', 10, 10)
    (2, 7)
    """
    deepest = depth = signs = 0
    for match in _SIGNS.finditer(body):
        first, length = body[match.start()], match.end() - match.start()
        signs += length if first in b"[]{}," else first == _QUOTATION_MARK
        if first in b"[{":
            depth += length
            deepest = max(deepest, depth)
        elif first in b"]}":
            depth -= length
        if deepest > nesting_max or signs > signs_max:
            break
    return deepest, signs


def _decoded(body: bytes) -> str:
    if not body.strip():
        raise _refused("empty_body", "the body is not empty", "send the statement as the body")
    if b"\x00" in body:
        raise _refused("nul_byte", "the body holds no NUL byte", "encode the body in UTF-8")
    try:
        return body.removeprefix(_BYTE_ORDER_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused("wrong_encoding", "the body is encoded in UTF-8", "encode the body in UTF-8") from error


def _without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key, item in pairs:
        if key in value:
            raise RefusedError(
                Refusal("duplicate_key", shown_name(key), "a key stands once in an object", "leave out one of the two")
            )
        value[key] = item
    return value


def _refuse_constant(_name: str) -> NoReturn:
    raise _refused("not_a_number", "a number is finite; JSON has neither NaN nor Infinity", "leave the field out")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse_constant(text)
    return number


def _refuse_unfit_text(value: Any) -> None:
    """Raises RefusedError where any key or text holds NUL or half a surrogate pair."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend([*item.keys(), *item.values()])
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str) and ("\x00" in item or any("\ud800" <= mark <= "\udfff" for mark in item)):
            raise _refused("unfit_text", "a text holds neither NUL nor half a surrogate pair", "remove the character")


def _refused(code: str, rule: str, advice: str) -> RefusedError:
    return RefusedError(Refusal(code, "body", rule, advice))
