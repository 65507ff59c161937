"""A PostgreSQL of the tests' own: Debian's package, a cluster in a temporary folder, no network, gone at the end.

Each test gets a schema instead of a database of its own, which is there a hundred times quicker.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine

_INSTALLED = Path("/usr/lib/postgresql")
_MISSING = "install the system package postgresql (Debian: apt-get install postgresql), or run `make packages`"
_USER = "tester"
_SHORT = "/tmp"  # noqa: S108 mkdtemp makes a folder of a name that nobody can foresee, its owner's only
_TEMPLATES = ("1", "4")  # the databases template1 and template0, as initdb made them
_ZEROS = re.compile(rb"\x00{32,}")
# Nothing here outlives the tests, so that nothing has to wait for the disk.
_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=''", "max_connections=60")


class Cluster:
    """A cluster that runs; each ``database`` is an empty schema, and its URL leads to that alone."""

    def __init__(self) -> None:
        self._binaries = _binaries()
        # Neither pytest's folder nor TMPDIR: PostgreSQL refuses to run as root, and the user it then runs as may have
        # no way into those; and its socket's path has at most 107 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="brobygger-postgresql-", dir=_SHORT))
        self._numbers = count(1)
        self._own()
        try:
            self._run("initdb", "-D", self._data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-sync", "--no-locale")
            options = " ".join(f"-c {one}" for one in (*_SETTINGS, f"unix_socket_directories={self._folder}"))
            self._run("pg_ctl", "-D", self._data, "-w", "-l", str(self._folder / "log"), "-o", options, "start")
        except BaseException:
            self.stop()
            raise
        self._administration = create_engine(self._url, isolation_level="AUTOCOMMIT")

    def database(self) -> str:
        """Returns the URL of a new and empty database."""
        name = f"database_{next(self._numbers)}"
        with self._administration.connect() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {name}")
        return f"{self._url}&options=-csearch_path%3D{name}"

    def dump(self) -> bytes:
        """Returns what a backup of everything holds, as text."""
        return self._run("pg_dump", "-h", str(self._folder), "-U", _USER, "--inserts", "postgres")

    def files(self) -> bytes:
        """Returns the bytes of every file that tests write to, the write-ahead log among them; zeros are left out."""
        with self._administration.connect() as connection:
            connection.exec_driver_sql("CHECKPOINT")
        paths = [path for path in sorted(Path(self._data).rglob("*")) if path.is_file()]
        written = [path.read_bytes() for path in paths if path.parent.name not in _TEMPLATES]
        return _ZEROS.sub(b"\0", b"".join(written))

    def stop(self) -> None:
        """Stops the cluster and takes its folder away."""
        if (Path(self._data) / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    @property
    def _url(self) -> str:
        return f"postgresql+psycopg://{_USER}@/postgres?host={self._folder}"

    def _own(self) -> None:
        if os.getuid() == 0:
            owner = _unprivileged()
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)

    def _run(self, program: str, *arguments: str) -> bytes:
        command = [str(self._binaries / program), *arguments]
        if os.getuid() == 0:
            owner = _unprivileged()
            dropped = ["--reuid", str(owner.pw_uid), "--regid", str(owner.pw_gid), "--clear-groups"]
            command = ["setpriv", *dropped, *command]
        ran = subprocess.run(command, cwd=self._folder, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if ran.returncode:
            pytest.fail(f"{program} ended with {ran.returncode}: {ran.stderr.decode(errors='replace')[-2000:]}")
        return ran.stdout


def _binaries() -> Path:
    """Returns the newest installed version's programs; ends the test by the package's name where there are none."""
    found = [path.parent for path in _INSTALLED.glob("*/bin/initdb")]
    if not found:
        pytest.fail(_MISSING)
    return max(found, key=lambda path: int(path.parent.name))


def _unprivileged() -> pwd.struct_passwd:
    names = {one.pw_name for one in pwd.getpwall()}
    return pwd.getpwnam("postgres" if "postgres" in names else "nobody")
