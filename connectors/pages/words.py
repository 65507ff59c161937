"""What the codes mean, in plain Danish. A code without words here is shown as it is, without its underscores."""

from __future__ import annotations

KINDS = {
    "aftercare": "Efterforløb",
    "plan": "Fælles plan",
    "bridging": "Brobygning til anden hjælp",
}
TRIGGERS = {
    "discharge": "Udskrevet fra psykiatrisk afdeling",
    "discharge_planned": "Udskrivning eller afslutning er planlagt",
    "course_ended": "Et forløb er afsluttet",
    "referral_rejected": "En henvisning er afvist",
    "bridging": "Et andet tilbud har bedt om brobygning",
}
IDENTITIES = {"named": "Med navn", "anonymous": "Anonym"}
CASE_STATES = {
    "announced": "Varslet",
    "offered": "Afventer jeres svar",
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
    "settling": "Oplysninger indsamles",
    "awaiting_consent": "Afventer samtykke",
    "awaiting_slot": "Afventer en tid hos tilbuddet",
    "awaiting_reference": "Afventer oplysninger om afdelingen",
    "in_hospital": "Indlagt igen, afventer udskrivning",
    "announced": "Varslet til et tilbud",
    "offered": "Sendt til et tilbud, afventer svar",
    "taken_over": "Et tilbud har overtaget",
    "with_person": "Afventer jeres stillingtagen",
    "closed": "Lukket",
}
EVENT_TYPES = {
    "announced": "Varslet: en ung er på vej",
    "offered": "Tilbudt jer",
    "reminded": "Påmindelse sendt",
    "updated": "Oplysninger ændret",
    "withdrawn": "Trukket tilbage",
    "reply_accepted": "Jeres svar er registreret",
    "reply_refused": "Jeres svar blev afvist",
    "identity_granted": "Adgang til navnet er givet",
}
#: What a need's owner is told that a programme was told, or did; the programme's name stands before it.
TOLD = {
    "announced": "fik et varsel",
    "offered": "fik henvendelsen",
    "reminded": "blev mindet om at svare",
    "updated": "fik nye oplysninger",
    "withdrawn": "fik besked om, at henvendelsen er trukket tilbage",
    "reply_accepted": "svarede",
    "reply_refused": "fik et svar afvist",
    "identity_granted": "fik adgang til navnet",
}
#: What a person did; the person's name stands before it.
DECISIONS = {
    "assigned": "overtog behovet",
    "offered": "sendte behovet",
    "reopened": "åbnede behovet igen",
    "closed": "lukkede behovet",
    "escalation_answered": "tog stilling til behovet",
    "consent_asked": "bad om samtykke igen",
}
#: What somebody was told about a need; their name stands before it.
NOTICES_SENT = {
    "consent_wanted": "blev spurgt om samtykke",
    "consent_reminder": "blev mindet om samtykke",
    "discharge_planned": "blev spurgt om samtykke før en planlagt udskrivning",
    "escalated": "blev bedt om at tage stilling",
    "code_unclaimed": "fik besked om, at koden ikke er brugt",
    "deletion_overdue": "fik besked om, at der mangler kvittering for sletning",
    "delivery_failed": "fik besked om, at en besked ikke kunne leveres",
    "unknown_unit": "fik besked om en ukendt afdeling",
    "inconsistent_status": "fik besked om en meddelelse, der modsiger sig selv",
    "nonstandard_identifier": "fik besked om et erstatningsnummer",
    "stay_end_missing": "fik besked om en indlæggelse uden afslutning",
    "correspondence": "fik besked om at læse et brev",
    "conflicting_duplicate": "fik besked om to meddelelser med samme id",
    "unknown_code": "fik besked om en ukendt kode",
    "stuck": "fik besked om, at sagen er gået i stå",
    "silent_source": "fik besked om, at en afsender er tavs",
    "source_back": "fik besked om, at en afsender er tilbage",
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
    "not_an_answer": "det svar kan ikke gives på en henvendelse",
    "not_in_this_state": "det passer ikke til henvendelsens nuværende status",
    "handover_withdrawn": "henvendelsen er trukket tilbage",
    "waitlisted_until_missing": "der mangler en dato for ventelisten",
    "consent_lapsed": "samtykket gælder ikke længere",
    "consent_withdrawn": "samtykket er trukket tilbage",
    "consent_wanted": "der mangler samtykke",
    "named_consent_wanted": "der mangler samtykke til at dele navn",
    "own_consent_wanted": "der mangler den unges eget samtykke",
    "custody_holders_wanted": "der mangler samtykke fra dem, der har forældremyndigheden",
    "custody_unknown": "det er ukendt, hvem der har forældremyndigheden",
    "consent_missing": "der er ikke modtaget samtykke",
    "birth_date_unknown": "fødselsdatoen er ukendt",
    "unknown_unit": "afdelingen er ukendt",
    "told_of_it_itself": "tilbuddet har selv oplyst om den unge og kan ikke få en anonym henvendelse om det",
    "expired": "I svarede ikke i tide",
    "decided_anew": "nye oplysninger har ført til et andet valg",
    "offered_elsewhere": "den unge har fået et andet tilbud",
    "moved": "den unge er flyttet",
    "readmitted": "den unge er indlagt igen",
    "carried_on": "behovet fortsætter sammen med et ældre",
    "in_hospital": "den unge er indlagt; afvent udskrivningen, eller registrér den planlagte udskrivning",
    "already_offered": "henvendelsen er allerede sendt til et tilbud",
    "taken_over": "et tilbud har overtaget; luk først behovet, eller lad tilbuddet afslutte",
    "other_need_open": "et andet behov af samme slags er åbent; brug det",
    "other_handover_live": "et tilbud har allerede kontakt med den unge; afvent, at det afsluttes",
    "wrong_kind": "tilbuddet tager ikke imod denne slags behov",
    "nothing_to_answer": "der er ingen påmindelse at svare på",
    "consent_not_wanted": "der mangler ikke samtykke",
    "two_handovers": "den unge har to personnumre med hver sit tilbud; aftal, hvem der fortsætter",
    "declined_by_custody_holder": "en forældremyndighedsindehaver har sagt nej",
    "waitlisted_until_out_of_bounds": "ventelistens dato skal ligge fra i morgen til højst 366 dage frem",
    "bridged_onward": "tilbuddet har selv bedt om brobygning videre",
    "linked": "den unge har fået et andet personnummer; behovet fortsætter under det",
    "unlinked": "oplysningerne vedrørte en anden person",
    "turned_18": "den unge er fyldt 18",
    "discharge_cancelled": "udskrivningen er annulleret",
    "course_corrected": "oplysningen om forløbet er rettet",
    "referral_corrected": "oplysningen om henvisningen er rettet",
    "bridging_withdrawn": "ønsket om brobygning er trukket tilbage",
    "first_contact_overdue": "der har ikke været kontakt inden fristen",
    "no_programme": "intet tilbud passer",
    "no_answer": "intet tilbud har sagt ja",
    "no_slot_answer": "tilbuddet har ikke svaret på, om der er en ledig tid",
    "no_show": "den unge kom ikke",
    "undeliverable": "beskeden kunne ikke leveres",
    "declined_by_young_person": "den unge har sagt nej",
    "closed_by_person": "lukket manuelt",
    "need_closed": "behovet er lukket; åbn det igen først",
    "need_has_no_trigger": "grundlaget for behovet gælder ikke længere",
    "unknown_need": "behovet findes ikke",
    "unknown_programme": "tilbuddet findes ikke",
    "unknown_action": "handlingen findes ikke",
    "plan_cancelled": "den planlagte udskrivning er aflyst",
    "planned_end_overdue": "den planlagte dato er passeret, uden at der er sket noget",
    "bridging_loop": "der er bedt om brobygning flere gange på kort tid",
    "bridging_asked_for": "et andet tilbud har bedt om brobygning",
    "course_ends": "et forløb er ved at slutte",
    "discharged_home": "udskrevet til hjemmet",
    "rejected": "henvisningen er afvist",
    "withdrawn": "samtykket er trukket tilbage",
    "deceased": "den unge er død",
    "deletion_overdue": "der mangler kvittering for sletning",
    "deadline_failed": "en frist kunne ikke behandles; driften undersøger det",
    "stuck": "sagen er gået i stå; driften undersøger det",
    "no_capacity": "ingen plads",
    "not_target_group": "uden for målgruppen",
    "too_far": "for langt væk fra den unge",
    "other_help": "får anden hjælp",
    "not_wanted": "ønsker det ikke",
    "moved_away": "flyttet væk",
    "stopped": "den unge stoppede selv",
    "agreed_end": "aftalt afslutning",
    "code_malformed": "koden er ikke fuldstændig; tjek den, og prøv igen",
    "code_unknown": "koden findes ikke; tjek den, og prøv igen",
    "code_used": "koden er allerede brugt",
    "code_expired": "koden er udløbet; bed den unge om at få en ny",
    "too_many_attempts": "der er indtastet for mange forkerte koder; vent en time",
    "handover_anonymous": "henvendelsen er anonym",
    "erased": "den unge har bedt om at blive slettet",
    "later": "senere",
}
#: What an owner of needs is told in other words than the programme that it is about.
OWNER_REASONS = {
    "expired": "tilbuddet svarede ikke i tide",
    "not_in_this_state": "det passer ikke til behovets nuværende status",
    "recalled_and_deleted": "tilbuddet har slettet oplysningerne",
}
OPTIONS = {
    "offered": "tilbudt",
    "other_course": "er kun for unge fra et bestemt forløb",
    "not_valid": "er ikke åbent på den dato",
    "municipality_not_covered": "dækker ikke kommunen",
    "asked_for_it": "har selv bedt om brobygningen",
    "told_of_it_itself": "har selv oplyst om forløbet og får derfor ingen anonym henvendelse om det",
    "already_tried": "er allerede prøvet",
    "under_age": "den unge er for ung",
    "over_age": "den unge er for gammel",
    "no_free_places": "har ingen ledig plads",
    "no_free_slot": "har ingen ledig tid i de næste otte uger",
}
SIDES = {"programme": "Vi", "young_person": "Den unge"}


def said(code: str | None, *lists: dict[str, str]) -> str:
    """Returns a code in words, from the first list that has it.

    >>> said("expired", REASONS), said("brand_new_code", REASONS), said(None)
    ('I svarede ikke i tide', 'brand new code', '')
    """
    if code is None:
        return ""
    return next((words[code] for words in lists if code in words), code.replace("_", " "))
