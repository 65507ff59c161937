"""What a discharging unit records on a signed link: the consent event, from the fields of its form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.pages.incoming_forms import FormProblemError
from schemas.codes import ConsentDecision, ConsentGiver, Custody, Identity, NeedKind
from schemas.events import Consent, names_other_of_sole
from schemas.identifiers import derived_text

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from connectors.pages.incoming_forms import Form
    from connectors.pages.links import ConsentLink
    from connectors.pages.needs import NeedRow

DECISIONS = {
    "given": "Ja, der er givet samtykke",
    "refused": "Nej, samtykke er afslået",
    "withdrawn": "Et tidligere givet samtykke er trukket tilbage",
}
GIVERS = {
    "young_person": "Den unge selv",
    "custody_holder": "En forældremyndighedsindehaver",
    "other_custody_holder": "Den anden forældremyndighedsindehaver",
}
SCOPES = {
    "anonymous": "Anonymt: tilbuddet får ikke navnet. Den unge får en kode med.",
    "named": "Med navn: tilbuddet må få at vide, hvem den unge er.",
}
CUSTODIES = {
    "sole": "Én har forældremyndigheden alene",
    "joint": "Forældremyndigheden er fælles",
    "UNKNOWN": "Ved ikke, eller den unge er fyldt 18",
}
EVIDENCES = {"signed": "Skriftligt, med underskrift", "spoken_and_recorded": "Mundtligt, noteret i journalen"}


def consent_of(form: Form, link: ConsentLink, need: NeedRow, event_id: UUID, at: datetime) -> Consent:
    """Returns the consent that a form records about a need; raises FormProblemError naming field and remedy.

    All that one recipient records about one need is one consent, so that a withdrawal names what it ends.
    """
    decision = form.choice("decision", DECISIONS, "Vælg, hvad der er besluttet.")
    fields: dict[str, Any] = {
        "decision": ConsentDecision(decision),
        "given_by": tuple(ConsentGiver(giver) for giver in _givers(form)),
        "custody": Custody.UNKNOWN,
        "scope": Identity.ANONYMOUS,
        "evidence": form.choice("evidence", EVIDENCES, "Vælg, hvordan det er dokumenteret."),
    }
    if decision == "given":
        fields["scope"] = Identity(form.choice("scope", SCOPES, "Vælg, om det er anonymt eller med navn."))
        fields["custody"] = Custody(form.choice("custody", CUSTODIES, "Vælg, hvem der har forældremyndigheden."))
        fields["youth_unable"] = form.one("youth_unable") == "yes"
        if names_other_of_sole(fields["custody"], fields["given_by"]):
            raise FormProblemError("custody", "Når én har forældremyndigheden alene, er der ingen anden indehaver.")
    return Consent(
        event_id=event_id,
        source=link.recipient,
        correlation_id=link.need_id,
        causation_id=link.notice_id,
        occurred_at=at,
        sent_at=at,
        recorded_at=at,
        youth_id=need.youth_id,
        subject=derived_text("consent", need.need_id, link.recipient),
        purpose=NeedKind(need.kind),
        recorded_by=link.recipient,
        **fields,
    )


def _givers(form: Form) -> list[str]:
    givers = list(dict.fromkeys(form.all("given_by")))
    if not givers or not set(givers) <= set(GIVERS):
        raise FormProblemError("given_by", "Sæt kryds ved den eller dem, der har besluttet det.")
    return givers
