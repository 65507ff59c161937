"""Refusals of reliable messaging, which only whoever keeps earlier messages can find.

Source: medcomdk/MedCom-FHIR-Communication, "Reliable Messaging using MedCom FHIR Messaging".
"""

from connectors.medcom_fhir.codes import ErrorCode
from schemas.refusals import Refusal

BUNDLE_ID_REUSED = Refusal(
    "bundle_id_reused",
    "Bundle.id",
    "a Bundle.id is never used for another MessageHeader.id",
    "send the message with a new Bundle.id",
)
CONTENT_CHANGED = Refusal(
    "letter_changed",
    "MessageHeader.id",
    "a letter that is sent again says the same",
    "send what has changed as a new letter that revises this one",
)
OUT_OF_OPERATION = Refusal(
    ErrorCode.OUT_OF_OPERATION.value,
    "Bundle",
    "the message could not be stored",
    "send the same Bundle again later",
)
