"""The log read as a whole: snapshots and copies of it, refolding, comparing, accounting."""
