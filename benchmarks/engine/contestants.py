"""The two engines, as processes on the worker's core, doing the same job with the same commit interval."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.engine.fill import PARTITIONS
from connectors.kafka.connection import KafkaConnection
from connectors.kafka.topics import TopicSpec, ensure_topics

WORKER_CORE = 1

_STOP_SECONDS = 30


class NotBuiltError(RuntimeError):
    """The peer has not been built."""


@dataclass
class Contestant:
    """One engine at work on one input. `name` is "ours" or "kafka-streams"."""

    name: str
    bootstrap: str
    source: str
    commit_ms: int
    kstreams: Path
    app_id: str = field(default_factory=lambda: f"bench-{uuid.uuid4().hex[:8]}")
    state_dir: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="bench-")))
    _process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> str:
        """Returns its output topic."""
        return f"{self.app_id}-out"

    def prepare(self) -> None:
        """Creates its topics."""
        specs = [TopicSpec(self.output, PARTITIONS)]
        if self.name == "ours":
            specs.append(TopicSpec(f"{self.app_id}-changelog", PARTITIONS, {"cleanup.policy": "compact"}))
        ensure_topics(KafkaConnection(bootstrap=self.bootstrap), specs)

    def start(self) -> None:
        """Starts it on the worker's core."""
        environment = {**os.environ, "BOOTSTRAP": self.bootstrap, "COMMIT_MS": str(self.commit_ms)}
        # Ten seconds of session and a static member, as ours has: the peer's best recovery.
        environment["JAVA_TOOL_OPTIONS"] = f"-Dinstance={self.app_id}-1 -Dsession=6000"
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                ["/usr/bin/taskset", "-c", str(WORKER_CORE), *self._command()], env=environment, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """Kills it as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Stops it, and removes its state and its log."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.state_dir, ignore_errors=True)
        self.log_file.unlink(missing_ok=True)

    def peak_mib(self) -> float:
        """Returns the largest resident memory so far."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1024

    @property
    def log_file(self) -> Path:
        """Returns where it logs."""
        return self.state_dir.with_suffix(".log")

    def _command(self) -> list[str]:
        if self.name == "ours":
            worker = [sys.executable, "-m", "benchmarks.engine.worker"]
            return [*worker, self.bootstrap, self.source, self.app_id, str(self.state_dir), str(self.commit_ms)]
        if not (self.kstreams / "target/kstreams-1.jar").exists():
            raise NotBuiltError(
                f"{self.kstreams} is not built: run `mvn -q -B package` in a copy of it, pass --kstreams"
            )
        return [str(self.kstreams / "run.sh"), "eos", self.source, self.output, self.app_id, str(self.state_dir)]
