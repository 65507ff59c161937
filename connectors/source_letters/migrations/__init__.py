"""Revisions of the tables of letters to sources, oldest first; Alembic runs them in ``connectors.vault.migrating``."""
