"""Files that are no list, named for what they are: each tells in its first bytes, whatever its name says."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOOKED_AT = 4_096
_MEMBERS_LOOKED_AT = 1_000
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_SAVE_AS = "open it in Excel and save it as .xlsx (Excel Workbook), or as CSV UTF-8"
_EXPORT = "export the list from its system as .xlsx or CSV"
_UNPACK = "unpack it, and send the list that is in it"
_OLE = b"\xd0\xcf\x11\xe0"
# How the compound file that both kinds are names the stream of each, in UTF-16.
_ENCRYPTED, _OLD_WORKBOOK = "EncryptedPackage".encode("utf-16-le"), ("Workbook", "Book")
_BEFORE_97 = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08")
_STARTS: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    ((b"%PDF-",), "a PDF document", _EXPORT),
    ((b"{\\rtf",), "an RTF document", _EXPORT),
    (_BEFORE_97, "a workbook of before Excel 97", _SAVE_AS),
    ((b"ID;PWXL", b"ID;PCALC", b"ID;PSCALC"), "a SYLK file", _SAVE_AS),
    ((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*"), "a picture", _EXPORT),
    ((b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!\x1a", b"\xfd7zXZ"), "a packed file", _UNPACK),
    ((b"SQLite format 3",), "a database", _EXPORT),
)
_WEB_PAGE = re.compile(
    r"<(!doctype\s{1,9}html|html|head|body|table|meta|style|title|div|script|center|font|!--)", re.IGNORECASE
)
_MARKUP = re.compile(r"<[?!a-z]", re.IGNORECASE)
_MAIL_PAGE = re.compile(r"(mime-version|content-type): ?", re.IGNORECASE)
_BY_MEMBER = (
    ("xl/workbook.bin", "a binary workbook (.xlsb)", _SAVE_AS),
    ("xl/", "", ""),
    ("word/", "a Word document", _EXPORT),
    ("ppt/", "a PowerPoint presentation", _EXPORT),
    ("index/document.iwa", "a Numbers document", "export it from Numbers as Excel or CSV"),
    ("content.xml", "an OpenDocument file (.ods)", "save it as Excel 2007-365 (.xlsx), or as CSV UTF-8"),
)


def refuse_other_files(content: bytes) -> None:
    """Raises RefusedError for a file of another kind than a list may be, by the name of its kind."""
    for starts, kind, advice in _STARTS:
        if content.startswith(starts):
            raise _refused(kind, advice)
    if content.startswith(_OLE):
        raise _compound(content)
    if content.startswith(b"PK\x03\x04"):
        _refuse_other_archives(content)
        return
    _refuse_markup(first_characters(content))


def first_characters(content: bytes) -> str:
    """Returns the first characters as text, whatever letters above ASCII are."""
    start = content[:_LOOKED_AT]
    encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "latin-1")
    return start.decode(encoding, "replace").lstrip("\ufeff\u00ef\u00bb\u00bf \t\r\n")


def _refuse_markup(start: str) -> None:
    if "urn:schemas-microsoft-com:office:spreadsheet" in start and start.startswith("<"):
        raise _refused("an XML spreadsheet of Excel 2003", _SAVE_AS)
    if _WEB_PAGE.match(start) or (_MAIL_PAGE.match(start) and "\n" in start):
        raise _refused("a web page, not a workbook", _SAVE_AS)
    if "<html" in start.lower() and start.startswith("<"):
        raise _refused("a web page, not a workbook", _SAVE_AS)
    if _MARKUP.match(start):
        raise _refused("an XML document", _EXPORT)


def _compound(content: bytes) -> RefusedError:
    if _ENCRYPTED in content:
        return _refused(
            "a workbook with a password", "open it in Excel, take the password off, and save it as .xlsx", "not_xlsx"
        )
    if any(name.encode("utf-16-le") in content for name in _OLD_WORKBOOK):
        return _refused("a workbook of Excel 97-2003 (.xls)", _SAVE_AS, "not_xlsx")
    return _refused("an Office document of before 2007", _SAVE_AS, "not_xlsx")


def _refuse_other_archives(content: bytes) -> None:
    try:
        with ZipFile(BytesIO(content)) as archive:
            names = [name.lower().replace("\\", "/") for name in archive.namelist()[:_MEMBERS_LOOKED_AT]]
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        return  # the reader of workbooks says what is wrong with it
    for member, kind, advice in _BY_MEMBER:
        if _has(names, member):
            if kind:
                raise _refused(kind, advice, "not_xlsx")
            return
    if names and "[content_types].xml" not in names:
        raise _refused("a ZIP archive", _UNPACK, "not_xlsx")


def _has(names: Iterable[str], member: str) -> bool:
    return any(name == member or (member.endswith("/") and name.startswith(member)) for name in names)


def _refused(kind: str, advice: str, code: str = "not_a_list") -> RefusedError:
    rule = f"a list is an Excel workbook (.xlsx), CSV or JSON; this file is {kind}"
    return RefusedError(Refusal(code, "file", rule, advice))
