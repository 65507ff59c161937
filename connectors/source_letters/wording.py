"""What a letter says for each kind of notice, in Danish; of the young person only which letter is about them."""

from __future__ import annotations

from schemas.codes import NoticeKind

_CONSENT = (
    "Der kan tilbydes opfølgning efter forløbet, men kun med samtykke.",
    "Registrér venligst, om samtykke er givet eller afslået.",
)
#: topic and lines by kind; a notice of another kind is not sent as a letter.
_WORDING: dict[NoticeKind, tuple[str, tuple[str, ...]]] = {
    NoticeKind.CONSENT_WANTED: ("Samtykke til opfølgning mangler", _CONSENT),
    NoticeKind.CONSENT_REMINDER: ("Påmindelse: samtykke til opfølgning mangler", _CONSENT),
    NoticeKind.DISCHARGE_PLANNED: ("Planlagt udskrivelse: samtykke til opfølgning mangler", _CONSENT),
    NoticeKind.CODE_UNCLAIMED: (
        "Koden til den unge er ikke brugt",
        (
            "Koden, som den unge fik af jer, er endnu ikke brugt hos tilbuddet.",
            "Spørg venligst den unge, om koden er kommet frem.",
        ),
    ),
    NoticeKind.INCONSISTENT_STATUS: (
        "Jeres meddelelse modsiger sig selv",
        (
            "Status i meddelelsen passer ikke til hændelsen. Den er behandlet efter hændelsen.",
            "Ret den, hvis den er forkert.",
        ),
    ),
    NoticeKind.NONSTANDARD_IDENTIFIER: (
        "Jeres meddelelse har et erstatningsnummer",
        ("Standarden tillader kun cpr-nummer her. Send et cpr-nummer, så snart der er et.",),
    ),
    NoticeKind.CONFLICTING_DUPLICATE: (
        "To af jeres meddelelser har samme id, men forskelligt indhold",
        ("Den første gælder. Send en rettelse med nyt id, hvis den anden var den rigtige.",),
    ),
    NoticeKind.UNKNOWN_CODE: (
        "Jeres meddelelse har en kode, som vi ikke kender",
        ("Meddelelsen er modtaget, men koden kan ikke bruges. Ring til os.",),
    ),
}
KINDS = frozenset(_WORDING)


def topic_of(kind: NoticeKind) -> str:
    """Returns a letter's topic."""
    return _WORDING[kind][0]


def letter_text(kind: NoticeKind, about: str, link: str | None, phone: str) -> str:
    """Returns a letter's text; ``about`` is the id of the receiver's own, ``link`` is where it does what is asked."""
    where = [f"Det gøres her: {link}"] if link else []
    whom = f"Det drejer sig om den person, som jeres egen meddelelse med id {about} vedrører."
    closing = f"Denne meddelelse er skrevet automatisk. Spørgsmål besvares på telefon {phone}."
    return "\n".join([*_WORDING[kind][1], *where, whom, closing])
