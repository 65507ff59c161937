"""Lists: rows read, compared with what they said before, taken or refused one by one."""
