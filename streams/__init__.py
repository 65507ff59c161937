"""The pure domain, the engine that runs it, and the commands."""
