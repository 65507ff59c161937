"""Two plain words that stand for the beginning of an id, so that people tell rows apart and say which they mean.

Each byte is a word, as in the PGP word list (Juola and Zimmermann 1996): the words say nothing that the id doesn't.
"""

from __future__ import annotations

_TEXT = """
agern ahorn alge allike anemone anker asters avnbøg bakke balsam bambus banke bark basilikum birk bjerg blis blomme
blåbær bregne brise brombær bue bugt busk byg båd båke bæk bænk bøg bøgeløv bølge citron cypres dadel dal dam delta
dige dild dompap drage drys due dun dyne eg egern elm elv enebær eng engsø erle fasan fennikel fersken figen fjeld
fjer fjord flint flod flora flåde fløjte fodspor forår frost fugl fure fyr fyrtårn gavl gedde gejser gesims glente
gnejs gran granit grotte grus gråand grøft guld gyvel gåseurt hage hamp harpe hassel havn havre hede hegn hejre
hestehov hibiskus hindbær hirse hvede hvidtjørn hyacint hyben hyld hymne hængekøje høst ibis iris isblomst isfugl
iskrystal islom jasmin jernurt jordbær kaj kamille kanal kaprifol kardemomme kastanje kilde kirsebær klint klippe
kløver knop kongle koral korn kornblomst krage krebs krokus kronhjort krystal kvist kyndel kyst lagune lakrids laks
lavendel lilje limfjord lind linde linned lyng lysning lærke løn løvfald løvsal mandel marehalm mark marmor mejse
melon merian morgenrøde mose musling myrte måge månesten nellike nordlys nåletræ ocean odde oliven orkide pagaj
pagode palme pandekage pensel perle persille pil pimpsten pinje pirol plæne poppel porse primula pynt pæon pære
rabarber ranke regnbue regndråbe regnvejr ridder rimfrost ringblomst rips robin rose rosmarin rug ræling rødkælk
røllike rønne safir salvie sandbanke sav segl sejlskib siv skovmærke skovsø skræppe skål skær slåen snebær snefnug
solbær solsikke solsort spurv spætte sten stork strand strøm stær sund svale svane sø søstjerne tagrør tang terne
timian tind trane tulipan tyttebær tårn ugle vadehav valmue vandfald
"""
_WORDS = tuple(_TEXT.split())
_NUMBER_OF = {word: number for number, word in enumerate(_WORDS)}
_HEX_DIGITS = 4


def call_words(number: object) -> str:
    """Returns the words of an id; those of one in 65,536 others are the same. Nothing where it is no UUID.

    >>> call_words("3380f143-0000-0000-0000-000000000000") == f"{_WORDS[0x33]}-{_WORDS[0x80]}"
    True
    """
    try:
        first, second = bytes.fromhex(str(number)[:_HEX_DIGITS])
    except ValueError:  # no UUID
        return ""
    return f"{_WORDS[first]}-{_WORDS[second]}"


def beginning_of(text: str) -> str | None:
    """Returns how ids begin whose words a text is, or whose first word it is; None where it is neither.

    >>> beginning_of(call_words("3380f143")), beginning_of(_WORDS[0x33]), beginning_of("plan")
    ('3380', '33', None)
    """
    words = text.split("-")
    if len(words) > 2 or not all(word in _NUMBER_OF for word in words):  # noqa: PLR2004 an id has two
        return None
    return bytes(_NUMBER_OF[word] for word in words).hex()
