"""Signed webhooks (Standard Webhooks): every record of a programme's handover topic, brought to its endpoint."""
