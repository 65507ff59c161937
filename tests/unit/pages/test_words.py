"""Everything that a page may have to say has Danish words."""

from __future__ import annotations

import ast

import pytest

from connectors.pages import words
from schemas.codes import HandoverStatement, Identity, NeedKind, ReplyStatus
from schemas.programmes import TRIGGERS
from tests.unit.gateway.prepared import ROOT

DOMAIN = ROOT / "streams" / "domain"
# What takes a reason as a literal, and the files whose functions return one.
TAKES_REASON = {"close", "withdraw", "escalate", "_give_to_person"}
RETURNS_REASON = ("matching.py", "consents.py", "interventions.py", "needs.py", "replies.py")
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


def test_the_domains_reasons_are_found() -> None:
    assert {"expired", "municipality_not_covered", "need_closed", "no_programme"} <= reasons_of_the_domain()


def test_every_code_of_the_lists_has_words() -> None:
    assert set(words.STATEMENTS) == set(HandoverStatement) - {HandoverStatement.UNKNOWN}
    assert set(words.KINDS) == set(NeedKind) - {NeedKind.UNKNOWN}
    assert set(words.IDENTITIES) == set(Identity) - {Identity.UNKNOWN}
    assert set(words.TRIGGERS) == set(TRIGGERS)
    assert set(words.ACTS) == set(ReplyStatus) - SAID_ELSEWHERE
