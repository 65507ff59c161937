"""A folder that is held by its descriptor, so that what it is doesn't change under whoever works in it.

Strangers write into a watched folder at any moment: between a look at a name and its opening it may have become a link.
So each name is opened once, below the descriptor and through no link, and what was opened is asked what it is.
"""

from __future__ import annotations

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
        """Yields the names of files and links in it and its folders; follows none, and leaves hidden ones out."""
        yield from _names(self._descriptor, "", _DEPTH_MAX)

    def look(self, name: str) -> os.stat_result | None:
        """Returns what a name is at this moment, a link as a link; None where nothing is there."""
        try:
            with self._parent(name) as (parent, last):
                return os.stat(last, dir_fd=parent, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

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
            draft = f".{last}.tmp"
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
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _names_below(descriptor, entry.name, before, depth)
            elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
                yield before + entry.name


def _names_below(descriptor: int, name: str, before: str, depth: int) -> Iterator[str]:
    try:
        below = os.open(name, _FOLDER, dir_fd=descriptor)
    except OSError:
        return  # gone, or become a link meanwhile: the next look tells
    try:
        if depth:
            yield from _names(below, f"{before}{name}/", depth - 1)
    finally:
        os.close(below)
