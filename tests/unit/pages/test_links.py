"""Signed links: only what was signed, for its purpose, until its time."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.pages import links
from connectors.pages.links import ConsentLink, link_of_token, links_key, signed
from connectors.vault.key_files import KeyFileError
from tests.unit.gateway.builders import NOW

KEY = bytes(range(32))
LINK = ConsentLink(UUID(int=1), UUID(int=2), "region-hovedstaden", NOW + timedelta(days=7))


def test_a_link_opens_as_what_was_signed() -> None:
    assert link_of_token(KEY, signed(KEY, LINK), NOW) == LINK


def test_a_link_ends_at_its_time() -> None:
    token = signed(KEY, LINK)

    assert link_of_token(KEY, token, LINK.expires_at - timedelta(milliseconds=1)) == LINK
    assert link_of_token(KEY, token, LINK.expires_at) is None


@given(place=st.integers(0), character=st.sampled_from("ABab01-_.="))
def test_a_link_with_any_character_altered_does_not_open(place: int, character: str) -> None:
    token = signed(KEY, LINK)
    place %= len(token)
    altered = token[:place] + character + token[place + 1 :]

    assert (link_of_token(KEY, altered, NOW) is None) is (altered != token)


@pytest.mark.parametrize("token", ["", ".", "a.b", "æ.ø", "x" * 2000, f"{signed(KEY, LINK)}=", f"{signed(KEY, LINK)}."])
def test_what_is_no_link_does_not_open(token: str) -> None:
    assert link_of_token(KEY, token, NOW) is None


def test_a_link_of_another_key_does_not_open() -> None:
    assert link_of_token(KEY, signed(bytes(32), LINK), NOW) is None


def test_a_link_whose_content_was_exchanged_does_not_open() -> None:
    other = replace(LINK, recipient="region-midtjylland")
    text, _, signature = signed(KEY, LINK).partition(".")

    assert link_of_token(KEY, f"{signed(KEY, other).partition('.')[0]}.{signature}", NOW) is None
    assert link_of_token(KEY, f"{text}.{signature}", NOW) == LINK


def test_a_link_for_another_purpose_does_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "CONSENT", "something_else")
    token = signed(KEY, LINK)
    monkeypatch.undo()

    assert json.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))["purpose"] == "something_else"
    assert link_of_token(KEY, token, NOW) is None


def test_the_key_is_made_once_and_is_its_owners_only(tmp_path: Path) -> None:
    key = links_key(tmp_path)

    assert links_key(tmp_path) == key
    assert len(key) == 32
    assert (tmp_path / "links.key").stat().st_mode & 0o077 == 0
    (tmp_path / "links.key").write_text("short")
    with pytest.raises(KeyFileError):
        links_key(tmp_path)
