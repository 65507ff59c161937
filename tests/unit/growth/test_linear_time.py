"""Whatever bytes a stranger repeats, reading eight times as many takes about eight times as long.

Time is the process' own, and each size is measured against another in the same process, with a factor of four for
noise: a pattern that tries everything from every place takes sixty-four times as long.
"""

from __future__ import annotations

import time

import pytest

from tests.unit.growth.decoders import Frame, beginnings, decoders, wholes, workbooks

pytestmark = pytest.mark.long
SMALL, GROWTH, NOISE = 4_096, 8, 4
SECONDS_FLOOR = 0.001
EVERY_BYTE = tuple(bytes([byte]) for byte in range(256))
PAIRS = (
    *(b"<!", b"<?", b"<a>", b"<a/>", b"</a>", b"<a ", b"<!--", b"<![CDATA[]]>", b"&amp;", b'a="', b'="" ', b"<?xml ?>"),
    *(b'{"', b'{"a":', b"[]", b"[],", b"{}", b'"",', b'"\\', b'\\"', b"\\n", b"\\u0000", b"1,", b"1e", b'"a":1,'),
    *(b"'+", b"+'", b"?'", b"??", b"?+", b":+", b"''", b"UNH+'", b"UNB'", b"UNT'", b"FTX+a'", b"UCM+1+a+4'", b"S01'"),
    *(
        b"\r\n",
        b" \n",
        b"\n\n",
        b"\t ",
        b"\x00 ",
        b"\xc3\xa6",
        b"\xe6\xc3",
        b"\xef\xbb\xbf",
        b"A1",
        b"1.",
        b"1-",
        b"-1",
    ),
    *(b'";', b'"";"', b'""', b";\n", b"a;b\n", b"kl ", b"T1", b"og ", b"1:", b"urn:uuid:", b"a/", b"/_history/", b"#"),
    *(b"[h", b"[a", b'[\\"', b"\\[", b'"[', b"Bundle ", b"<Bundle ", b"<Emessage>", b"<row/>", b"<c/>"),
)
#: What repeats in messages, as a sender may repeat it.
REPEATED = (
    *(
        b'{"reference":"MessageHeader/a"},',
        b'{"who":{"reference":"Organization/a"}},',
        b'{"system":"urn:oid:1","value":"a"},',
    ),
    b'{"resource":{"resourceType":"Provenance","id":"a","target":[{"reference":"MessageHeader/b"}]}},',
    b'{"role":"revision","what":{"reference":"MessageHeader/a"}},',
    b'{"contentString":"a","extension":[{"url":"/medcom-core-datetime-extension","valueDateTime":"2026"}]},',
    b"<OriginalLetter><RefuseText>a</RefuseText></OriginalLetter>",
    b"<NotificationOfDischarge><Letter/></NotificationOfDischarge>",
    b"UNH+1+MEDDIS:D:93A:UN:D1730C+DIS17'UNT+2+1'",
    b'<c r="A1" t="inlineStr"><is><t>a</t></is></c>',
)


def _seconds(frame: Frame, unit: bytes, size: int) -> float:
    body = frame.filled(unit * (size // len(unit)))
    began = time.process_time()
    frame.decode(body)
    return time.process_time() - began


def _grows_faster(frame: Frame, unit: bytes) -> bool:
    """Tells whether time grows faster than bytes do; what seems to is measured again, for a machine may stumble."""
    for _ in range(4):
        few, many = _seconds(frame, unit, SMALL), _seconds(frame, unit, SMALL * GROWTH)
        if many <= GROWTH * NOISE * max(few, SECONDS_FLOOR):
            return False
    return True


@pytest.mark.parametrize("name", sorted(decoders()))
def test_no_run_of_signs_behind_any_beginning_takes_more_than_linear_time(name: str) -> None:
    frames = beginnings(*decoders()[name])
    units = (*EVERY_BYTE, *PAIRS)

    assert [(frame.name, unit) for frame in frames for unit in units if _grows_faster(frame, unit)] == []


def test_no_run_in_a_message_takes_more_than_linear_time() -> None:
    units = (b" ", b"a", b"T", b"0", b"<", b"[", b'"', b"\\", b"'", b"?", *PAIRS, *REPEATED)

    assert [(frame.name, unit) for frame in wholes() for unit in units if _grows_faster(frame, unit)] == []


def test_no_run_in_a_part_of_a_workbook_takes_more_than_linear_time() -> None:
    units = (b" ", b"a", b"0", b"9", b"<", b"[", b'"', b"\\", *PAIRS, *REPEATED)

    assert [(frame.name, unit) for frame in workbooks() for unit in units if _grows_faster(frame, unit)] == []
