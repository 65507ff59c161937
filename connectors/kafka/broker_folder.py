"""Holds the folder an embedded broker lives in: its identity, its lock, and where its files are."""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import shutil
import socket
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.kafka.errors import BrokerUnavailableError
from connectors.kafka.jars import KAFKA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Below the ports Linux and macOS hand to outgoing connections, so that a port remembered today is
# not some client's port tomorrow.
_PORTS = range(20_000, 30_000)
_PORT_ATTEMPTS_MAX = 100


class BrokerIdentity(BaseModel):
    """Is what a data folder remembers of its broker between starts."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    cluster_id: str
    kafka_version: str
    port: int = Field(ge=1, le=65_535)
    controller_port: int = Field(ge=1, le=65_535)
    secured: bool = False


@dataclass(frozen=True)
class BrokerFolder:
    """Names the files of one broker below its data folder."""

    path: Path

    @property
    def topics(self) -> Path:
        """Kafka's own data; present only once it is formatted whole."""
        return self.path / "topics"

    @property
    def unfinished_topics(self) -> Path:
        """Where formatting happens; left over only where that was cut off."""
        return self.path / "topics.unfinished"

    @property
    def logs(self) -> Path:
        """The folder of text logs."""
        return self.path / "logs"

    @property
    def log(self) -> Path:
        """Kafka's log of the latest run."""
        return self.logs / "broker.log"

    @property
    def console(self) -> Path:
        """What Java itself wrote in the latest run, such as why it could not start."""
        return self.logs / "console.log"

    @property
    def properties(self) -> Path:
        """Kafka's settings, written anew at each start."""
        return self.path / "server.properties"

    @property
    def scratch(self) -> Path:
        """Java's temporary files, emptied at each start."""
        return self.path / "scratch"

    @property
    def password(self) -> Path:
        """The service user's password, where the broker is secured."""
        return self.path / "service.password"

    @property
    def format_arguments(self) -> Path:
        """What formatting is told; there only while it runs."""
        return self.scratch / "format.arguments"

    @property
    def identity(self) -> Path:
        """What is remembered between starts, as JSON."""
        return self.path / "broker.json"

    @contextmanager
    def locked(self) -> Iterator[FolderLock]:
        """Holds the folder's lock; a broker that inherits the lock keeps it after the block.

        Raises BrokerUnavailableError, naming the process, where a live broker has the folder.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(os.open(self.path / "broker.lock", os.O_RDWR | os.O_CREAT, 0o600))
        try:
            fcntl.flock(lock.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = lock.owner()
            os.close(lock.fd)
            message = (
                f"data folder {self.path} is in use by a live broker, {owner}; stop that one or choose another folder"
            )
            raise BrokerUnavailableError(message) from error
        try:
            yield lock
        finally:
            os.close(lock.fd)

    def prepare(self, wanted_port: int | None, *, secured: bool = False) -> BrokerIdentity:
        """Readies the folder for a run and returns the broker's identity, new or remembered.

        A secured folder stays so. Call it only with the lock held. Raises BrokerUnavailableError where the folder
        is a newer Kafka's, another cluster's or an open broker's that shall be secured, or the port is taken.
        """
        remembered = self._remembered()
        identity = remembered or _new_identity().model_copy(update={"secured": secured})
        self._refuse_open(identity, secured=secured)
        if wanted_port is not None:
            identity = identity.model_copy(update={"port": wanted_port})
        if not _is_free(identity.port):
            message = (
                f"port {identity.port} on 127.0.0.1 is taken by another program; stop it, or "
                f"choose another port for the broker in {self.path}"
            )
            raise BrokerUnavailableError(message)
        if not _is_free(identity.controller_port) or identity.controller_port == identity.port:
            # Only the broker itself talks to its controller, so this port may move.
            identity = identity.model_copy(update={"controller_port": _free_port()})
        identity = identity.model_copy(update={"kafka_version": KAFKA_VERSION})
        self._empty_scratch()
        self._remember(identity)
        return identity

    def _remembered(self) -> BrokerIdentity | None:
        if not self.identity.exists():
            if self.topics.exists():
                message = (
                    f"data folder {self.path} holds Kafka data but no {self.identity.name}, so it "
                    "is another cluster's; choose an empty folder"
                )
                raise BrokerUnavailableError(message)
            return None
        try:
            identity = BrokerIdentity.model_validate_json(self.identity.read_bytes())
        except ValidationError as error:
            message = f"{self.identity} is damaged; restore it, or choose an empty folder: {error}"
            raise BrokerUnavailableError(message) from error
        self._refuse_foreign(identity)
        return identity

    def _refuse_foreign(self, identity: BrokerIdentity) -> None:
        if _version_order(identity.kafka_version) > _version_order(KAFKA_VERSION):
            message = (
                f"data folder {self.path} was written by Kafka {identity.kafka_version}, newer "
                f"than {KAFKA_VERSION} here; update this program or choose another folder"
            )
            raise BrokerUnavailableError(message)
        meta = self.topics / "meta.properties"
        if self.topics.exists() and f"cluster.id={identity.cluster_id}" not in meta.read_text(encoding="utf-8"):
            message = (
                f"data folder {self.path} holds another cluster than {identity.cluster_id}, which "
                f"{self.identity.name} names; restore the two together or choose an empty folder"
            )
            raise BrokerUnavailableError(message)

    def _refuse_open(self, identity: BrokerIdentity, *, secured: bool) -> None:
        if secured and not identity.secured:
            message = (
                f"data folder {self.path} belongs to a broker that is open to everyone on this machine; "
                "choose an empty folder for a secured one"
            )
            raise BrokerUnavailableError(message)

    def _empty_scratch(self) -> None:
        for leftover in (self.scratch, self.unfinished_topics):
            shutil.rmtree(leftover, ignore_errors=True)
        self.scratch.mkdir()
        self.logs.mkdir(exist_ok=True)
        # A fresh log, so that its "started" line can only be this run's.
        if self.log.exists():
            self.log.replace(self.log.with_name("broker.log.previous"))
        self.console.unlink(missing_ok=True)

    def _remember(self, identity: BrokerIdentity) -> None:
        unfinished = self.identity.with_suffix(".unfinished")
        unfinished.write_text(identity.model_dump_json(indent=2) + "\n", encoding="utf-8")
        unfinished.replace(self.identity)


@dataclass(frozen=True)
class FolderLock:
    """Is an open, locked file; the lock lasts until every process that has it open is gone."""

    fd: int

    def record_owner(self, pid: int) -> None:
        """Writes which process the broker is, for the message others get."""
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, f"process {pid}".encode(), 0)

    def owner(self) -> str:
        """Returns who has the lock, as far as it is written yet."""
        return os.pread(self.fd, 64, 0).decode() or "which is just starting"


def _new_identity() -> BrokerIdentity:
    # Kafka wants its ids as url-safe base64 without padding, and not with a leading dash.
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return BrokerIdentity(
        cluster_id=f"B{cluster_id[1:]}",
        kafka_version=KAFKA_VERSION,
        port=_free_port(),
        controller_port=_free_port(),
    )


def _free_port() -> int:
    for _ in range(_PORT_ATTEMPTS_MAX):
        port = secrets.choice(_PORTS)
        if _is_free(port):
            return port
    message = f"no free port found between {_PORTS.start} and {_PORTS.stop}; choose one yourself"
    raise BrokerUnavailableError(message)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As Java does: connections of an earlier run that linger do not make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _version_order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
