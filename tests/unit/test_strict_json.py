"""JSON from strangers: what is ambiguous, unfit or too deep is refused, whatever else it says."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.strict_json import SIGNS_MAX, read_json_object, size_of
from schemas.refusals import RefusedError
from schemas.rules import shown_name

texts = st.text('aA0 "\\/[]{},:\n\x1f\x7fæ\ufeff\u2028\U0001f600', max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=10,
)
objects = st.dictionaries(texts, values)


@given(objects, st.booleans())
def test_what_json_writes_is_read_as_it_was(value: dict[str, object], ascii_only: bool) -> None:
    assert read_json_object(json.dumps(value, ensure_ascii=ascii_only).encode(), 100) == value


@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(RefusedError):
        assert isinstance(read_json_object(body, 10), dict)


@given(objects)
def test_nesting_is_what_the_value_has(value: dict[str, object]) -> None:
    def depth(item: object) -> int:
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    assert size_of(json.dumps(value).encode(), 1_000, SIGNS_MAX)[0] == depth(value)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_body"),
        (b" \n", "empty_body"),
        (b"{}\x00", "nul_byte"),
        (b"\xff", "wrong_encoding"),
        (b'{"a":"\\u0000"}', "unfit_text"),
        (b'{"\\u0000":1}', "unfit_text"),
        (b'{"a":["\\ud800"]}', "unfit_text"),
        (b'{"a":"\\udC00"}', "unfit_text"),
        (b'{"a":1e999}', "not_a_number"),
        (b'{"a":-Infinity}', "not_a_number"),
        (b'{"a":{"b":1,"b":1}}', "duplicate_key"),
        (b'{"a":' + b"9" * 5_000 + b"}", "not_json"),
        (b"1", "not_an_object"),
        (b'{"a":1}{"a":1}', "not_json"),
        (b"{'a':1}", "not_json"),
        (b'{"a":"\n"}', "not_json"),
        (b'{"a":[[[[[[[[[[1]]]]]]]]]]}', "nesting_too_deep"),
        (b'{"a":[' + b"[]," * SIGNS_MAX, "too_many_values"),
        (b'{"a":[' + b"1," * SIGNS_MAX, "too_many_values"),
        (b'{"a":[' + b'""' * SIGNS_MAX, "too_many_values"),
        (b'{"a":[' + b"] " * SIGNS_MAX, "too_many_values"),
    ],
)
def test_what_is_unfit_is_refused_by_name(body: bytes, code: str) -> None:
    with pytest.raises(RefusedError, match=f"^{code}$"):
        read_json_object(body, 10)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"\\\\u0000"}',
        b'{"a":"\\ud83d\\ude00"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"[[[[[[[[[[[[[["}',
    ],
)
def test_what_only_looks_unfit_is_read(body: bytes) -> None:
    assert "a" in read_json_object(body, 10)


def test_a_duplicate_key_is_named_only_where_it_looks_like_a_field() -> None:
    for key, shown in (("status", "status"), ("Jens Hansen", "(another name)"), ("2512489996", "(another name)")):
        with pytest.raises(RefusedError) as caught:
            read_json_object(json.dumps({key: 1}).encode()[:-1] + f', "{key}": 2}}'.encode(), 10)

        assert caught.value.refusal.field == shown_name(key) == shown
