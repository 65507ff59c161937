"""The gateway: the doors over HTTP through which messages and statements come in."""
