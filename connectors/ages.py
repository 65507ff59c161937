"""Ages in Danish days, for doors that pass over what is about nobody of any programme's ages."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import date, datetime

_COPENHAGEN = ZoneInfo("Europe/Copenhagen")


def was_of_age(birth_date: date | None, ages: range, start: datetime, end: datetime) -> bool:
    """Returns whether somebody had one of these ages, in whole years, at any time from start to end.

    So one stay is in scope whole: who is admitted at 25 and discharged at 26 stays in scope. Ages are counted in
    Danish days. Unknown birth dates are in scope: a person decides.
    """
    if birth_date is None:
        return True
    first = _age_on(birth_date, start)
    last = max(first, _age_on(birth_date, end))
    return bool(ages) and first < ages.stop and last >= ages.start


def _age_on(birth_date: date, moment: datetime) -> int:
    day = moment.astimezone(_COPENHAGEN).date()
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
