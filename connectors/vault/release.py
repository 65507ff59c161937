"""An identity on its way to one programme: sealed to its key, and bound to handover, purpose and receiver."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.vault.sealing import UnsealError, seal, unseal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

    from connectors.person_details import PersonDetails

SUITE = "HPKE base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM (RFC 9180)"


@dataclass(frozen=True, slots=True)
class Binding:
    """What a sealed identity is for; it opens for nothing else."""

    handover_id: str
    purpose: str
    receiver: str

    @property
    def info(self) -> bytes:
        """Returns HPKE's ``info``: a JSON list, so that no two bindings give the same bytes."""
        return msgspec.json.encode(["brobygger identity", self.handover_id, self.purpose, self.receiver])


def seal_identity(key: X25519PublicKey, details: PersonDetails, binding: Binding) -> dict[str, Any]:
    """Returns the document that the programme is given; in clear it says what its handover says, no more.

    A protected address (security label R) stays in the vault: name and phone are enough to reach the person.
    """
    content = {
        "system": details.system,
        "number": details.number,
        "name": details.name,
        "address": None if details.protected else details.address,
        "phone": details.phone,
        "protected": bool(details.protected),
    }
    sealed = seal(key, msgspec.json.encode(content), binding.info)
    return {
        "handover_id": binding.handover_id,
        "purpose": binding.purpose,
        "receiver": binding.receiver,
        "suite": SUITE,
        "sealed": base64.b64encode(sealed).decode("ascii"),
    }


def open_identity(key: X25519PrivateKey, document: dict[str, Any]) -> dict[str, Any]:
    """Returns the identity in a document of ``seal_identity``; raises UnsealError where anything of it was changed."""
    try:
        binding = Binding(*(document[name] for name in ("handover_id", "purpose", "receiver")))
        sealed = base64.b64decode(document["sealed"], validate=True)
    except (KeyError, TypeError, binascii.Error, ValueError) as error:
        raise UnsealError("this is no sealed identity as GET /handovers/{handover_id}/identity gives it") from error
    content: dict[str, Any] = msgspec.json.decode(unseal(key, sealed, binding.info))
    return content
