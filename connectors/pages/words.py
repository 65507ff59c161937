"""What the codes mean, in plain Danish. A code without words here is shown as it is, without its underscores."""

from __future__ import annotations

KINDS = {
    "aftercare": "Efterforløb",
    "plan": "Fælles plan",
    "bridging": "Bro videre til anden hjælp",
}
TRIGGERS = {
    "discharge": "Udskrevet fra psykiatrisk afdeling",
    "discharge_planned": "Udskrivning eller afslutning er planlagt",
    "course_ended": "Et forløb er afsluttet",
    "referral_rejected": "En henvisning er afvist",
    "bridging": "Et andet tilbud har bedt om en bro videre",
}
IDENTITIES = {"named": "Med navn", "anonymous": "Anonymt"}
CASE_STATES = {
    "announced": "Varslet",
    "offered": "Venter på jeres svar",
    "waitlisted": "På jeres venteliste",
    "accepted": "Taget imod",
    "in_contact": "I kontakt",
    "declined": "I har sagt nej",
    "withdrawn": "Trukket tilbage",
    "deleted": "Slettet hos jer",
    "fulfilled": "Gennemført",
    "ended": "Afsluttet",
}
NEED_STATES = {
    "open": "Åbent",
    "settling": "Oplysninger samles",
    "awaiting_consent": "Venter på samtykke",
    "awaiting_slot": "Venter på en tid hos indsatsen",
    "awaiting_reference": "Venter på oplysninger om afdelingen",
    "announced": "Varslet til et tilbud",
    "offered": "Tilbudt, venter på svar",
    "taken_over": "Et tilbud har taget over",
    "with_person": "Venter på en person",
    "closed": "Lukket",
}
STATEMENTS = {
    "announced": "Varslet: en ung er på vej",
    "offered": "Tilbudt jer",
    "reminded": "Påmindelse sendt",
    "updated": "Oplysninger ændret",
    "withdrawn": "Trukket tilbage",
    "reply_accepted": "Jeres svar er godtaget",
    "reply_refused": "Jeres svar er afvist",
    "identity_granted": "Adgang til navn er givet",
}
ACTS = {
    "accepted": "taget imod",
    "declined": "sagt nej",
    "waitlisted": "sat på venteliste",
    "first_contact": "første kontakt",
    "no_show": "kom ikke til aftalen",
    "fulfilled": "gennemført",
    "ended": "afsluttet",
    "recalled_and_deleted": "slettet hos jer",
    "code_claimed": "koden er brugt, det er første kontakt",
    "identity_wanted": "bedt om navn",
}
REASONS = {
    "unknown_handover": "henvendelsen er ikke jeres",
    "not_an_answer": "det kan man ikke svare på en henvendelse",
    "not_in_this_state": "det passer ikke til, hvor henvendelsen står nu",
    "handover_withdrawn": "henvendelsen er trukket tilbage",
    "waitlisted_until_missing": "der mangler en dato for ventelisten",
    "consent_lapsed": "samtykket gælder ikke længere",
    "consent_withdrawn": "den unge har trukket samtykket tilbage",
    "consent_wanted": "der mangler samtykke",
    "named_consent_wanted": "der mangler samtykke til at dele navn",
    "own_consent_wanted": "der mangler den unges eget samtykke",
    "custody_holders_wanted": "der mangler samtykke fra dem, der har forældremyndigheden",
    "custody_unknown": "det er ukendt, hvem der har forældremyndigheden",
    "consent_missing": "der er ikke kommet noget samtykke",
    "consent_refused": "den unge har sagt nej til samtykke",
    "refused": "der er sagt nej til samtykke",
    "birth_date_unknown": "fødselsdatoen er ukendt",
    "unknown_unit": "afdelingen er ukendt",
    "expired": "der kom ikke svar i tide",
    "decided_anew": "nye oplysninger ændrede valget",
    "offered_elsewhere": "den unge er tilbudt et andet sted",
    "moved": "den unge er flyttet",
    "linked": "den unge har fået et andet nummer; behovet går videre dér",
    "unlinked": "oplysningerne hørte til en anden",
    "turned_18": "den unge er fyldt 18",
    "discharge_cancelled": "udskrivningen er annulleret",
    "course_corrected": "oplysningen om forløbet er rettet",
    "referral_corrected": "oplysningen om henvisningen er rettet",
    "bridging_withdrawn": "ønsket om en bro er trukket tilbage",
    "first_contact_overdue": "der har ikke været en første kontakt i tide",
    "no_programme": "intet tilbud passer",
    "no_answer": "intet tilbud har sagt ja",
    "no_show": "den unge kom ikke",
    "undeliverable": "beskeden kunne ikke leveres",
    "declined_by_young_person": "den unge har sagt nej",
    "closed_by_person": "lukket af en person",
    "need_closed": "behovet er lukket; åbn det først igen",
    "need_has_no_trigger": "det, behovet kom af, gælder ikke længere",
    "unknown_need": "behovet findes ikke",
    "unknown_programme": "tilbuddet findes ikke",
    "unknown_action": "det kan man ikke gøre",
    "plan_cancelled": "den planlagte udskrivning er aflyst",
    "planned_end_overdue": "den planlagte dag er gået, uden at noget er sket",
    "bridging_loop": "broen fører tilbage til et tilbud, der har bedt om den",
    "bridging_asked_for": "et andet tilbud har bedt om en bro",
    "course_ends": "et forløb er ved at slutte",
    "discharged_home": "udskrevet til hjemmet",
    "rejected": "henvisningen er afvist",
    "withdrawn": "samtykket er trukket tilbage",
    "deceased": "den unge er død",
    "deletion_overdue": "der mangler kvittering for sletning",
    "deadline_failed": "en frist kunne ikke behandles; driften ser på det",
    "stuck": "sagen er gået i stå; driften ser på det",
    "no_capacity": "ingen plads",
    "not_target_group": "uden for målgruppen",
    "too_far": "for langt væk for den unge",
    "other_help": "får anden hjælp",
    "not_wanted": "ønsker det ikke",
    "moved_away": "flyttet væk",
    "stopped": "den unge stoppede selv",
    "agreed_end": "aftalt afslutning",
    "code_malformed": "det er ikke en hel kode; læs den igen",
    "code_unknown": "koden er ikke kendt; læs den igen",
    "code_used": "koden er brugt",
    "code_expired": "koden er for gammel; bed den unge om at få en ny",
    "too_many_attempts": "der er prøvet for mange forkerte koder; vent en time",
    "handover_anonymous": "henvendelsen er anonym",
    "erased": "den unge har bedt om at blive slettet",
    "later": "senere",
}
OPTIONS = {
    "offered": "tilbudt",
    "other_course": "er kun for unge fra et bestemt forløb",
    "not_valid": "gælder ikke på denne dato",
    "municipality_not_covered": "dækker ikke kommunen",
    "asked_for_it": "bad selv om broen",
    "already_tried": "er allerede prøvet",
    "under_age": "den unge er for ung",
    "over_age": "den unge er for gammel",
    "no_capacity": "har ingen ledig plads",
    "no_free_places": "har ingen ledig plads",
    "not_chosen": "et andet tilbud passede bedre",
}
SIDES = {"programme": "Os", "young_person": "Den unge"}


def said(code: str | None, *lists: dict[str, str]) -> str:
    """Returns a code in words, from the first list that has it.

    >>> said("expired", REASONS), said("brand_new_code", REASONS), said(None)
    ('der kom ikke svar i tide', 'brand new code', '')
    """
    if code is None:
        return ""
    return next((words[code] for words in lists if code in words), code.replace("_", " "))
