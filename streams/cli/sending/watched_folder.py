"""One source's folder, as it is reached by SFTP: files in ``in``, and what became of them in ``done`` and ``refused``.

| Folder | Holds |
|---|---|
| ``in`` | what is to be sent; lists in ``in/lists/NAME`` |
| ``receipts`` | of each file its receipt, of each list its report and the rows that failed |
| ``done`` | what was taken whole |
| ``refused`` | what was not, or in part, each with ``FILE.refused.json``: where, which code, which rule, what to do |

A name that is taken in one of them, or that a file and a folder would share, becomes another: ``FILE~TIME-NUMBER``.
What can't be moved at all stays in ``in``: that is said once, others go on, and it is tried again each minute.

A receipt is in place before its file is moved, and a file is moved by renaming: wherever the process ends, the file is
in one folder and is sent again at worst, which the doors answer as they did before.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import time
from contextlib import suppress
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import structlog

from streams.cli.sending.door_answers import DoorError, NoDoorError, NoPlaceError, NotTaken, SubmissionResult
from streams.cli.sending.file_kinds import (
    NAME_BYTES_MAX,
    content_in,
    file_digest,
    is_sent,
    outgoing_file_of,
    unreadable,
)
from streams.cli.sending.files_sent import send_letter
from streams.cli.sending.held_folder import READ, HeldFolder, is_of_the_name
from streams.cli.sending.list_files import ListFile, list_door, send_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from streams.cli.sending.doors import GatewayClient
    from streams.cli.sending.receipt_files import ReceiptFolder

FILES_AT_ONCE_MAX = 10_000
_FOLDERS = ("in", "done", "refused")
_LISTS = "lists"
_REASON = ".refused.json"
_AGAIN_SECONDS = 60.0
_UNFINISHED_SECONDS_MAX = 3600.0
_SHORT = 40  # characters, of four bytes at most
_LIST_DEPTH = 3  # lists/NAME/FILE
_log = structlog.get_logger(__name__)


class _Seen(NamedTuple):
    """What a file was at a look; ``at_seconds`` is when it was first seen so."""

    inode: int
    size: int
    changed_ns: int
    at_seconds: float


class _Found(NamedTuple):
    """A complete file: its name in the folder, the one it is to have below the others, and as what it was seen."""

    name_in: str
    name: str
    seen: _Seen


_NOT_ITS_OWN = NoDoorError("is no file of its own; put the file itself here, no link to it")


class WatchedFolder:
    """Takes complete files, oldest first, each through its door.

    A file is complete once its size and its time have stood still for so long; one whose name says that it is still
    being written (``.part``, ``.filepart``, ``.tmp``, ``~$`` …) is never taken before it is renamed. Links are refused:
    who may write here could have what lies elsewhere sent; so are pipes, sockets and devices. A file that is another
    than at the last look waits for the next one.
    """

    def __init__(self, folder: Path, still_seconds: float, clock_seconds: Callable[[], float] = time.monotonic) -> None:
        """Takes the folder, how long a file stands still, and a clock that never goes back; makes what is missing.

        Raises DoorError where one of its folders can't be reached, or is a link.
        """
        try:
            self._in, self._done, self._refused = (HeldFolder(folder / name) for name in _FOLDERS)
        except OSError as error:
            raise _unreachable(error) from error
        self.receipts = folder / "receipts"
        self._still_seconds = still_seconds
        self._clock_seconds = clock_seconds
        self._seen: dict[Path, _Seen] = {}
        self._left: dict[Path, float] = {}  # when it is tried again
        self._unfinished: dict[str, float] = {}  # when it was seen first
        self._overdue: set[str] = set()

    def close(self) -> None:
        """Lets its folders go."""
        for folder in (self._in, self._done, self._refused):
            folder.close()

    def complete(self) -> list[Path]:
        """Returns the files to take now, oldest first; a file is returned at the second look at the earliest.

        Raises DoorError where one of the folders can't be reached.
        """
        try:
            for folder in (self._in, self._done, self._refused):
                folder.hold_again()
        except OSError as error:
            raise _unreachable(error) from error
        now, before, self._seen = self._clock_seconds(), self._seen, {}
        for name in islice(self._finished(now), FILES_AT_ONCE_MAX + len(self._left)):  # what is left takes no place
            path, seen = self._in.path / name, self._look(name, now)
            known = before.get(path)
            if seen is not None:
                is_same = known is not None and known[:3] == seen[:3]
                self._seen[path] = known if is_same and known is not None else seen
        self._tell_of_unfinished(now)
        self._left = {path: again for path, again in self._left.items() if path in self._seen}
        still = [path for path, seen in self._seen.items() if now - seen.at_seconds >= self._still_seconds]
        ready = (path for path in still if self._left.get(path, now) <= now)
        return sorted(ready, key=lambda path: (self._seen[path].changed_ns, path))

    @property
    def waiting(self) -> int:
        """Returns how many files there were at the last look."""
        return len(self._seen)

    def take(self, path: Path, doors: GatewayClient, receipts: ReceiptFolder) -> str | None:
        """Sends a complete file, puts it where it belongs, and returns that folder's name.

        Returns None where the file stays: it is not the one any more that was complete, or can't be put anywhere, which
        is logged once. Raises DoorError where nothing can be sent now, whatever file it is.
        """
        seen, found = self._seen[path], path.relative_to(self._in.path).as_posix()
        try:
            return self._taken(_Found(found, self._name_of(found, seen, receipts), seen), doors, receipts)
        except FileNotFoundError:
            return None
        except NoPlaceError as error:
            self._leave(path, error)
            return None
        except OSError as error:
            raise DoorError(
                f"the watched folder can't be read or written: {error.strerror}; check its rights"
            ) from error

    def forget_moved(self, receipts: ReceiptFolder) -> None:
        """Lets the journal go of files that were moved just before the process ended."""
        for name in receipts.files:
            with suppress(OSError):  # where it can't be looked for, it is remembered
                if self._is_taken(name):
                    receipts.forget(name)

    def _taken(self, found: _Found, doors: GatewayClient, receipts: ReceiptFolder) -> str:
        try:
            answer = self._sent(found, doors, receipts)
        except NoPlaceError:
            raise
        except NoDoorError as error:
            answer = SubmissionResult(0, (NotTaken("", "no_door", str(error)),))
        if answer.refused:
            rows = [why._asdict() for why in answer.refused]
            reason = {"file": found.name, "taken": answer.taken, "refused": rows}
            receipts.write_in(self._refused, f"{found.name}{_REASON}", json.dumps(reason, indent=2).encode())
        folder = self._refused if answer.refused else self._done
        try:
            self._move(found, folder)
        except NoPlaceError:
            self._refused.delete(f"{found.name}{_REASON}")
            raise
        receipts.forget(found.name)
        return folder.path.name

    def _leave(self, path: Path, error: NoPlaceError) -> None:
        """Lets a file lie for a minute, so that others go on; says so once, without its name, which may be personal."""
        if path not in self._left:
            _log.warning("watch_leaves_file", why=str(error))
        self._left[path] = self._clock_seconds() + _AGAIN_SECONDS

    def _sent(self, found: _Found, doors: GatewayClient, receipts: ReceiptFolder) -> SubmissionResult:
        parts = PurePosixPath(found.name_in).parts
        content = self._content_of(found)
        if parts[0] != _LISTS:
            return send_letter(doors, receipts, found.name, outgoing_file_of(parts[-1], content, None))
        if len(parts) != _LIST_DEPTH:
            raise NoDoorError("is in no list's folder; put it into in/lists/NAME, the list's name")
        door = list_door(parts[1], believe_missing=False)
        # The same list may come again another day and say something new: it is known by its file, too.
        drop = file_digest(f"{door} {found.seen.inode} {found.seen.changed_ns}", content)
        return send_list(doors, receipts, ListFile(found.name, content, door, drop))

    def _content_of(self, found: _Found) -> bytes:
        """Returns what the complete file holds; opened once, through no link, and asked then what it is."""
        try:
            looked = self._in.look(found.name_in)
            # Opening a device may do something; what takes its place after this look is asked again.
            if looked is not None and stat.S_ISDIR(looked.st_mode):
                raise NoPlaceError("is a folder that can't be opened, or lies below sixteen others; correct its rights")
            if looked is not None and not stat.S_ISREG(looked.st_mode):
                raise _NOT_ITS_OWN
            descriptor = self._in.open(found.name_in, READ)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise _NOT_ITS_OWN if error.errno in (errno.ELOOP, errno.ENOTDIR) else unreadable(error) from error
        with os.fdopen(descriptor, "rb") as file:
            now = os.fstat(descriptor)
            if not stat.S_ISREG(now.st_mode) or now.st_nlink > 1:
                raise _NOT_ITS_OWN
            if not _is_same(_seen_of(now, 0.0), found.seen):
                raise FileNotFoundError
            try:
                return content_in(file, PurePosixPath(found.name_in).name)
            except OSError as error:
                raise unreadable(error) from error

    def _name_of(self, found: str, seen: _Seen, receipts: ReceiptFolder) -> str:
        """Returns the name that a file has below each of the folders, the same until it is moved.

        It is another than in ``in`` where that is taken by an earlier one, or where a folder or file is in its way.
        Raises NoPlaceError where no name is free.
        """
        name = PurePosixPath(found)
        if len(os.fsencode(name.name)) > NAME_BYTES_MAX:
            name = name.with_name(f"{name.name[:_SHORT]}~{seen.inode:x}")
        other = f"{name.stem}~{seen.changed_ns:x}-{seen.inode:x}{name.suffix}"
        if len(os.fsencode(other)) > NAME_BYTES_MAX:
            other = f"{name.stem[:_SHORT]}~{seen.changed_ns:x}-{seen.inode:x}"
        # The last one is in no folder: where one has to be, a file may be.
        for free in (name.as_posix(), name.with_name(other).as_posix(), other):
            if self._is_free(free, receipts):
                return free
        raise NoPlaceError("can't be put under any name; move away what has the same names in done, refused, receipts")

    def _is_free(self, name: str, receipts: ReceiptFolder) -> bool:
        """Returns whether a file, its reason and its receipts have room; none has the name of another's reason."""
        if name.endswith(_REASON) or not receipts.have_room(name):
            return False
        rooms = ((self._done, name), (self._refused, name), (self._refused, f"{name}{_REASON}"))
        return all(folder.has_room(one) for folder, one in rooms) and not self._is_taken(name)

    def _is_taken(self, name: str) -> bool:
        return self._done.look(name) is not None or self._refused.look(name) is not None

    def _move(self, found: _Found, folder: HeldFolder) -> None:
        """Renames a file; one that was changed after it was read is put back, and comes again as it is now."""
        name_in, name, seen = found
        try:
            self._in.move(name_in, folder, name)
            if not _is_same(_seen_of(folder.look(name), 0.0), seen) and self._in.look(name_in) is None:
                folder.move(name, self._in, name_in)
        except FileNotFoundError:
            return  # taken away by whoever put it there
        except OSError as error:
            told = f"can't be moved within the watched folder: {error.strerror}; check the rights of its folder"
            raise NoPlaceError(told) if is_of_the_name(error, name_in, name) else DoorError(f"a file {told}") from error

    def _look(self, name: str, now: float) -> _Seen | None:
        try:
            return _seen_of(self._in.look(name), now)
        except OSError:
            return _Seen(0, 0, 0, now)  # in a folder that can't be looked into: taking it says so

    def _finished(self, now: float) -> Iterator[str]:
        """Yields the names that may be taken, and notes the others."""
        before, self._unfinished = self._unfinished, {}
        for name in self._in.names():
            if is_sent(name):
                yield name
            elif len(self._unfinished) < FILES_AT_ONCE_MAX:
                self._unfinished[name] = before.get(name, now)

    def _tell_of_unfinished(self, now: float) -> None:
        """Says once of what was never renamed that it is not taken."""
        overdue = {name for name, since in self._unfinished.items() if now - since >= _UNFINISHED_SECONDS_MAX}
        if overdue - self._overdue:
            why = "hidden, or named as receipts and unfinished files are, for an hour: rename what is to be taken"
            _log.warning("watch_passes_over", files=len(overdue), why=why)
        self._overdue = overdue


def _unreachable(error: OSError) -> DoorError:
    names = ", ".join(_FOLDERS)
    return DoorError(
        f"one of the watched folder's {names} can't be reached ({error.strerror}); make it a folder, no link"
    )


def _seen_of(found: os.stat_result | None, now: float) -> _Seen | None:
    """Returns what a file is at a look, None where it is no longer there."""
    return None if found is None else _Seen(found.st_ino, found.st_size, found.st_mtime_ns, now)


def _is_same(now: _Seen | None, seen: _Seen) -> bool:
    """Tells whether a file is as it was seen; one that is gone has not changed."""
    return now is None or now[:3] == seen[:3]
