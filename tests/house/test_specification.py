"""The specification's numbers and sections exist where they are named, and no text refers to a document elsewhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.house.tree import ROOT, committed

SPECIFICATION = Path("docs/specification")
CASES = Path("docs/specification/cases.md")
TEXTS = {"", ".html", ".md", ".py", ".toml", ".yml"}

_NUMBER = r"[A-Z]?[0-9]{1,3}"
_NUMBERED = re.compile(rf"^(?:- \*\*({_NUMBER})\*\* |\| ({_NUMBER}) \| |### Case ({_NUMBER})$)", re.MULTILINE)
_REFERENCE = re.compile(rf"docs/specification/([\w-]+\.md),? (?:cases? )?({_NUMBER}(?:(?:, | and )(?:{_NUMBER}))*)\b")
_SECTION = re.compile(r"([\w./-]*\.md)?#([\w-]+)")
_DOCUMENT = re.compile(r"(?<![\w./*>-])(?:[\w.-]+/)*[\w-]+\.md\b")
_ELSEWHERE = re.compile(r"\b(?:[A-Z]{4,}(?:'s)?,? §[0-9]+|CASES,? [0-9]+)")
_CASE = re.compile(r"\b[Cc]ases? ([0-9]{1,3}(?:(?:, | and )[0-9]{1,3})*)\b")
_MATCHED = re.compile(r"^\s*case [0-9].*:$", re.MULTILINE)
_TESTED = re.compile(r"def test_(?:case|rule)_([a-z]?[0-9]{1,3})_")


@cache
def text_of(path: Path) -> str:
    """Returns a committed file's text."""
    return (ROOT / path).read_text(encoding="utf-8")


def texts() -> list[Path]:
    """Returns the committed files in which people write for people; published messages are none of them."""
    return [path for path in committed() if path.suffix in TEXTS and path.parts[:2] != ("tests", "messages")]


def pages() -> list[Path]:
    """Returns the specification's pages."""
    return [path for path in committed() if path.parent == SPECIFICATION]


@cache
def numbers_on(page: Path) -> tuple[str, ...]:
    """Returns the numbers of the rules, rows and cases on a page, in their order."""
    return tuple("".join(found) for found in _NUMBERED.findall(text_of(page)))


@cache
def sections_of(path: Path) -> frozenset[str]:
    """Returns the anchors of a document's headings, as GitHub and MkDocs make them."""
    headings = re.findall(r"^#+ (.+)$", text_of(path), re.MULTILINE)
    return frozenset(re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings)


def found_from(path: Path, name: str) -> Path | None:
    """Returns the committed file that a path in a text means, from the root or from the text's own folder."""
    places = [(ROOT / name).resolve(), (ROOT / path.parent / name).resolve()]
    there = [place.relative_to(ROOT) for place in places if place.is_file() and place.is_relative_to(ROOT)]
    return next((one for one in there if one in committed()), None)


def unresolved_in(path: Path) -> list[str]:
    """Returns what a text refers to that is not in the repository: documents, sections, rules and cases."""
    text = _MATCHED.sub("", text_of(path))
    documents = [name for name in _DOCUMENT.findall(text) if found_from(path, name) is None]
    return documents + _ELSEWHERE.findall(text) + missing_sections(path, text) + missing_numbers(text)


def missing_sections(path: Path, text: str) -> list[str]:
    """Returns the links and references to sections that their document doesn't have."""
    missing = []
    for name, section in _SECTION.findall(text):
        own = path if f"](#{section})" in text else None
        page = found_from(path, name) if name else own
        if page is not None and section not in sections_of(page):
            missing.append(f"{name}#{section}")
    return missing


def missing_numbers(text: str) -> list[str]:
    """Returns the rules and cases that a text names, or that a test's name bears, and that don't exist."""
    missing = []
    for name, numbers in _REFERENCE.findall(text):
        known = numbers_on(SPECIFICATION / name) if SPECIFICATION / name in pages() else ()
        missing += [f"{name} {number}" for number in re.findall(_NUMBER, numbers) if number not in known]
    cases = [number for numbers in _CASE.findall(text) for number in re.findall("[0-9]+", numbers)]
    missing += [f"case {number}" for number in cases if number not in numbers_on(CASES)]
    all_known = {number.lower() for page in pages() for number in numbers_on(page)}
    return missing + [f"test_{number}" for number in _TESTED.findall(text) if number.lstrip("0") not in all_known]


def test_every_reference_to_a_document_a_rule_or_a_case_resolves() -> None:
    unresolved = {str(path): missing for path in texts() if (missing := unresolved_in(path))}

    assert unresolved == {}


def test_a_number_stands_once_in_all_the_specification() -> None:
    numbers = [number for page in pages() for number in numbers_on(page)]

    assert sorted(numbers) == sorted(set(numbers))


def test_cases_are_numbered_without_a_gap() -> None:
    assert list(numbers_on(CASES)) == [str(number) for number in range(1, len(numbers_on(CASES)) + 1)]


@pytest.mark.parametrize("page", pages(), ids=str)
def test_a_page_names_only_numbers_that_stand_in_the_specification(page: Path) -> None:
    known = {number for one in pages() for number in numbers_on(one)}
    letters = "".join({number[0] for number in known if number[0].isalpha()})
    named = set(re.findall(rf"(?<![\w/])[{letters}][0-9]{{1,2}}\b", text_of(page)))

    assert named <= known, named - known
