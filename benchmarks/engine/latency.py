"""Sends the job's records at a fixed rate and times its outputs.

`python -m benchmarks.engine.latency BOOTSTRAP INPUT OUTPUT [PER_SECOND] [SECONDS]`: from the moment a
record was due to be sent until a read_committed consumer has the output it caused.
"""

from __future__ import annotations

import asyncio
import random
import struct
import sys
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

_HEAD = struct.Struct(">qq")
_STATE = struct.Struct(">qqqq")
_PADDING = b"x" * 1008
_KEYS = 10_000
_PARTITIONS = 4
_STEP_SECONDS = 0.005


async def measure(bootstrap: str, source: str, output: str, per_second: int, seconds: float) -> list[float]:
    """Returns the latencies in ms, sorted, of the second half: the first warms up."""
    latencies: list[tuple[float, float]] = []
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="latest"
    )
    await consumer.start()
    partitions = [TopicPartition(output, number) for number in range(_PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_end()
    reading = asyncio.create_task(_read(consumer, latencies))
    began = time.time()
    await _send(bootstrap, source, per_second, seconds)
    await asyncio.sleep(2.0)
    reading.cancel()
    await asyncio.wait([reading])
    await consumer.stop()
    return sorted(latency for sent_at, latency in latencies if sent_at > began + seconds / 2)


async def _read(consumer: AIOKafkaConsumer, latencies: list[tuple[float, float]]) -> None:
    async for record in consumer:
        sent_ms = _STATE.unpack(record.value)[3]
        latencies.append((sent_ms / 1000, time.time() * 1000 - sent_ms))


async def _send(bootstrap: str, source: str, per_second: int, seconds: float) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=0)
    await producer.start()
    rng = random.Random(2)
    began, sent = time.time(), 0
    while (now := time.time()) < began + seconds:
        while sent < (now - began) * per_second:
            due_ms = int((began + sent / per_second) * 1000)
            key = b"y%015d" % rng.randrange(_KEYS)
            await producer.send(source, _HEAD.pack(due_ms, sent) + _PADDING, key=key)
            sent += 1
        await asyncio.sleep(_STEP_SECONDS)
    await producer.flush()
    await producer.stop()


def main() -> None:
    """Prints median and 99th percentile."""
    bootstrap, source, output = sys.argv[1:4]
    per_second = int(sys.argv[4]) if len(sys.argv) > 4 else 2000  # noqa: PLR2004
    seconds = float(sys.argv[5]) if len(sys.argv) > 5 else 20.0  # noqa: PLR2004
    found = asyncio.run(measure(bootstrap, source, output, per_second, seconds))
    p50, p99 = found[len(found) // 2], found[int(len(found) * 0.99)]
    print(f"{len(found)} outputs at {per_second}/s: p50 {p50:.0f} ms, p99 {p99:.0f} ms, max {found[-1]:.0f} ms")


if __name__ == "__main__":
    main()
