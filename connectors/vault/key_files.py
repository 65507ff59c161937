"""Key files: written once by whoever comes first, whole or not at all, readable by their owner only."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_OWNER_ONLY = 0o600
_READABLE_BY_ALL = 0o644
_OTHERS = 0o077


class KeyFileError(Exception):
    """Raised where a key file is missing, open to others than its owner, or not what it should hold."""


def written_once(path: Path, content: Callable[[], bytes], *, public: bool = False) -> bytes:
    """Returns the file's content, creating it from ``content`` where it is absent.

    Processes that create the same file at once all return the bytes of the one that came first. The file
    is on the disk, with its name, before this returns; a crash leaves no half of it.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _link_new_file(path, content(), _READABLE_BY_ALL if public else _OWNER_ONLY)
    return read_key(path, public=public)


def read_key(path: Path, *, public: bool = False) -> bytes:
    """Returns the file's content; raises KeyFileError where it is missing or open to others."""
    try:
        with path.open("rb") as file:
            if not public and os.fstat(file.fileno()).st_mode & _OTHERS:
                raise KeyFileError(f"{path} can be read by others: `chmod 600` it and consider its keys known")
            return file.read()
    except OSError as error:
        raise KeyFileError(f"{path} can't be read: {error.strerror}; `brobygger up` or `gateway` makes it") from error


def replaced(path: Path, content: bytes) -> None:
    """Puts other content into a key file: a crash leaves the one or the other, whole, and so does who reads meanwhile.

    Two that replace the same file at once have to keep out of each other's way. Raises KeyFileError where the folder
    can't be written.
    """
    try:
        draft = _draft_of(path, content, _OWNER_ONLY)
        draft.replace(path)
    except OSError as error:
        raise KeyFileError(f"{path} can't be written: {error.strerror}") from error
    _sync_folder(path.parent)


def _link_new_file(path: Path, content: bytes, mode: int) -> None:
    draft = _draft_of(path, content, mode)
    try:
        _link(draft, path)
    finally:
        draft.unlink()
    _sync_folder(path.parent)


def _draft_of(path: Path, content: bytes, mode: int) -> Path:
    """Returns a file beside the path that holds the content, on the disk; where that fails there is none."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        draft.unlink()
        raise
    return draft


def _link(draft: Path, path: Path) -> None:
    # A hard link, unlike a rename, never replaces the file of a process that came first.
    try:
        os.link(draft, path)
    except FileExistsError:
        return


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
