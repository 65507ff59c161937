"""Everything that a page may have to say has Danish words."""

from __future__ import annotations

import ast
import re

import pytest

from connectors.pages import words
from schemas.codes import HandoverEventType, Identity, NeedKind, ReplyStatus
from schemas.programmes import TRIGGERS
from tests.unit.gateway.prepared import ROOT

DOMAIN = ROOT / "streams" / "domain"
# What takes a reason as a literal, and the files whose functions return one.
TAKES_REASON = {"close", "withdraw", "escalate", "give_to_person"}
RETURNS_REASON = ("matching.py", "consents.py", "interventions.py", "needs.py", "replies.py")
_NOT_WRITTEN = re.compile(
    r"[Ss]tår (?:nu )?som|Venter på en person|taget over|\bOs\b|godtaget|kom ikke svar i tide|prøves forfra"
    r"|<dt>Navn</dt>|\bAnonymt[\".]|ikke set på|>Hos<|Det seneste, der|nøglen af driften|Tilbyd et bestemt|Skriv her"
)
SAID_ELSEWHERE = {ReplyStatus.UNKNOWN, ReplyStatus.FREE_CAPACITY, ReplyStatus.UNDELIVERABLE}


def reasons_of_the_domain() -> set[str]:
    """Returns the reason codes that stand in the domain as literals."""
    found: set[str] = set()
    for path in DOMAIN.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in TAKES_REASON:
                found |= texts(*node.args)
            if isinstance(node, ast.Return) and node.value is not None and path.name in RETURNS_REASON:
                found |= texts(node.value)
            if isinstance(node, ast.keyword) and node.arg == "reason_code":
                found |= texts(node.value)
    return found


def texts(*nodes: ast.expr) -> set[str]:
    """Returns the texts among expressions, of a choice between two both."""
    chosen = [part for node in nodes if isinstance(node, ast.IfExp) for part in (node.body, node.orelse)]
    return {one.value for one in (*nodes, *chosen) if isinstance(one, ast.Constant) and isinstance(one.value, str)}


@pytest.mark.parametrize("code", sorted(reasons_of_the_domain()))
def test_a_reason_that_the_domain_gives_has_words(code: str) -> None:
    assert code in words.REASONS | words.OPTIONS | words.ACTS


def test_a_programme_is_addressed_and_an_owner_is_told_of_it() -> None:
    assert words.said("expired", words.REASONS) == "I svarede ikke i tide"
    assert words.said("expired", words.OWNER_REASONS, words.REASONS) == "tilbuddet svarede ikke i tide"
    assert not [one for one in words.OWNER_REASONS.values() if re.search(r"\b(I|jer|jeres)\b", one)]


def test_no_word_is_left_that_no_coordinator_writes() -> None:
    pages = ROOT / "connectors" / "pages"
    texts = [path.read_text(encoding="utf-8") for form in ("*.py", "*.html") for path in pages.rglob(form)]

    assert not [found for text in texts for found in _NOT_WRITTEN.findall(text)]


def test_the_domains_reasons_are_found() -> None:
    assert {"expired", "municipality_not_covered", "need_closed", "no_programme"} <= reasons_of_the_domain()


def test_every_code_of_the_lists_has_words() -> None:
    assert set(words.EVENT_TYPES) == set(HandoverEventType) - {HandoverEventType.UNKNOWN}
    assert set(words.KINDS) == set(NeedKind) - {NeedKind.UNKNOWN}
    assert set(words.IDENTITIES) == set(Identity) - {Identity.UNKNOWN}
    assert set(words.TRIGGERS) == set(TRIGGERS)
    assert set(words.ACTS) == set(ReplyStatus) - SAID_ELSEWHERE
