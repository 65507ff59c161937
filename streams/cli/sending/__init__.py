"""Sends files through the gateway's doors: what each is, its receipt, and what was already sent."""
