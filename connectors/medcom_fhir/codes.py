"""Code systems, identifier systems and code lists of MedCom's FHIR messages.

Sources: medcomdk/dk-medcom-terminology (MedComMessagingActivityCodes, MedComMessagingMessageTypes,
MedComCareCommunicationCategories 1.9.0, MedComAcknowledgementErrorCodes), medcomdk/dk-medcom-hospitalnotification,
hl7dk/dk-core (identifiers).
"""

from enum import StrEnum

TERMINOLOGY = "http://medcomfhir.dk/ig/terminology/CodeSystem"
EVENT_CODES = f"{TERMINOLOGY}/medcom-messaging-eventCodes"
ACTIVITY_CODES = f"{TERMINOLOGY}/medcom-messaging-activityCodes"
ERROR_CODES = f"{TERMINOLOGY}/medcom-acknowledgement-error-codes"
CATEGORY_CODES = f"{TERMINOLOGY}/medcom-careCommunication-categoryCodes"
DESTINATION_USE_CODES = f"{TERMINOLOGY}/medcom-messaging-destinationUse"
DESTINATION_USE = "http://medcomfhir.dk/ig/messaging/StructureDefinition/medcom-messaging-destinationUseExtension"

HOSPITAL_NOTIFICATION = "hospital-notification-message"
CARE_COMMUNICATION = "care-communication-message"
ACKNOWLEDGEMENT = "acknowledgement-message"
OTHER_EVENT_CODES = frozenset(
    {
        "empty-message",
        "homecare-observation-message",
        "homecareobservation-message",
    }
)

CATEGORIES = frozenset(
    {
        "acute-ambulant",
        "alcohol-and-drug-treatment",
        "assistive-devices",
        "carecoordination",
        "decease",
        "discharge",
        "examination-results",
        "extended-care-responsibility",
        "healthcare",
        "home-care-assessment",
        "medicine",
        "nursing",
        "other",
        "outpatient",
        "psychiatry-social-disability",
        "regarding-referral",
        "telemedicine",
        "training",
    }
)

SOR = "urn:oid:1.2.208.176.1.1"
GLN = "https://www.gs1.org/gln"
GLN_SYSTEMS = frozenset({GLN, "http://www.gs1.org/gln", "urn:oid:1.3.88"})
LPR3 = "www.esundhed.dk/registre/landspatientregisteret"
LEAVE_PERIOD_SUFFIX = "/medcom-hospitalnotifiation-leave-period-extension"
RESTRICTED = "R"


class ResponseCode(StrEnum):
    """HL7 FHIR R4 response-code, which MessageHeader.response.code holds."""

    OK = "ok"
    FATAL_ERROR = "fatal-error"
    TRANSIENT_ERROR = "transient-error"


class ErrorCode(StrEnum):
    """MedCom's error codes, spelt as MedCom spells them (MedComAcknowledgementErrorCodes)."""

    RECEIVER_UNKNOWN = "MSG_Receiver_Identifier_UNKNOWN"
    RECEIVER_MISSING = "MSG_Receiver_Identifier_MISSING"
    MESSAGE_TYPE_NOT_TAKEN = "MSG_RECEIVER_UNABLE_TO_RECEIVE_MSG_TYPE"
    NOT_IN_VALUE_SET = "MSG_VALUESET_VALUE_UNKNOWN"
    NOT_IN_CODE_SYSTEM = "MSG_CodeSystem_VALUE_UNKNOWN"
    ELEMENT_TOO_LONG = "MSG_Element_To_Long"
    DATATYPE_WRONG = "MSG_Datatype_Wrong"
    OUT_OF_OPERATION = "MSG_Mailbox_Out_Of_Operation"
    DAMAGED = "MSG_Damaged_durin_transport"
