"""A folder that is held by its descriptor, so that what it is doesn't change under whoever works in it.

Strangers write into a watched folder at any moment: between a look at a name and its opening it may have become a link.
So each name is opened once, below the descriptor and through no link, and what was opened is asked what it is.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SAFELY = os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | _SAFELY
_DRAFT = os.O_WRONLY | os.O_CREAT | os.O_EXCL
# Without waiting: a pipe would be opened when somebody writes into it.
READ = os.O_RDONLY | os.O_NONBLOCK
_DEPTH_MAX = 16
# What stands in a name's way, or the name itself, causes these: others than this name may do.
_OF_THE_NAME = frozenset(
    {
        *(errno.EBUSY, errno.EEXIST, errno.EILSEQ, errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG),
        *(errno.ENOTDIR, errno.ENOTEMPTY),
    }
)
_OF_A_FOLDER = frozenset({errno.EACCES, errno.EPERM})


def is_of_the_name(error: OSError, *names: str) -> bool:
    """Returns whether an error is these names' own, so that a file under another name may do without it.

    What may not be done below a folder that somebody made may be done elsewhere; below the held one itself, nowhere.
    """
    return error.errno in _OF_THE_NAME or (error.errno in _OF_A_FOLDER and any("/" in name for name in names))


class HeldFolder:
    """A folder. Names are paths below it, with ``/``; every function raises OSError where one can't be reached."""

    def __init__(self, path: Path) -> None:
        """Makes the folder where it is missing, and holds it; a link in its place is none."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.mkdir()
        self.path = path
        self._descriptor = os.open(path, _FOLDER)

    def hold_again(self) -> None:
        """Holds what stands in its place now: somebody may have emptied the room by putting a new folder there."""
        now = os.open(self.path, _FOLDER)
        self.close()
        self._descriptor = now

    def close(self) -> None:
        """Lets the folder go."""
        os.close(self._descriptor)

    def names(self) -> Iterator[str]:
        """Yields the names of what is in it and its folders; follows no link.

        A folder stands in the place of what is in it where it is hidden, can't be opened, or lies below sixteen others.
        """
        yield from _names(self._descriptor, "", _DEPTH_MAX)

    def look(self, name: str) -> os.stat_result | None:
        """Returns what a name is at this moment, a link as a link; None where nothing is there."""
        try:
            with self._parent(name) as (parent, last):
                return os.stat(last, dir_fd=parent, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def has_room(self, name: str) -> bool:
        """Returns whether a file can be written under a name: where it and its draft belong is nothing but files."""
        try:
            with self._parent(name) as (parent, last):
                return not any(_is_folder(one, parent) for one in (last, _draft_of(last)))
        except FileNotFoundError:
            return True
        except OSError as error:
            if not is_of_the_name(error, name):
                raise
            return False

    def open(self, name: str, flags: int, mode: int = 0o600) -> int:
        """Returns the descriptor of a file; raises OSError for a link, and where there is one on the way."""
        with self._parent(name) as (parent, last):
            return os.open(last, flags | _SAFELY, mode, dir_fd=parent)

    def read(self, name: str) -> bytes | None:
        """Returns what a regular file holds; None where there is none."""
        try:
            with os.fdopen(self.open(name, READ), "rb") as file:
                return file.read() if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
        except OSError:
            return None

    def write(self, name: str, content: bytes, mode: int) -> None:
        """Writes a file as a whole or not at all, in place of whatever stood under its name or its draft's."""
        with self._parent(name, makes=True) as (parent, last):
            draft = _draft_of(last)
            with suppress(FileNotFoundError):
                os.unlink(draft, dir_fd=parent)
            with os.fdopen(os.open(draft, _DRAFT | _SAFELY, mode, dir_fd=parent), "wb") as written:
                written.write(content)
                written.flush()
                os.fsync(written.fileno())
            os.replace(draft, last, src_dir_fd=parent, dst_dir_fd=parent)

    def delete(self, name: str) -> None:
        """Deletes a file, or a link; does nothing where there is none."""
        with suppress(FileNotFoundError, NotADirectoryError), self._parent(name) as (parent, last):
            os.unlink(last, dir_fd=parent)

    def move(self, name: str, folder: HeldFolder, new_name: str) -> None:
        """Renames a file into another folder, in place of what stands there under the new name."""
        with self._parent(name) as (parent, last), folder._parent(new_name, makes=True) as (target, new):
            os.replace(last, new, src_dir_fd=parent, dst_dir_fd=target)

    @contextmanager
    def _parent(self, name: str, *, makes: bool = False) -> Iterator[tuple[int, str]]:
        """Yields the descriptor of the folder that a name is in, and the name's last part."""
        *folders, last = PurePosixPath(name).parts
        descriptor = os.dup(self._descriptor)
        try:
            for folder in folders:
                if makes:
                    with suppress(FileExistsError):
                        os.mkdir(folder, dir_fd=descriptor)
                below = os.open(folder, _FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
            yield descriptor, last
        finally:
            os.close(descriptor)


def _names(descriptor: int, before: str, depth: int) -> Iterator[str]:
    with os.scandir(descriptor) as entries:
        for entry in entries:
            below = _opened(entry, descriptor) if depth and not entry.name.startswith(".") else None
            if below is None:
                yield before + entry.name
                continue
            try:
                yield from _names(below, f"{before}{entry.name}/", depth - 1)
            finally:
                os.close(below)


def _opened(entry: os.DirEntry[str], descriptor: int) -> int | None:
    """Returns the descriptor of a folder; None for all else, and where it can't be opened."""
    try:
        return os.open(entry.name, _FOLDER, dir_fd=descriptor) if entry.is_dir(follow_symlinks=False) else None
    except OSError:
        return None


def _draft_of(last: str) -> str:
    return f".{last}.tmp"


def _is_folder(name: str, parent: int) -> bool:
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False
