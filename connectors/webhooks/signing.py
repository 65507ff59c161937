"""Secrets of endpoints, kept encrypted under ``webhooks.key`` in the vault's key folder, and what they sign."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from standardwebhooks import Webhook

from connectors.vault.key_files import KeyFileError
from connectors.vault.keys import WEBHOOKS, own_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

_NONCE_BYTES = 12
_SECRET_BYTES = 32


def new_signing_secret() -> str:
    """Returns a new secret in the form that Standard Webhooks' libraries take: ``whsec_`` and base64."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode('ascii')}"


class SecretBox:
    """Encrypts secrets (AES-256-GCM), each bound to its programme: one row's can't be put in another's place."""

    def __init__(self, keys_folder: Path) -> None:
        """Reads ``webhooks.key``, made where missing; raises KeyFileError where it is not what it should be."""
        self._cipher = AESGCM(own_key(keys_folder / WEBHOOKS))

    def closed(self, programme: str, secret: str) -> bytes:
        """Returns the secret encrypted, never the same bytes twice."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.encode("ascii"), programme.encode())

    def opened(self, programme: str, closed: bytes) -> str:
        """Returns the secret; raises KeyFileError where it was encrypted under another key or for another."""
        nonce, encrypted = closed[:_NONCE_BYTES], closed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, encrypted, programme.encode()).decode("ascii")
        except InvalidTag as error:
            raise KeyFileError(
                f"the secret of {programme} was kept under another {WEBHOOKS}: restore that file, or give the "
                "programme a new secret by `brobygger webhooks set --new-secret`"
            ) from error


def signed_headers(keys: Sequence[str], event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Returns Standard Webhooks' three headers; one signature for each secret that the receiver may hold now."""
    text = body.decode("utf-8")
    signatures = [Webhook(key).sign(event_id, at, text) for key in keys]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
