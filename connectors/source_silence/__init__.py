"""Tells when a source falls silent and when it is back, by what usually lies between two of its events."""
