"""A programme's slots: the first free one is given, and may be given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.signals import SlotAnswer
from streams.domain.calendar import weekday_of

if TYPE_CHECKING:
    from schemas.bookings import Bookings
    from schemas.programmes import Programme
    from schemas.signals import SlotGivenBack, SlotWanted

#: How many days ahead a slot may lie: eight weeks hold eight adviser days.
_HORIZON_DAYS = 56
_KEPT_DAYS = 31


def book(
    bookings: Bookings, programme: Programme | None, holidays: frozenset[int], wanted: SlotWanted
) -> tuple[Bookings, SlotAnswer]:
    """Gives a need the first free slot after a day, the same again where it asks twice.

    A programme that the catalogue no longer has gives none.
    """
    days = {day: taken for day, taken in bookings.get(wanted.site, {}).items() if day > wanted.after_day - _KEPT_DAYS}
    holder = f"{wanted.need_id}/{wanted.number}"
    day = next((day for day, taken in days.items() if holder in taken), None)
    if day is None and programme is not None:
        day = _first_free(days, programme, holidays | programme.closed_at(wanted.site), wanted.after_day)
        if day is not None:
            days = days | {day: [*days.get(day, []), holder]}
    answer = SlotAnswer(wanted.need_id, wanted.number, wanted.programme, wanted.site, day)
    return bookings | {wanted.site: days}, answer


def give_back(bookings: Bookings, returned: SlotGivenBack) -> Bookings:
    """Frees a slot; nothing happens where it is not taken."""
    days = bookings.get(returned.site, {})
    holder = f"{returned.need_id}/{returned.number}"
    left = [one for one in days.get(returned.day, []) if one != holder]
    return bookings | {returned.site: {day: taken for day, taken in (days | {returned.day: left}).items() if taken}}


def _first_free(days: dict[int, list[str]], programme: Programme, closed: frozenset[int], after_day: int) -> int | None:
    last = after_day + _HORIZON_DAYS
    if programme.valid_to is not None:
        last = min(last, programme.valid_to)
    for day in range(max(after_day + 1, programme.valid_from), last + 1):
        open_then = weekday_of(day) == programme.adviser_weekday and day not in closed
        if open_then and len(days.get(day, [])) < (programme.slots_a_day or 0):
            return day
    return None
