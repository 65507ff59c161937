"""``brobygger watch``: takes files from a folder through the gateway's doors as they come, and writes receipts back."""

import asyncio
import os
import signal
import threading
from contextlib import closing
from pathlib import Path
from typing import Annotated

import structlog
import typer
from prometheus_client import CollectorRegistry, Counter, Gauge

from connectors.contact import Contact
from streams.cli.ingest import address_of_instance
from streams.cli.printing import refuse
from streams.cli.sending.door_answers import DoorError, PartlyTakenError
from streams.cli.sending.doors import GatewayClient, fault_of
from streams.cli.sending.receipt_files import ReceiptFolder
from streams.cli.sending.watched_folder import WatchedFolder
from streams.settings import settings_of_process
from streams.telemetry import serve_health, set_up_logging

# Receipts are for the source, who comes by SFTP as somebody else of the same group.
_RECEIPT_MODE = 0o640
_PAUSE_SECONDS_MAX = 60.0
_LOOK_SECONDS = 2.0
_OTHERS = 0o077
_log = structlog.get_logger(__name__)


def watch(  # noqa: PLR0913, PLR0917 one parameter an option of the command
    folder: Annotated[Path, typer.Argument(help="of one source, with `in`; what is missing in it is made")],
    token: Annotated[str | None, typer.Option(envvar="BROBYGGER_TOKEN", help="the source's; else --token-file")] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="the source's token; keys/watch/FOLDER.token in the data folder unless given")
    ] = None,
    gateway: Annotated[str | None, typer.Option(help="its address; the running instance's unless given")] = None,
    still: Annotated[float, typer.Option(min=0, max=3600, help="seconds after which a file is complete")] = 5.0,
    health_port: Annotated[int, typer.Option(help="port of /health, /ready and /metrics; 0 chooses one")] = 0,
) -> None:
    """Takes every complete file in FOLDER/in, writes its receipt to FOLDER/receipts and moves it to done or refused.

    Runs until SIGTERM. Files are known by their content as `ingest` does; lists lie in FOLDER/in/lists/NAME. While the
    gateway does not answer files stay where they are.
    """
    named = token_file or settings_of_process().watch_token_file(folder)
    known = token if token and token_file is None else _token_in(named)
    stopping = threading.Event()
    set_up_logging()
    address = gateway or address_of_instance()
    watching = Watching(WatchedFolder(folder, still), GatewayClient(address, known, stopping.wait), stopping)
    asyncio.run(_run_until_told(watching, address, health_port))


class Watching:
    """Looks into a folder again and again. Use from one thread; any may read ``takes``: False where files wait."""

    def __init__(self, folder: WatchedFolder, doors: GatewayClient, stopping: threading.Event) -> None:
        """Takes the folder, the doors, and what is set to end it."""
        self.registry = CollectorRegistry()
        # What became of each file, by the folder that it went to: done or refused.
        self._files = Counter("brobygger_watch_files", "Files by outcome", ["outcome"], registry=self.registry)
        self._waiting = Gauge("brobygger_watch_waiting_files", "Files in the folder", registry=self.registry)
        self._failures = Counter("brobygger_watch_failures", "Times that nothing could be sent", registry=self.registry)
        self._folder, self._doors, self._stopping = folder, doors, stopping
        self.takes = True

    def run(self, look_seconds: float = 1.0) -> None:
        """Runs until it is told to end; raises DoorError where the receipts are another process's."""
        failures = 0
        with closing(self._folder), self._doors, ReceiptFolder(self._folder.receipts, mode=_RECEIPT_MODE) as receipts:
            self._folder.forget_moved(receipts)
            while not self._stopping.is_set():
                self.takes = self._takes_all(receipts)
                failures = 0 if self.takes else failures + 1
                pause = look_seconds if failures == 0 else min(2.0**failures, _PAUSE_SECONDS_MAX)
                self._stopping.wait(pause)

    def stop(self) -> None:
        """Tells it to end after the file that it is at; callable from any thread."""
        self._stopping.set()

    def _takes_all(self, receipts: ReceiptFolder) -> bool:
        """Takes what is complete; returns whether nothing was in the way."""
        try:
            paths = self._folder.complete()
            self._waiting.set(self._folder.waiting)
            for path in paths:
                if self._stopping.is_set():
                    break
                self._take(path, receipts)
        except DoorError as error:
            self._failures.inc()
            # A file's name may be personal: it is not logged.
            _log.warning("watch_waits", why="taken in part" if isinstance(error, PartlyTakenError) else str(error))
            return False
        return True

    def _take(self, path: Path, receipts: ReceiptFolder) -> None:
        outcome = self._folder.take(path, self._doors, receipts)
        if outcome is not None:
            self._files.labels(outcome).inc()


async def _run_until_told(watching: Watching, gateway: str, health_port: int) -> None:
    contact = Contact("gateway")
    looking = asyncio.create_task(_look_for(gateway, contact))
    running = asyncio.create_task(asyncio.to_thread(watching.run))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, watching.stop)
    await serve_health(
        ("127.0.0.1", health_port),
        lambda: {"running": not running.done(), "gateway": contact.is_there, "sending": watching.takes},
        watching.registry,
    )
    await running
    looking.cancel()


async def _look_for(gateway: str, contact: Contact) -> None:
    """Asks the gateway again and again whether it is ready; one file may be tried for minutes meanwhile."""
    while True:
        contact.note(await asyncio.to_thread(fault_of, gateway))
        await asyncio.sleep(_LOOK_SECONDS)


def _token_in(file: Path) -> str:
    """Returns the token in a key file; raises typer.Exit where there is none, or others may read it."""
    try:
        with file.open(encoding="ascii") as opened:
            mode, token = os.fstat(opened.fileno()).st_mode, opened.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise refuse(f"no token: set BROBYGGER_TOKEN, or write the source's token into {file}") from error
    if mode & _OTHERS:
        raise refuse(f"{file} can be read by others: chmod 600 it, and find out who could")
    if not token:
        raise refuse(f"{file} is empty; `brobygger clients create source` prints a token")
    return token
