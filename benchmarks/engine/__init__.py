"""The engine against Kafka Streams, on the job of `shared/peers/JOB.md` (after ShuffleBench)."""
