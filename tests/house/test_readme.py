"""What README names exists; that its commands work is held by ``tests/integration/test_demo.py``."""

from __future__ import annotations

import re

from streams.cli.main import _PLACES
from tests.house.tree import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_that_the_text_names_exists() -> None:
    named = set(re.findall(r"`brobygger ([a-z-]+)", README))

    assert named <= set(_PLACES), named - set(_PLACES)


def test_every_make_target_that_the_text_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    for target in set(re.findall(r"(?:`|^)make ([a-z-]+)", README, flags=re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_every_curl_shows_what_a_refusal_says() -> None:
    """Without these curl prints nothing of an answer that says what to do."""
    lines = [line for line in README.splitlines() if "curl " in line]

    assert len(lines) > 1
    assert [line for line in lines if "--show-error --fail-with-body" not in line] == []
