"""The revisions of the read model's tables."""
