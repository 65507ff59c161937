"""An identity leaves the vault at one door, sealed, without a protected address; who adds another meets this."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house.tree import code, nodes_of

# Where what the vault knows of a person is read, and where that is sealed for a programme.
READS_DETAILS = ["connectors/gateway/doors/identity.py"]
OPENS_ROWS = ["connectors/vault/identities.py", "connectors/vault/reworking.py"]


def calling(name: str) -> list[str]:
    """Returns the files of the product in which something of this name is called, but where it is defined."""
    return sorted({str(path) for path in code() if not _is_test(path) and any(_calls(n, name) for n in nodes_of(path))})


def _is_test(path: Path) -> bool:
    return path.parts[0] in {"tests", "benchmarks"}


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Attribute | ast.Name) and name in {getattr(node, "attr", ""), getattr(node, "id", "")}


def test_an_identity_is_sealed_at_one_door() -> None:
    assert calling("seal_identity") == READS_DETAILS


def test_no_other_file_opens_what_is_kept_of_a_person() -> None:
    assert calling("opened_identity") == OPENS_ROWS
