"""The two stages: what each does with a partition's records, on top of the engine and the pure domain."""
