"""Which of HospitalNotification's 18 codes a message is.

The type is a function of ``Encounter.class``, ``Encounter.status``, the current ``Provenance.activity``
and ``Patient.deceased`` (MedCom's own table, medcomdk.github.io/dk-medcom-hospitalnotification,
"HospitalNotification codes in FHIR"): deceased true is a death, explicit false takes one back where the chain of
letters shows one (``provenance.takes_back_a_death``), since systems write it by default; else the activity decides.
Where the status contradicts it, which published test messages do, the activity stands and the contradiction is kept
as a remark.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connectors.medcom_fhir.codes import ErrorCode
from connectors.medcom_fhir.nodes import fhir_refusal
from schemas.codes import StayClass, StayStatus


class RevisionMode(StrEnum):
    """What a message does to the letter it names: nothing, replace it, or take it back."""

    NEW = ""
    REVISE = "RE_"
    CANCEL = "AN_"


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity code of MedCom's value set and what Encounter holds beside it."""

    code: str
    mode: RevisionMode
    stay_status: StayStatus
    stay_class: StayClass
    encounter_statuses: frozenset[str]


@dataclass(frozen=True, slots=True)
class NotificationStep:
    """What a message says: its code, and what it means for the stay."""

    notification: str
    mode: RevisionMode
    stay_status: StayStatus
    stay_class: StayClass
    consistent: bool


_CLASSES = {"EMER": StayClass.EMERGENCY, "IMP": StayClass.INPATIENT}
_STATUSES = frozenset({"in-progress", "onleave", "finished", "cancelled", "entered-in-error"})
# base code -> MedCom's code, status of the stay, Encounter.status of the step, and of its cancellation
_BASES: dict[str, tuple[str, StayStatus, str, frozenset[str]]] = {
    "admit-emergency": ("STAA", StayStatus.ADMITTED, "in-progress", frozenset({"cancelled", "entered-in-error"})),
    "admit-inpatient": ("STIN", StayStatus.ADMITTED, "in-progress", frozenset({"cancelled", "entered-in-error"})),
    "start-leave-inpatient": ("STOR", StayStatus.ON_LEAVE, "onleave", frozenset({"in-progress"})),
    "end-leave-inpatient": ("SLOR", StayStatus.BACK, "in-progress", frozenset({"onleave"})),
    "discharge-emergency-home": ("SLHJ", StayStatus.DISCHARGED_HOME, "finished", frozenset({"in-progress"})),
    "discharge-inpatient-home": ("SLHJ", StayStatus.DISCHARGED_HOME, "finished", frozenset({"in-progress"})),
}
_PREFIXES = {RevisionMode.NEW: "", RevisionMode.REVISE: "revise-", RevisionMode.CANCEL: "cancel-"}


def _activities() -> dict[str, Activity]:
    table = {}
    for base, (code, stay_status, status, cancelled) in _BASES.items():
        stay_class = StayClass.EMERGENCY if "emergency" in base else StayClass.INPATIENT
        for mode, prefix in _PREFIXES.items():
            statuses = cancelled if mode is RevisionMode.CANCEL else frozenset({status})
            table[prefix + base] = Activity(mode + code, mode, stay_status, stay_class, statuses)
    return table


ACTIVITIES = _activities()


def classify(
    activity: str, encounter: tuple[str, str], *, deceased: bool | None, follows_death: bool
) -> NotificationStep:
    """Returns the step of an activity, ``(class, status)`` of the Encounter, and what is said of a death.

    ``deceased`` is true for a death, false where one is taken back. ``follows_death``: the letter that this one follows
    was a MORS, so that a death is its revision. Raises RefusedError for a code outside MedCom's value sets.
    """
    held_class, status = encounter
    known = ACTIVITIES.get(activity)
    if known is None:
        raise _unknown("Provenance.activity.coding.code", "the activity is one of HospitalNotification's")
    if held_class not in _CLASSES:
        raise _unknown("Encounter.class.code", "the class is EMER or IMP")
    if status not in _STATUSES:
        raise _unknown("Encounter.status", "the status is one of HospitalNotification's")
    if deceased is None:
        consistent = status in known.encounter_statuses and _CLASSES[held_class] is known.stay_class
        return NotificationStep(known.code, known.mode, known.stay_status, known.stay_class, consistent)
    if deceased:
        mode = RevisionMode.REVISE if follows_death else RevisionMode.NEW
        return NotificationStep(mode + "MORS", mode, StayStatus.DECEASED, _CLASSES[held_class], status == "finished")
    consistent = status in known.encounter_statuses
    return NotificationStep(
        RevisionMode.CANCEL + "MORS", RevisionMode.CANCEL, StayStatus.DECEASED, _CLASSES[held_class], consistent
    )


def _unknown(path: str, rule: str) -> Exception:
    return fhir_refusal(ErrorCode.NOT_IN_VALUE_SET, path, rule)
