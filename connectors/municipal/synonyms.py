"""What lists call their columns and codes, in Danish and English: what ``guess`` knows, and all that it knows.

Names are compared by their letters and digits alone. A name that is here twice is the first field's that the event has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.municipal.fields import ListEvent

_COLUMNS: dict[str, str] = {
    "person.cpr": "cpr, cpr-nr, cpr-nummer, cprnr, personnummer, borgers cpr, barnets cpr, cpr no, cpr number",
    "person.name": "navn, borger, borgers navn, barnets navn, den unge, fulde navn, name, full name",
    "person.address": "adresse, bopæl, borgers adresse, address",
    "person.phone": "telefon, tlf, tlf nr, telefonnummer, mobil, mobilnummer, phone, mobile",
    "person.protected": "adressebeskyttelse, adressebeskyttet, beskyttet adresse, navnebeskyttelse, protected",
    "person.municipality": "kommune, kommunekode, kommunenr, bopælskommune, hjemkommune, municipality",
    "subject": "sagsnr, sagsnummer, sags-id, forløbs-id, forløbsnr, henvisnings-id, samtykke-id, id, case id",
    "status_at": "statusdato, status fra, dato for status, status pr, afgørelsesdato, visitationsdato, status date",
    "occurred_at": "dato, oprettet, registreret, ændret, ændringsdato, opdateret, samtykkedato, henvisningsdato, "
    "registreringsdato, date, created, changed",
    "status": "status, tilstand, forløbsstatus, sagsstatus, henvisningsstatus, hændelse, state",
    "programme": "tilbud, indsats, program, forløb, forløbstype, programme, program name",
    "track": "spor, pakke, track",
    "site": "sted, lokation, hus, site, location",
    "started_on": "startdato, start, indskrevet, opstart, opstartsdato, fra dato, start date, started",
    "ended_on": "slutdato, slut, afslutningsdato, udskrevet, ophørt, til dato, end date, ended",
    "expected_end_on": "forventet slut, forventet slutdato, forventet afslutning, expected end",
    "reason_code": "årsag, afslutningsårsag, afslagsårsag, begrundelse, reason",
    "referred_from": "henvist fra, henviser, henvisende enhed, henvisende instans, referred from",
    "referred_to": "henvist til, modtagende enhed, referred to",
    "decision": "visitation, afgørelse, visitationsafgørelse, beslutning, decision",
    "needs": "behov, needs",
    "bridging": "brobygning, bridging",
    "given_by": "givet af, samtykke givet af, samtykkegiver, given by",
    "custody": "forældremyndighed, custody",
    "scope": "omfang, anonym eller navn, samtykketype, scope",
    "receiver": "modtager, receiver",
    "purpose": "formål, purpose",
    "evidence": "dokumentation, samtykkeform, evidence",
    "recorded_by": "registreret af, indhentet af, recorded by",
    "lapses_at": "udløber, udløbsdato, gyldig til, lapses, expires",
    "episode_id": "kontakt-id, indlæggelses-id, episode, episode id",
    "stay_class": "indlæggelsestype, indlæggelsesform, class",
    "unit": "afdeling, afsnit, sor, sor-kode, enhed, unit, ward, department",
    "specialty": "speciale, specialty",
    "planned_at": "planlagt udskrivning, forventet udskrivning, udskrivningsdato, planlagt udskrevet, "
    "planned discharge",
}
# Beside a referral these say whether the young person consents: never that the referral was accepted or rejected.
_COLUMNS_OF_CONSENTS = {"decision": "samtykke, samtykkestatus, consent"}
_CODES: dict[str, str] = {
    "waiting": "venter, venteliste, på venteliste, afventer",
    "active": "aktiv, aktivt, i gang, igang, igangværende, startet, indskrevet, i forløb, godkendt",
    "completed": "afsluttet, gennemført, færdig, fuldført",
    "dropped_out": "frafaldet, frafald, ophørt, afbrudt, udmeldt, drop out",
    "referred_elsewhere": "viderehenvist, henvist videre, viderevisiteret",
    "proposed": "modtaget, oprettet, ny, afventer visitation",
    "on_hold": "i bero, bero, sat på pause, pause",
    "revoked": "tilbagekaldt, annulleret, trukket tilbage",
    "accepted": "visiteret, accepteret, imødekommet, bevilget, ja",
    "rejected": "afvist, afslag, afslået, ikke visiteret, nej",
    "forwarded": "videresendt, omvisiteret",
    "re_prioritised": "omprioriteret",
    "given": "givet, ja, samtykke givet, samtykker",
    "refused": "afslået, nej, ikke givet, nægtet",
    "withdrawn": "trukket tilbage, tilbagetrukket, tilbagekaldt",
    "young_person": "den unge, ung, borger, barnet, barnet selv, den unge selv, selv",
    "custody_holder": "forælder, forældremyndighedsindehaver, mor, far, værge",
    "sole": "ene, alene, enemyndighed",
    "joint": "fælles, delt",
    "named": "med navn, navn, navngivet, fuldt",
    "anonymous": "anonym, anonymt, uden navn",
    "aftercare": "eftervern, opfølgning, støtte",
    "plan": "plan, handleplan, forløbsplan",
    "bridging": "brobygning",
    "admitted": "indlagt",
    "on_leave": "orlov, på orlov",
    "back": "tilbage fra orlov",
    "discharge_planned": "planlagt, planlagt udskrivning, udskrivning planlagt",
    "discharged_home": "udskrevet, hjemsendt",
    "emergency": "akut",
    "inpatient": "indlæggelse, stationær, planlagt",
    "child_psychiatry": "børne- og ungdomspsykiatri, børnepsykiatri, bup",
    "adult_psychiatry": "psykiatri, voksenpsykiatri",
    "somatic": "somatik, somatisk",
}
# Parts of names that tell what a list is about; where none is there, it is of courses.
MARKERS: Mapping[str, tuple[str, ...]] = {
    "consent": ("samtykke", "consent"),
    "discharge": ("udskriv", "indlæg", "discharge", "admission", "afsnit"),
    "referral": ("henvis", "visit", "referral", "referred"),
    "enrolment": ("forløb", "indsats", "tilbud", "indskr", "course", "enrol"),
}


def comparable(name: str) -> str:
    """Returns a name as names are compared.

    >>> comparable("CPR-nr. ")
    'cprnr'
    """
    return re.sub(r"[\W_]", "", name.casefold())


COLUMNS: Mapping[str, frozenset[str]] = {
    field: frozenset(comparable(name) for name in names.split(",")) for field, names in _COLUMNS.items()
}
COLUMNS_OF_CONSENTS: Mapping[str, frozenset[str]] = {
    field: COLUMNS[field] | {comparable(name) for name in names.split(",")}
    for field, names in _COLUMNS_OF_CONSENTS.items()
}
CODES: Mapping[str, frozenset[str]] = {
    code: frozenset(comparable(word) for word in (code, *words.split(","))) for code, words in _CODES.items()
}


def marks(event: ListEvent, names: str) -> int:
    """Returns how much a list's names tell of an event."""
    return sum(mark in names for mark in MARKERS[event])
