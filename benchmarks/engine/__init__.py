"""The engine against Kafka Streams, exactly once, on one job after ShuffleBench (Dynatrace and JKU Linz, ICPE '24).

The input has four uncompressed partitions. A key is 16 ASCII bytes: ``y`` and, in 15 digits, a random number below the
number of keys. A value is 1,024 bytes: event time in milliseconds and sequence number, big-endian in 8 bytes each, then
padding. For each record the key's state (count, sum of sequence numbers, first and last time; four big-endian int64) is
read from a durable local store with a Kafka changelog and updated; where the count becomes a multiple of five, it
goes out to a topic of four partitions. The broker is pinned to one core, the worker to the other; the commit interval
is 1 s unless said.
"""
