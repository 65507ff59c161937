"""The `brobygger` command: one file a command or group, each read only when it is asked for."""
