"""From bytes to text: by the encoding that the mapping names, else by what the bytes themselves show.

A byte order mark decides; what is UTF-8 is UTF-8; anything else is one of the three one-byte encodings that Danish
systems write, and the one stands under which most of the bytes above ASCII are letters of Danish texts. Whichever it
is, a text in which Danish letters stand as UTF-8 looks in another encoding is refused.
"""

from __future__ import annotations

import codecs
from collections import Counter

from schemas.refusals import Refusal, RefusedError

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# The order decides where two are equally likely, as for a text without any letter above ASCII.
_ONE_BYTE = ("cp1252", "cp850", "mac_roman")
_DANISH = frozenset("æøåÆØÅéÉüÜöÖäÄ")
# How UTF-8's Danish letters look to who takes them for another encoding's, once or when they were written.
_MISREAD = tuple(
    sorted(
        {
            letter.encode().decode(encoding, "ignore")
            for letter in _DANISH
            for encoding in (*_ONE_BYTE, "iso-8859-1", "iso-8859-15")
        }
    )
)
# What old systems write behind a file's end.
_END_OF_FILE = "\x1a"
_HELP = "name the list's encoding in its mapping ([layout] encoding), or save it as CSV UTF-8"


def decoded(content: bytes, encoding: str | None) -> tuple[str, str]:
    """Returns the text and the encoding that it is in; raises RefusedError."""
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    for name in (marked,) if marked else (encoding,) if encoding else ("utf-8",):
        try:
            return _readable(content.decode(name)), name
        except UnicodeDecodeError as error:
            if marked or encoding:
                raise _wrong_encoding() from error
    likeliest = max((name for name in _ONE_BYTE if _decodes(content, name)), key=lambda name: _danish(content, name))
    return _readable(content.decode(likeliest)), likeliest


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _danish(content: bytes, encoding: str) -> int:
    above = Counter(byte for byte in content if byte > 0x7F)  # noqa: PLR2004 ASCII's last
    likely = {byte: 1 if bytes([byte]).decode(encoding) in _DANISH else -1 for byte in above}
    return sum(count * likely[byte] for byte, count in above.items())


def _readable(text: str) -> str:
    text = text.rstrip(_END_OF_FILE)
    if "\x00" in text:
        raise RefusedError(Refusal("nul_byte", "file", "a list is a text without NUL", _HELP))
    if any(letter in text for letter in _MISREAD):
        rule = "a list is in one encoding throughout; in this one, letters of UTF-8 stand as another encoding's signs"
        raise RefusedError(Refusal("wrong_encoding", "file", rule, _HELP))
    return text


def _wrong_encoding() -> RefusedError:
    rule = "the bytes are in the encoding that the mapping or the byte order mark names"
    return RefusedError(Refusal("wrong_encoding", "file", rule, _HELP))
