"""The parts of a workbook: a ZIP file of XML from a stranger, unpacked and taken apart within limits.

Whatever a part is called, it declares no entities, which is how a small part grows beyond memory. What nobody reads
(properties, themes, filters) may be as broken as it likes.
"""

from __future__ import annotations

import posixpath
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, NoReturn
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main "
_STRICT_SPREADSHEET = "http://purl.oclc.org/ooxml/spreadsheetml/main "
_UNPACKED_BYTES_MAX = 32 * 1024 * 1024
_PARTS_MAX = 1_000
_NESTING_MAX = 64
# Both are said again with every element or relationship, however seldom they are written.
_NAMESPACE_CHARACTERS_MAX = _PATH_CHARACTERS_MAX = 255
_HELP = "save the list as .xlsx in Excel, without a password, or as CSV UTF-8"
_UNSAFE = Refusal("unsafe_xml", "file", "a workbook's XML declares no entities", _HELP)
_STRICT = Refusal(
    "not_xlsx",
    "file",
    "a list is an Excel workbook (.xlsx), CSV or JSON; this file is a Strict Open XML workbook",
    "open it in Excel and save it as Excel Workbook (.xlsx), the type without Strict",
)
_REPEATED = Refusal("repeated_sheet", "file", "each sheet of a workbook has a part of its own", _HELP)
_BROKEN = (BadZipFile, zlib.error, struct.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError)


