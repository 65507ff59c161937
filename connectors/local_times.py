"""Danish local times and the moments that they are, also in the nights in which clocks go forward or back.

In the night of the last Sunday of March the hour from two is passed over, and every door refuses a time in it.
In the night of the last Sunday of October that hour comes twice, and a time in it is two moments.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
HOUR_EXISTS = "the hour exists on that day, in Danish time"


def utc_now() -> datetime:
    """Returns the time, aware, in UTC."""
    return datetime.now(UTC)


def danish_moments(local: datetime) -> tuple[datetime, ...]:
    """Returns the moments, in UTC and in their order, at which clocks in Denmark show a time: none, one or two.

    >>> [moment.isoformat() for moment in danish_moments(datetime(2026, 10, 25, 2, 30))]
    ['2026-10-25T00:30:00+00:00', '2026-10-25T01:30:00+00:00']
    >>> danish_moments(datetime(2026, 3, 29, 2, 30))
    ()
    """
    try:
        found = {local.replace(tzinfo=COPENHAGEN, fold=fold).astimezone(UTC) for fold in (0, 1)}
        shown = {moment: moment.astimezone(COPENHAGEN).replace(tzinfo=None, fold=0) for moment in found}
    except OverflowError:  # the first and the last year that there is
        return ()
    return tuple(sorted(moment for moment in found if shown[moment] == local.replace(fold=0)))


def ordered_period(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Returns start and end of a period, of the two hours that clocks show the same the ones that make order.

    Some systems write both hours with one offset from UTC. A period that is in order stays as it is, and so does one
    that no reading brings into order.
    """
    if end >= start:
        return start, end
    starts, ends = (danish_moments(moment.replace(tzinfo=None)) for moment in (start, end))
    if end in ends and ends[-1] >= start:
        return start, ends[-1]
    if start in starts and starts[0] <= end:
        return starts[0], end
    return start, end
