"""The pure domain: what follows from the facts about one young person.

Imports only ``schemas`` and the standard library; has no clock, no randomness, no I/O and no logging.
"""
