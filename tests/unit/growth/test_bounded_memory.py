"""What a body becomes in memory is a small multiple of its bytes: what would be more is refused before it is made."""

from __future__ import annotations

import tracemalloc

import pytest

from connectors.medcom_edi.envelopes import unwrap
from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.outcomes import Unreadable
from connectors.medcom_edi.translate import translate_interchange as translate_letters
from connectors.medcom_fhir.outcomes import FhirRefused
from connectors.medcom_fhir.translate import translate_bundle
from schemas.refusals import RefusedError
from tests.unit.medcom_edi import builders as letters
from tests.unit.medcom_fhir import builders as messages

pytestmark = pytest.mark.long
MEGABYTE = 1_000_000
MULTIPLE_MAX = 6
BUNDLE = b'<Bundle xmlns="http://hl7.org/fhir">'


def _code_and_peak(body: bytes, decode: str) -> tuple[str, int]:
    """Returns the code with which a body is refused, and the most bytes that were held meanwhile, its own left out."""
    tracemalloc.start()
    code = _DECODERS[decode](body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return code, peak


def _of_fhir(body: bytes) -> str:
    outcome = translate_bundle(body, messages.a_door(), messages.RECORDED_AT)
    assert isinstance(outcome, FhirRefused)
    return outcome.refusal.code


def _of_edifact(body: bytes) -> str:
    outcome = translate_letters(body, Syntax.EDIFACT, letters.a_door(), letters.RECORDED_AT)
    assert isinstance(outcome, Unreadable)
    return outcome.refusal.code


def _of_oioxml(body: bytes) -> str:
    outcome = translate_letters(body, Syntax.OIOXML, letters.a_door(), letters.RECORDED_AT)
    assert isinstance(outcome, Unreadable)
    return outcome.refusal.code


def _of_envelope(body: bytes) -> str:
    with pytest.raises(RefusedError) as caught:
        unwrap(body)
    return caught.value.refusal.code


_DECODERS = {
    "fhir": _of_fhir,
    "edifact": _of_edifact,
    "oioxml": _of_oioxml,
    "envelope": _of_envelope,
}


@pytest.mark.parametrize(
    ("decode", "body", "code"),
    [
        ("fhir", b'{"entry":[' + b"[]," * (8 * MEGABYTE // 3) + b"0]}", "too_many_values"),
        ("fhir", b"[" * (8 * MEGABYTE), "nesting_too_deep"),
        ("fhir", b'{"a":"' + b"\\n" * (4 * MEGABYTE) + b'"}', "not_a_bundle"),
        ("fhir", b'{"a":"' + b"A" * (8 * MEGABYTE) + b'"}', "not_a_bundle"),
        ("fhir", BUNDLE + b"<a/>" * (2 * MEGABYTE) + b"</Bundle>", "too_many_elements"),
        ("fhir", BUNDLE[:-1] + b' a=""' * (8 * MEGABYTE // 5) + b"/>", "too_many_elements"),
        ("fhir", BUNDLE + b"<a>" * (8 * MEGABYTE // 3), "too_many_elements"),
        ("oioxml", b"<Emessage>" + b"<a/>" * (MEGABYTE // 4) + b"</Emessage>", "too_many_elements"),
        ("oioxml", b"<Emessage " + b'a="" ' * (MEGABYTE // 5) + b"/>", "too_many_elements"),
        ("envelope", b"<VANSEnvelope>" + b"<a/>" * (2 * MEGABYTE) + b"</VANSEnvelope>", "too_many_elements"),
        (
            "envelope",
            b"<VANSEnvelope><Message><Data>" + b"A " * (4 * MEGABYTE) + b"</Data></Message></VANSEnvelope>",
            "unknown_content",
        ),
        ("edifact", b"UNB+UNOC:3+1:14+2:14+250101:0101+1'FTX" + b"+" * MEGABYTE + b"'", "too_many_elements"),
        ("edifact", b"UNB+UNOC:3+1:14+2:14+250101:0101+1'FTX+" + b":" * MEGABYTE + b"'", "too_many_elements"),
        ("edifact", b"UNB+UNOC:3+1:14+2:14+250101:0101+1'" + b"'" * MEGABYTE, "too_many_segments"),
    ],
)
def test_what_would_become_much_more_than_its_bytes_is_refused_before_it_is_made(
    decode: str, body: bytes, code: str
) -> None:
    found, peak = _code_and_peak(body, decode)

    assert found == code
    assert peak < MULTIPLE_MAX * len(body)
