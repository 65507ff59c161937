"""Lists as addresses: what the address of a list asks for, and the page of fifty rows that answers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlencode

from sqlalchemy import func, or_, select

from connectors.pages.call_words import beginning_of
from connectors.pages.problems import PageError
from connectors.read_model.tables import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Engine
    from starlette.datastructures import QueryParams

ROWS_MAX = 50
_TEXT_CHARACTERS_MAX = 100
_NUMBER_DIGITS_MAX = 6
_TEXT, _NUMBER = "q", "page"
# Words that a row shows and that tell no row from another.
_UNSAID = frozenset({"nr", "nr.", "år"})
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of a list asks for: words to find, what each filter has chosen, and which page."""

    text: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)
    number: int = 1

    @property
    def words(self) -> list[str]:
        """Returns the words to find, as they are compared."""
        said = self.text.casefold().replace("\N{EN DASH}", "-").replace(",", " ").split()
        return [word for word in said if word not in _UNSAID]

    @property
    def narrows(self) -> bool:
        """Tells whether less than the whole list is asked for."""
        return bool(self.text or self.chosen)

    def query(self, **changes: object) -> str:
        """Returns the query of this list's address, with changes; what is empty is left out.

        >>> Asked("Helsingør", {"kind": "plan"}, 3).query(page=4)
        '?q=Helsing%C3%B8r&kind=plan&page=4'
        """
        number = self.number if self.number > 1 else ""
        fields = {_TEXT: self.text, **self.chosen, _NUMBER: number, **changes}
        return "?" + urlencode({name: value for name, value in fields.items() if value})


@dataclass(frozen=True, slots=True)
class Listed(Generic[_Row]):
    """A page of a list: its rows, how many there are on all pages, and which page it is."""

    rows: tuple[_Row, ...]
    total: int
    number: int

    @property
    def pages(self) -> int:
        """Returns how many pages there are, one at least."""
        return max(1, -(-self.total // ROWS_MAX))

    @property
    def first(self) -> int:
        """Returns the number of the page's first row, from 1."""
        return (self.number - 1) * ROWS_MAX + 1


def asked_of(query: QueryParams, filters: Mapping[str, Container[str]]) -> Asked:
    """Returns what an address asks for; raises PageError where a filter has no such choice, or no page such a number.

    ``filters`` are the choices of each by its name.
    """
    text = "".join(sign for sign in query.get(_TEXT, "") if sign.isprintable()).strip()
    if len(text) > _TEXT_CHARACTERS_MAX:
        raise PageError(422, "Søgningen er for lang", f"Søg med højst {_TEXT_CHARACTERS_MAX} tegn.")
    chosen = {name: query[name] for name in filters if query.get(name)}
    if any(value not in filters[name] for name, value in chosen.items()):
        raise PageError(422, "Valget findes ikke", "Adressen vælger noget, som listen ikke har. Vælg igen på listen.")
    number = query.get(_NUMBER) or "1"
    if not number.isascii() or not number.isdecimal() or len(number) > _NUMBER_DIGITS_MAX or int(number) < 1:
        raise PageError(
            422, "Sidetallet findes ikke", "Et sidetal er et helt tal fra 1. Gå til listen, og bladr derfra."
        )
    return Asked(text, chosen, int(number))


def finds(
    asked: Asked, begins: Sequence[ColumnElement[Any]], means: Sequence[tuple[ColumnElement[Any], Mapping[str, str]]]
) -> list[ColumnElement[bool]]:
    """Returns a condition a word: a column begins with it, or holds a code whose words contain it.

    The first column is the id, which is known by its call words too.
    """
    return [
        or_(
            *(column.startswith(word, autoescape=True) for column in begins),
            *(begins[0].startswith(beginning) for beginning in (beginning_of(word),) if beginning),
            *(column.in_([code for code, said in words.items() if word in said.casefold()]) for column, words in means),
        )
        for word in asked.words
    ]


def page_of(connection: Connection, wanted: Any, order: Sequence[Any], number: int) -> Listed[Any]:
    """Returns a page of what is wanted, in an order; the last page where there are fewer."""
    total = connection.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    shown: Listed[Any] = Listed((), total, number)
    number = min(number, shown.pages)
    rows = connection.execute(wanted.order_by(*order).limit(ROWS_MAX).offset((number - 1) * ROWS_MAX)).all()
    return Listed(tuple(rows), total, number)


def choices(
    engine: Engine, column: ColumnElement[Any], condition: ColumnElement[bool], named: Callable[[str], str]
) -> dict[str, str]:
    """Returns what stands in a column, each with its name, in the order of the names; blocks on the read model."""
    wanted = select(column).where(condition, column.is_not(None)).distinct()
    codes = reading(engine, lambda connection: connection.scalars(wanted).all())
    return dict(sorted(((code, named(code)) for code in codes), key=lambda one: one[1]))
