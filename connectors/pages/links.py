"""Signed links: what a notice leads to, for one recipient, one need and one purpose, until a time.

A link's token is base64url of its JSON, a dot, and base64url of the HMAC-SHA-256 of that text under ``links.key``.
Who has the link has the right, so it is sent to the notice's recipient alone and it expires.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from connectors.pages.rendering import PREFIX
from connectors.vault.keys import LINKS, own_key
from schemas.codes import NoticeKind
from schemas.instants import milliseconds_of, moment_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

LINK_TIME_MAX = timedelta(days=14)
CONSENT = "consent"
ABOUT_CONSENT = (NoticeKind.CONSENT_WANTED, NoticeKind.CONSENT_REMINDER, NoticeKind.DISCHARGE_PLANNED)
_TOKEN_CHARACTERS_MAX = 1024


@dataclass(frozen=True, slots=True)
class ConsentLink:
    """What a link lets its bearer do: record a recipient's consent about the need of a notice."""

    notice_id: UUID
    need_id: UUID
    recipient: str
    expires_at: datetime


def links_key(folder: Path) -> bytes:
    """Returns the key that links are signed with, making its file in the vault's key folder; raises KeyFileError."""
    return own_key(folder / LINKS)


def signed(key: bytes, link: ConsentLink) -> str:
    """Returns a link's token, fit for a URL."""
    content = {
        "purpose": CONSENT,
        "notice": str(link.notice_id),
        "need": str(link.need_id),
        "recipient": link.recipient,
        "expires": milliseconds_of(link.expires_at),
    }
    text = _encoded(json.dumps(content, separators=(",", ":"), sort_keys=True).encode())
    return f"{text}.{_encoded(_signature(key, text))}"


def consent_address(gateway: str, key: bytes, link: ConsentLink) -> str:
    """Returns the address of a link's page; ``gateway`` is the gateway's address as the recipient reaches it."""
    return f"{gateway.rstrip('/')}{PREFIX}/consents/{signed(key, link)}"


def link_of_token(key: bytes, token: str, at: datetime) -> ConsentLink | None:
    """Returns the link of a token; None where it is forged, altered, for another purpose or expired."""
    text, dot, signature = token.partition(".")
    if not dot or len(token) > _TOKEN_CHARACTERS_MAX or not token.isascii():
        return None
    # The text of the signature is compared, not its bytes: base64url has several spellings of the same bytes.
    if not hmac.compare_digest(signature, _encoded(_signature(key, text))):
        return None
    try:
        content = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        link = ConsentLink(
            UUID(content["notice"]), UUID(content["need"]), str(content["recipient"]), moment_of(content["expires"])
        )
    except (binascii.Error, ValueError, KeyError, TypeError):
        return None
    return link if content.get("purpose") == CONSENT and at < link.expires_at else None


def _signature(key: bytes, text: str) -> bytes:
    return hmac.new(key, b"brobygger link " + text.encode(), hashlib.sha256).digest()


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
