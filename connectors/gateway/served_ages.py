"""The ages that any programme serves, as the programme files have them now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from schemas.programmes import ProgrammeFileError, load_programmes

if TYPE_CHECKING:
    from pathlib import Path

_log = structlog.get_logger(__name__)


class ServedAges:
    """Reads the programme files again when one has changed, so that nobody whom a new programme serves is passed over.

    Files that can't be read now leave the ages as they were, and are told in the log. Blocks on the disk.
    """

    def __init__(self, folder: Path) -> None:
        """Reads the files; raises ProgrammeFileError."""
        self._folder = folder
        self._read_at = self._stamp()
        self._ages = self._read()

    def __call__(self) -> range:
        """Returns the ages from the youngest to the oldest, in whole years."""
        stamp = self._stamp()
        if stamp != self._read_at:
            self._read_at = stamp
            try:
                self._ages = self._read()
            except ProgrammeFileError as error:
                _log.error("programme_files_unreadable", problem=str(error))
        return self._ages

    def _read(self) -> range:
        ages = [one.ages for one in load_programmes(self._folder)]
        return range(min(age.lowest for age in ages), max(age.highest for age in ages) + 1)

    def _stamp(self) -> list[tuple[str, int]]:
        try:
            return sorted((path.name, path.stat().st_mtime_ns) for path in self._folder.glob("*.toml"))
        except OSError:  # a file was taken away while we looked: look again with the next message
            return []
