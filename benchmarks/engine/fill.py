"""Fills the job's input: `python -m benchmarks.engine.fill BOOTSTRAP TOPIC RECORDS KEYS`."""

from __future__ import annotations

import asyncio
import random
import struct
import sys
import time
import zlib

from aiokafka import AIOKafkaProducer

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.topics import TopicSpec, ensure_topics

PARTITIONS = 4

_HEAD = struct.Struct(">qq")
_PADDING = b"x" * 1008


async def fill(bootstrap: str, topic: str, records: int, keys: int) -> None:
    """Creates the topic and writes it; the same records for the same arguments, but for their times."""
    ensure_topics(KafkaConnection(bootstrap=bootstrap), [TopicSpec(topic, PARTITIONS)])
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=1 << 20)
    await producer.start()
    rng, start_ms = random.Random(1), int(time.time() * 1000)
    batches = [producer.create_batch() for _ in range(PARTITIONS)]
    for number in range(records):
        key = b"y%015d" % rng.randrange(keys)
        value = _HEAD.pack(start_ms + number // 100, number) + _PADDING
        partition = zlib.crc32(key) % PARTITIONS
        while batches[partition].append(timestamp=None, key=key, value=value) is None:
            await producer.send_batch(batches[partition], topic, partition=partition)
            batches[partition] = producer.create_batch()
    for partition, batch in enumerate(batches):
        await producer.send_batch(batch, topic, partition=partition)
    await producer.flush()
    await producer.stop()


def main() -> None:
    """Fills one topic."""
    bootstrap, topic, records, keys = sys.argv[1:5]
    asyncio.run(fill(bootstrap, topic, int(records), int(keys)))


if __name__ == "__main__":
    main()