class BrokenWorkbookError(Exception):
    """Raised where a file is no workbook, or one that can't be taken apart."""


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A sheet of a workbook: its name, whether people see it, and its part."""

    name: str
    visible: bool
    part: bytes


@dataclass(frozen=True, slots=True)
class Book:
    """The parts of a workbook that are read. ``styles`` and ``strings`` are empty where it has none."""

    sheets: tuple[SheetPart, ...]
    styles: bytes
    strings: bytes
    counts_from_1904: bool


def book_of(content: bytes) -> Book:
    """Returns a workbook's parts; raises BrokenWorkbookError, or RefusedError: too large, unsafe, a Strict one.

    No part is two sheets: it would be taken apart as often as the workbook names it.
    """
    parts = _unpacked(content)
    path = _workbook_path(parts)
    described = _Described()
    parse(_wanted(parts, path), described.start)
    related = _relationships(parts, path)
    own = [one for one in described.sheets if one[1] in related and related[one[1]].kind == "worksheet"]
    if len({related[key].path for _, key, _ in own}) < len(own):
        raise RefusedError(_REPEATED)
    sheets = [SheetPart(name, visible, _wanted(parts, related[key].path)) for name, key, visible in own]
    by_kind = {one.kind: parts.get(one.path, b"") for one in related.values()}
    return Book(
        tuple(sheets), by_kind.get("styles", b""), by_kind.get("sharedStrings", b""), described.counts_from_1904
    )


def parse(
    part: bytes,
    start: Callable[[str, dict[str, str]], object],
    end: Callable[[str], object] | None = None,
    text: Callable[[str], object] | None = None,
) -> None:
    """Calls back for each element of a part by its namespace, a blank and its name, in time linear in its bytes.

    Raises BrokenWorkbookError, RefusedError for a document type, in which entities are declared, and what is raised
    by those who are called.
    """
    parser = ParserCreate(namespace_separator=" ")
    depth = 0

    def started(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _NESTING_MAX:
            raise BrokenWorkbookError
        start(name, attributes)

    def ended(name: str) -> None:
        nonlocal depth
        depth -= 1
        if end is not None:
            end(name)

    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.StartNamespaceDeclHandler = _refuse_long_namespace
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = started, ended, text
    try:
        parser.Parse(part, True)  # noqa: FBT003 expat's own name for it: the whole
    except (ExpatError, ValueError, LookupError) as error:
        raise BrokenWorkbookError from error


def _refuse_document_type(*_declared: Any) -> NoReturn:
    raise RefusedError(_UNSAFE)


def _refuse_long_namespace(_prefix: str | None, namespace: str | None) -> None:
    if len(namespace or "") > _NAMESPACE_CHARACTERS_MAX:
        raise BrokenWorkbookError


def _unpacked(content: bytes) -> dict[str, bytes]:
    """Returns the parts by their names in small letters: names of parts are compared so (ECMA-376, part 2)."""
    try:
        with ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > _PARTS_MAX or sum(one.file_size for one in members) > _UNPACKED_BYTES_MAX:
                rule = f"unpacked, a workbook has at most {_UNPACKED_BYTES_MAX} bytes in {_PARTS_MAX} parts"
                raise RefusedError(Refusal("file_too_large", "file", rule, "save the list's sheet alone, or as CSV"))
            read = [(_path_of(one.filename), _bytes_of(archive, one)) for one in members]
    except _BROKEN as error:
        raise BrokenWorkbookError from error
    parts = {path: part for path, part in read if part is not None}
    if len({path for path, _ in read}) < len(read):
        raise BrokenWorkbookError
    if any(_declares_entities(part) for part in parts.values()):
        raise RefusedError(_UNSAFE)
    return parts


def _bytes_of(archive: ZipFile, member: ZipInfo) -> bytes | None:
    """Returns a part's bytes, or None where it can't be unpacked, which matters only if it is read."""
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return None
    try:
        return archive.read(member)
    except _BROKEN:
        return None


def _declares_entities(part: bytes) -> bool:
    # In UTF-16 each of the letters has a NUL beside it.
    return b"<!ENTITY" in part or (b"<\x00!\x00" in part and b"<!ENTITY" in part.replace(b"\x00", b""))


def _path_of(name: str) -> str:
    return posixpath.normpath(name.replace("\\", "/").lstrip("/")).lower()


def _wanted(parts: dict[str, bytes], path: str) -> bytes:
    if path not in parts:
        raise BrokenWorkbookError
    return parts[path]


def _workbook_path(parts: dict[str, bytes]) -> str:
    """Returns where the workbook itself is: where the package says, else where Excel puts it."""
    named = [one.path for one in _relationships(parts, "").values() if one.kind == "officeDocument"]
    return named[0] if named else "xl/workbook.xml"


@dataclass(frozen=True, slots=True)
class _Related:
    kind: str
    path: str


def _relationships(parts: dict[str, bytes], path: str) -> dict[str, _Related]:
    """Returns what a part, or with an empty path the package, names as belonging to it, by its id."""
    if len(path) > _PATH_CHARACTERS_MAX:
        raise BrokenWorkbookError
    folder, name = posixpath.split(path)
    found: dict[str, _Related] = {}

    def start(_name: str, given: dict[str, str]) -> None:
        if {"Id", "Type", "Target"} <= given.keys():
            target = given["Target"] if given["Target"].startswith("/") else posixpath.join(folder, given["Target"])
            found[given["Id"]] = _Related(given["Type"].rpartition("/")[2], _path_of(target))

    part = parts.get(posixpath.join(folder, "_rels", f"{name}.rels"))
    if part is not None:
        parse(part, start)
    return found


class _Described:
    """What the part of the workbook itself says: its sheets in their order, and from when its dates count."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str, bool]] = []
        self.counts_from_1904 = False

    def start(self, name: str, given: dict[str, str]) -> None:
        """Takes an element."""
        if name.startswith(_STRICT_SPREADSHEET):
            raise RefusedError(_STRICT)
        if name == f"{SPREADSHEET}workbookPr":
            self.counts_from_1904 = given.get("date1904", "0").lower() in ("1", "true", "on")
        elif name == f"{SPREADSHEET}sheet":
            key = next((value for one, value in given.items() if one.endswith(" id")), "")
            self.sheets.append((given.get("name", ""), key, given.get("state", "visible") == "visible"))
