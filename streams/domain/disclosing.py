"""Disclosures: for each thing that a receiver is told about a young person, who, what, why and by which consent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.identifiers import derived_text
from streams.domain.consents import basis_of
from streams.domain.work import Emission

if TYPE_CHECKING:
    from schemas.pathway import Handover
    from streams.domain.work import Work


def disclose(work: Work, handover: Handover, disclosed: str, grant_id: str | None = None) -> None:
    """Enters what a handover's programme has just been told; its place in the chain is given where it is written."""
    need = work.needs[handover.need_id]
    consent = basis_of(work.consents, work.asker(handover), handover.identity, work.now)
    event_id = derived_text("disclosure", handover.handover_id, str(handover.statements))
    header = work.header(event_id, handover.handover_id, need.need_id, need.root)
    own = {
        "receiver": handover.programme,
        "disclosed": disclosed,
        "purpose": need.kind,
        "consent_id": None if consent is None else consent.subject,
        "grant_id": grant_id,
    }
    work.said.append(Emission("disclosures", header | own))
