"""Our engine against Kafka Streams: `python -m benchmarks.engine.compare [--kstreams DIR] [--pairs 5] [--parts ...]`.

Both run exactly once, alternately, on one broker (core 0) and one worker core (core 1), and the
broker has been warmed before. Throughput, memory and recovery at the same commit interval of one
second; latency as each is set for latency, the peer at 100 ms, ours without an interval. What counts
is the ratio within a pair, since whatever else the machine does then falls on both.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.engine.contestants import Contestant, NotBuiltError
from benchmarks.engine.fill import fill
from benchmarks.engine.latency import measure
from benchmarks.engine.measure import committed, watch_group
from connectors.kafka.embedded import EmbeddedBroker

_BROKER_CORE = 0
_COMMIT_MS = 1000
_LATENCY_COMMIT_MS = {"ours": 0, "kafka-streams": 100}
_LIMIT_SECONDS = 600.0
_NAMES = ("ours", "kafka-streams")
_POLL_SECONDS = 0.05
_PARTS = ("throughput", "latency", "recovery")


@dataclass(frozen=True)
class Job:
    """What to measure, and against what."""

    bootstrap: str
    kstreams: Path
    records: int
    pairs: int
    seconds: float
    parts: tuple[str, ...] = _PARTS

    def contestant(self, name: str, source: str, commit_ms: int = _COMMIT_MS) -> Contestant:
        """Returns the engine of that name, prepared for that input."""
        contestant = Contestant(name, self.bootstrap, source, commit_ms, self.kstreams)
        contestant.prepare()
        return contestant


async def throughput(job: Job, name: str, source: str) -> tuple[float, float]:
    """Returns records/s between a tenth and nine tenths of the input, and peak memory in MiB."""
    contestant = job.contestant(name, source)
    contestant.start()
    try:
        progress = await watch_group(job.bootstrap, contestant.app_id, source, _LIMIT_SECONDS)
        return progress.records_per_second(), contestant.peak_mib()
    finally:
        contestant.stop()


async def latency(job: Job, name: str, source: str) -> tuple[float, float]:
    """Returns median and 99th percentile, in ms, at 2,000 records/s."""
    await fill(job.bootstrap, source, 0, 1)
    contestant = job.contestant(name, source, _LATENCY_COMMIT_MS[name])
    contestant.start()
    try:
        found = await measure(job.bootstrap, source, contestant.output, 2000, job.seconds)
        return found[len(found) // 2], found[int(len(found) * 0.99)]
    finally:
        contestant.stop()


async def recovery(job: Job, name: str, source: str) -> float:
    """Returns the seconds from a kill -9 in mid-work until every partition's offset has moved again."""
    contestant = job.contestant(name, source)
    contestant.start()
    try:
        await _until(job, contestant, dict.fromkeys(range(4), job.records // 16))
        contestant.kill()
        at_death = await committed(job.bootstrap, contestant.app_id, source)
        began = time.monotonic()
        contestant.start()
        await _until(job, contestant, at_death)
        return time.monotonic() - began
    finally:
        contestant.stop()


async def _until(job: Job, contestant: Contestant, beyond: dict[int, int]) -> None:
    limit = time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < limit:
        offsets = await committed(job.bootstrap, contestant.app_id, contestant.source)
        if all(offsets.get(partition, -1) > offset for partition, offset in beyond.items()):
            return
        await asyncio.sleep(_POLL_SECONDS)
    raise TimeoutError(f"{contestant.name} stands still, see {contestant.log_file}")


def report(what: str, unit: str, pairs: list[tuple[float, float]]) -> None:
    """Prints both medians, and median and quartiles of the ratio within pairs, ours first."""
    ours, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    low, middle, high = statistics.quantiles(ratios, method="inclusive") if len(ratios) > 1 else ratios * 3
    medians = f"{statistics.median(ours):,.4g} against {statistics.median(theirs):,.4g} {unit}"
    print(f"{what}: {medians}; ratio {middle:.2f} (quartiles {low:.2f}-{high:.2f}, {len(ratios)} pairs)", flush=True)


async def compare(job: Job) -> None:
    """Measures the wanted parts in pairs."""
    if "throughput" in job.parts:
        for keys, source in ((1_000_000, "bench-1m"), (10_000, "bench-10k")):
            await _compare_throughput(job, source, keys)
    if "latency" in job.parts:
        delays = [
            [await latency(job, name, f"bench-slow-{name}-{turn}") for name in _NAMES] for turn in range(job.pairs)
        ]
        for index, what in enumerate(("p50", "p99")):
            report(f"{what} at 2,000/s", "ms", [(ours[index], theirs[index]) for ours, theirs in delays])
    if "recovery" in job.parts:
        await fill(job.bootstrap, "bench-recovery", job.records, 1_000_000)
        times = [[await recovery(job, name, "bench-recovery") for name in _NAMES] for _ in range(job.pairs)]
        report("kill -9 to every partition moving", "s", [(ours, theirs) for ours, theirs in times])


async def _compare_throughput(job: Job, source: str, keys: int) -> None:
    await fill(job.bootstrap, source, job.records, keys)
    for name in _NAMES:
        await throughput(job, name, source)  # warms the broker
    runs = [[await throughput(job, name, source) for name in _NAMES] for _ in range(job.pairs)]
    for index, (what, unit) in enumerate((("throughput", "records/s"), ("peak memory", "MiB"))):
        report(f"{what}, {keys:,} keys", unit, [(ours[index], theirs[index]) for ours, theirs in runs])


def main() -> None:
    """Starts a broker of its own and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kstreams", type=Path, required=True, help="the built Kafka Streams peer")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/brobygger")
    parser.add_argument("--records", type=int, default=3_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=_PARTS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-broker-") as folder:
        broker = EmbeddedBroker(Path(folder), cache_dir=given.cache, core=_BROKER_CORE, heap_mib=1024)
        with broker:
            job = Job(broker.bootstrap, given.kstreams, given.records, given.pairs, given.seconds, tuple(given.parts))
            try:
                asyncio.run(compare(job))
            except NotBuiltError as error:
                sys.exit(str(error))


if __name__ == "__main__":
    main()
