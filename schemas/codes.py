"""Code lists of the public events.

Every list starts with ``UNKNOWN``, the Avro default: a reader that is older than the writer sees it
instead of failing. A fact with an unknown code is parked with a notice and never routes a young person.
"""

from enum import StrEnum


class StayStatus(StrEnum):
    """What a discharge event says about a stay."""

    UNKNOWN = "UNKNOWN"
    ADMITTED = "admitted"
    ON_LEAVE = "on_leave"
    BACK = "back"
    DISCHARGE_PLANNED = "discharge_planned"
    DISCHARGED_HOME = "discharged_home"
    DECEASED = "deceased"


class StayClass(StrEnum):
    """HL7 v3 ActCode of the encounter, as MedCom uses it: EMER or IMP."""

    UNKNOWN = "UNKNOWN"
    EMERGENCY = "emergency"
    INPATIENT = "inpatient"


class Specialty(StrEnum):
    """What kind of unit a stay was at, as far as routing needs it."""

    UNKNOWN = "UNKNOWN"
    CHILD_PSYCHIATRY = "child_psychiatry"
    ADULT_PSYCHIATRY = "adult_psychiatry"
    PSYCHIATRIC_EMERGENCY = "psychiatric_emergency"
    SOMATIC = "somatic"


class Remark(StrEnum):
    """What was odd about a message that was taken all the same; each becomes a notice to its source."""

    UNKNOWN = "UNKNOWN"
    INCONSISTENT_STATUS = "inconsistent_status"
    NONSTANDARD_IDENTIFIER = "nonstandard_identifier"


class ReferralStatus(StrEnum):
    """Referral status of MedCom's draft referral model (medcomdk/dk-medcom-ref-lm)."""

    UNKNOWN = "UNKNOWN"
    PROPOSED = "proposed"
    ACTIVE = "active"
    ON_HOLD = "on_hold"
    REVOKED = "revoked"
    COMPLETED = "completed"


class VisitationDecision(StrEnum):
    """Visitation decision of MedCom's draft referral model."""

    UNKNOWN = "UNKNOWN"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FORWARDED = "forwarded"
    RE_PRIORITISED = "re_prioritised"


class CourseStatus(StrEnum):
    """What an enrolment event says about a course."""

    UNKNOWN = "UNKNOWN"
    WAITING = "waiting"
    ACTIVE = "active"
    COMPLETED = "completed"
    DROPPED_OUT = "dropped_out"
    REFERRED_ELSEWHERE = "referred_elsewhere"


class ConsentDecision(StrEnum):
    """Whether a consent was given, refused or withdrawn."""

    UNKNOWN = "UNKNOWN"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ConsentGiver(StrEnum):
    """Who consents. ``OTHER_CUSTODY_HOLDER`` is the second holder of a joint custody."""

    UNKNOWN = "UNKNOWN"
    YOUNG_PERSON = "young_person"
    CUSTODY_HOLDER = "custody_holder"
    OTHER_CUSTODY_HOLDER = "other_custody_holder"


class Custody(StrEnum):
    """Custody of a young person; joint needs both holders; UNKNOWN counts as not told."""

    UNKNOWN = "UNKNOWN"
    SOLE = "sole"
    JOINT = "joint"


class Identity(StrEnum):
    """Whether a consent, an offer or a programme is with name or anonymous."""

    UNKNOWN = "UNKNOWN"
    NAMED = "named"
    ANONYMOUS = "anonymous"


class NeedKind(StrEnum):
    """Kinds of need; a young person has at most one open offer of each."""

    UNKNOWN = "UNKNOWN"
    AFTERCARE = "aftercare"
    PLAN = "plan"
    BRIDGING = "bridging"


class CorrespondenceForm(StrEnum):
    """Whether a letter begins a correspondence, answers one, or passes it on (MedCom CareCommunication)."""

    UNKNOWN = "UNKNOWN"
    NEW = "new"
    REPLY = "reply"
    FORWARDED = "forwarded"


class ReplyStatus(StrEnum):
    """What a programme answers to a handover.

    ``identity_wanted`` asks for the identity behind an accepted, named handover. ``code_claimed`` says that
    the young person has come with the claim code of an anonymous one: that is the first contact.
    ``undeliverable`` is the service's own word that a handover could not be brought to the programme.
    """

    UNKNOWN = "UNKNOWN"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WAITLISTED = "waitlisted"
    FIRST_CONTACT = "first_contact"
    NO_SHOW = "no_show"
    FULFILLED = "fulfilled"
    ENDED = "ended"
    RECALLED_AND_DELETED = "recalled_and_deleted"
    FREE_CAPACITY = "free_capacity"
    IDENTITY_WANTED = "identity_wanted"
    CODE_CLAIMED = "code_claimed"
    UNDELIVERABLE = "undeliverable"


class Side(StrEnum):
    """Which side a decline or an end came from."""

    UNKNOWN = "UNKNOWN"
    PROGRAMME = "programme"
    YOUNG_PERSON = "young_person"


class InterventionAction(StrEnum):
    """What a person decided about a need; ``consent_asked`` asks its source for consent once more."""

    UNKNOWN = "UNKNOWN"
    ASSIGNED = "assigned"
    OFFERED = "offered"
    REOPENED = "reopened"
    CLOSED = "closed"
    ESCALATION_ANSWERED = "escalation_answered"
    ERASED = "erased"
    CONSENT_ASKED = "consent_asked"


class HandoverEventType(StrEnum):
    """What a record on a programme's topic says."""

    UNKNOWN = "UNKNOWN"
    ANNOUNCED = "announced"
    OFFERED = "offered"
    REMINDED = "reminded"
    UPDATED = "updated"
    WITHDRAWN = "withdrawn"
    REPLY_ACCEPTED = "reply_accepted"
    REPLY_REFUSED = "reply_refused"
    IDENTITY_GRANTED = "identity_granted"


class NoticeKind(StrEnum):
    """What a source or a person is told to do."""

    UNKNOWN = "UNKNOWN"
    CONSENT_WANTED = "consent_wanted"
    CONSENT_REMINDER = "consent_reminder"
    DISCHARGE_PLANNED = "discharge_planned"
    ESCALATED = "escalated"
    CODE_UNCLAIMED = "code_unclaimed"
    DELETION_OVERDUE = "deletion_overdue"
    DELIVERY_FAILED = "delivery_failed"
    UNKNOWN_UNIT = "unknown_unit"
    INCONSISTENT_STATUS = "inconsistent_status"
    NONSTANDARD_IDENTIFIER = "nonstandard_identifier"
    STAY_END_MISSING = "stay_end_missing"
    CORRESPONDENCE = "correspondence"
    CONFLICTING_DUPLICATE = "conflicting_duplicate"
    UNKNOWN_CODE = "unknown_code"
    STUCK = "stuck"
    SILENT_SOURCE = "silent_source"
    SOURCE_BACK = "source_back"


class Disclosed(StrEnum):
    """What a receiver was told about a young person."""

    UNKNOWN = "UNKNOWN"
    HANDOVER = "handover"
    IDENTITY = "identity"
