"""Which sources are silent, and what is to be told of it: once when one falls silent, once when it is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.source_silence.rhythm import LastMessage, Rhythm
from schemas.codes import NoticeKind
from schemas.identifiers import derived_id
from schemas.outputs import Notice

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta
    from uuid import UUID

OURS = "brobygger"
RECIPIENT = "operations"
SOURCES_MAX = 10_000


class Silences:
    """The sources' rhythms and what was told of them, both read from the topics: nothing else is kept.

    A notice's id comes from the source and its last event, so that whoever reads the topics anew tells nothing twice.
    Of silences that began and ended while nobody looked nothing is told.
    """

    def __init__(self, set_to: Mapping[str, timedelta]) -> None:
        """Takes what is set for sources, by their names."""
        self._set_to = set_to
        self._rhythms: dict[str, Rhythm] = {}
        self._told: set[UUID] = set()
        self._open: dict[str, Notice] = {}

    def heard(self, source: str, event: LastMessage) -> None:
        """Takes an event of a source; those of one source in their order, as their topics have them."""
        if source not in self._rhythms and len(self._rhythms) >= SOURCES_MAX:
            return
        self._rhythms.setdefault(source, Rhythm(self._set_to.get(source))).heard(event)

    def told(self, notice: Notice) -> None:
        """Takes a notice that stands on the topic; those of other kinds change nothing."""
        if notice.kind is NoticeKind.SILENT_SOURCE:
            self._open[notice.subject] = notice
        elif notice.kind is NoticeKind.SOURCE_BACK:
            self._open.pop(notice.subject, None)
        else:
            return
        self._told.add(notice.event_id)

    def last_heard(self) -> dict[str, datetime]:
        """Returns when each source was heard last."""
        return {source: one.last.at for source, one in self._rhythms.items() if one.last is not None}

    def due(self, now: datetime) -> list[Notice]:
        """Returns what is to be told now and stands on no topic yet; the caller publishes it and calls ``told``."""
        found = [*self._back(), *self._silent(now)]
        return [notice for notice in found if notice.event_id not in self._told]

    def _silent(self, now: datetime) -> list[Notice]:
        notices = []
        for source, rhythm in self._rhythms.items():
            since = rhythm.silent_from()
            if rhythm.last is not None and since is not None and since <= now:
                event_id = derived_id("silent-source", source, str(rhythm.last.event_id))
                notices.append(_notice(NoticeKind.SILENT_SOURCE, (event_id, event_id), source, rhythm.last, since))
        return notices

    def _back(self) -> list[Notice]:
        notices = []
        for source, silent in self._open.items():
            last = self._rhythms[source].last if source in self._rhythms else None
            if last is not None and last.event_id != silent.causation_id:
                event_id = derived_id("source-back", str(silent.event_id))
                notices.append(_notice(NoticeKind.SOURCE_BACK, (event_id, silent.event_id), source, last, last.at))
        return notices


def _notice(kind: NoticeKind, ids: tuple[UUID, UUID], source: str, last: LastMessage, at: datetime) -> Notice:
    """Returns a notice about a source, which is its ``subject``; ``ids`` are its own and the silence's."""
    return Notice(
        event_id=ids[0],
        source=OURS,
        correlation_id=ids[1],
        causation_id=last.event_id,
        occurred_at=at,
        sent_at=at,
        recorded_at=at,
        subject=source,
        kind=kind,
        recipient=RECIPIENT,
    )
