"""One source's folder, as it is reached by SFTP: files in ``in``, and what became of them in ``done`` and ``refused``.

| Folder | Holds |
|---|---|
| ``in`` | what is to be sent; lists in ``in/lists/NAME`` |
| ``receipts`` | of each file its receipt, of each list its report and the rows that failed |
| ``done`` | what was taken whole |
| ``refused`` | what was not, or in part, each with ``FILE.refused.json``: where, which code, which rule, what to do |

A receipt is in place before its file is moved, and a file is moved by renaming: wherever the process ends, the file is
in one folder and is sent again at worst, which the doors answer as they did before.
"""

from __future__ import annotations

import json
import os
import stat
import time
from typing import TYPE_CHECKING, NamedTuple

from streams.cli.sending.door_answers import Answer, DoorError, NoDoorError, NotTaken
from streams.cli.sending.file_kinds import FILE_BYTES_MAX, NAME_BYTES_MAX, content_of, digest_of, is_sent
from streams.cli.sending.files_sent import SentFile, send_letter
from streams.cli.sending.list_files import ListFile, list_door, send_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from streams.cli.sending.doors import Doors
    from streams.cli.sending.receipt_files import Receipts

FILES_AT_ONCE_MAX = 10_000
_FOLDERS = ("in", "receipts", "done", "refused")
_LISTS = "lists"
_SHORT = 40  # characters, of four bytes at most
_LIST_DEPTH = 3  # lists/NAME/FILE


class _Seen(NamedTuple):
    """What a file was at a look; ``at_seconds`` is when it was first seen so."""

    inode: int
    size: int
    changed_ns: int
    at_seconds: float


class WatchedFolder:
    """Takes complete files, oldest first, each through its door.

    A file is complete once its size and its time have stood still for so long; one whose name ends in ``.part`` or
    ``.tmp``, or begins with a dot, is never taken before it is renamed. Links are refused: who may write here could
    have what lies elsewhere sent.
    """

    def __init__(self, folder: Path, still_seconds: float, clock_seconds: Callable[[], float] = time.monotonic) -> None:
        """Takes the folder, how long a file stands still, and a clock that never goes back; makes what is missing."""
        self._in, self.receipts, self._done, self._refused = (folder / name for name in _FOLDERS)
        self._still_seconds = still_seconds
        self._clock_seconds = clock_seconds
        self._seen: dict[Path, _Seen] = {}
        for path in (self._in, self.receipts, self._done, self._refused):
            path.mkdir(parents=True, exist_ok=True)

    def complete(self) -> list[Path]:
        """Returns the files to take now, oldest first; a file is returned at the second look at the earliest."""
        now, before, self._seen = self._clock_seconds(), self._seen, {}
        for path in self._waiting():
            seen = _look(path, now)
            known = before.get(path)
            if seen is not None:
                is_same = known is not None and known[:3] == seen[:3]
                self._seen[path] = known if is_same and known is not None else seen
        still = [path for path, seen in self._seen.items() if now - seen.at_seconds >= self._still_seconds]
        return sorted(still, key=lambda path: (self._seen[path].changed_ns, path))

    @property
    def waiting(self) -> int:
        """Returns how many files there were at the last look."""
        return len(self._seen)

    def take(self, path: Path, doors: Doors, receipts: Receipts) -> str:
        """Sends a complete file, puts it where it belongs, and returns that folder's name.

        Raises DoorError where it can't be sent now: it stays where it is.
        """
        seen = self._seen[path]
        name = self._name_of(path)
        try:
            answer = self._sent(path, name, seen, doors, receipts)
        except NoDoorError as error:
            answer = Answer(0, (NotTaken("", "no_door", str(error)),))
        if answer.refused:
            rows = [why._asdict() for why in answer.refused]
            reason = {"file": name, "taken": answer.taken, "refused": rows}
            receipts.write_to(self._refused / f"{name}.refused.json", json.dumps(reason, indent=2).encode())
        folder = self._refused if answer.refused else self._done
        self._move(path, folder / name, seen)
        receipts.forget(name)
        return folder.name

    def forget_moved(self, receipts: Receipts) -> None:
        """Lets the journal go of files that were moved just before the process ended."""
        for name in receipts.files:
            if (self._done / name).exists() or (self._refused / name).exists():
                receipts.forget(name)

    def _sent(self, path: Path, name: str, seen: _Seen, doors: Doors, receipts: Receipts) -> Answer:
        parts = path.relative_to(self._in).parts
        if not stat.S_ISREG(path.lstat().st_mode) or not path.resolve().is_relative_to(self._in.resolve()):
            raise NoDoorError("is no file of its own; put the file itself here, no link to it")
        if seen.size > FILE_BYTES_MAX:
            raise NoDoorError(f"is larger than {FILE_BYTES_MAX} bytes; split it")
        if parts[0] != _LISTS:
            return send_letter(doors, receipts, SentFile(path, self.receipts, name), None)
        if len(parts) != _LIST_DEPTH:
            raise NoDoorError("is in no list's folder; put it into in/lists/NAME, the list's name")
        door, content = list_door(parts[1], believe_missing=False), content_of(path)
        # The same list may come again another day and say something new: it is known by its file, too.
        drop = digest_of(f"{door} {seen.inode} {seen.changed_ns}", content)
        return send_list(doors, receipts, ListFile(name, content, door, drop))

    def _name_of(self, path: Path) -> str:
        """Returns the name that a file has below each of the folders: another where that is taken by an earlier one."""
        name = path.relative_to(self._in)
        seen = self._seen[path]
        if len(os.fsencode(name.name)) > NAME_BYTES_MAX:
            name = name.with_name(f"{name.name[:_SHORT]}~{seen.inode:x}")
        if (self._done / name).exists() or (self._refused / name).exists():
            name = name.with_name(f"{name.stem}~{seen.changed_ns:x}-{seen.inode:x}{name.suffix}")
        return name.as_posix()

    def _move(self, path: Path, target: Path, seen: _Seen) -> None:
        """Renames a file; one that was changed after it was read is put back, and comes again as it is now."""
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            now = _look(target, 0.0)
            if now is not None and now[:3] != seen[:3] and not path.exists():
                target.replace(path)
        except FileNotFoundError:
            return  # taken away by whoever put it there
        except OSError as error:
            raise DoorError(f"a file can't be moved within the watched folder: {error.strerror}") from error

    def _waiting(self) -> Iterator[Path]:
        found = 0
        for path in self._in.rglob("*"):
            hidden = any(part.startswith(".") for part in path.relative_to(self._in).parts)
            if not hidden and (path.is_symlink() or is_sent(path)):
                found += 1
                yield path
            if found >= FILES_AT_ONCE_MAX:
                return


def _look(path: Path, now: float) -> _Seen | None:
    """Returns what a file is at this moment, None where it is no longer there."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return _Seen(found.st_ino, found.st_size, found.st_mtime_ns, now)
