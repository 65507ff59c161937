"""The revisions of the gateway's own tables."""
