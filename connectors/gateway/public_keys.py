"""The programmes' public keys, as their files have them now: what an identity is sealed to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from schemas.programmes import load_programmes

if TYPE_CHECKING:
    from pathlib import Path


class PublicKeys:
    """Reads the programme files each time it is asked, so that a new key is in force once its file is written."""

    def __init__(self, folder: Path) -> None:
        """Takes the folder from which ``brobygger programmes apply`` reads too."""
        self._folder = folder

    async def of(self, programme: str) -> X25519PublicKey | None:
        """Returns a programme's key, or None where it has none; raises ProgrammeFileError."""
        files = await asyncio.to_thread(load_programmes, self._folder)
        key = next((file.public_key for file in files if file.id == programme), None)
        return None if key is None else X25519PublicKey.from_public_bytes(bytes.fromhex(key))
