"""Brings a database's tables to the version that this code knows, by Alembic, one process at a time.

A folder of revisions, ``v0001_<what>.py`` and so on, belongs to the owner of the tables; the version stands in a table
of its own, since several owners may share one database.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, String, Table, inspect, select

from connectors.vault.locking import hold_alone

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_ENVIRONMENT = Path(__file__).parent / "environment"


class NewerDatabaseError(Exception):
    """Raised where a later release has changed the database: this one would harm what it doesn't know."""

    def __init__(self, version: str, newest: str) -> None:
        """Takes the database's version, and the newest that this code knows."""
        super().__init__(
            f"its tables are of version {version}, and this release knows them up to {newest}: run the release that "
            "made them, or restore a backup from before"
        )


@dataclass(frozen=True)
class Migrations:
    """The revisions of one owner's tables; ``name`` tells its version table from those of others."""

    name: str
    folder: Path

    @cached_property
    def versions(self) -> tuple[str, ...]:
        """Returns the revisions that this code knows, oldest first."""
        return tuple(sorted(path.name.partition("_")[0] for path in self.folder.glob("v[0-9]*_*.py")))

    @property
    def version_table(self) -> str:
        """Returns the name of the table in which the version stands."""
        return f"{self.name}_version"

    def upgrade(self, engine: Engine) -> None:
        """Brings the tables to the newest version; blocks while another process does.

        A kill leaves the version before, or the newest: one transaction does all of it. Raises NewerDatabaseError
        where the database is ahead of this code, and SQLAlchemyError.
        """
        with engine.connect() as connection:
            version = self.version_of(connection)
        if version == self.versions[-1]:
            return
        with engine.begin() as connection:
            hold_alone(connection, self.version_table)
            version = self.version_of(connection)  # another process may have been quicker
            if version not in {None, *self.versions}:
                raise NewerDatabaseError(str(version), self.versions[-1])
            if version != self.versions[-1]:
                self._run(connection)

    def version_of(self, connection: Connection) -> str | None:
        """Returns the database's version, or None where it has none yet."""
        if not inspect(connection).has_table(self.version_table):
            return None
        table = Table(self.version_table, MetaData(), Column("version_num", String(32)))
        version: str | None = connection.scalar(select(table.c.version_num))
        return version

    def _run(self, connection: Connection) -> None:
        # Imported here since it is slow to import, and all but the first start after an upgrade do without.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", _escaped(_ENVIRONMENT))
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", _escaped(self.folder))
        config.attributes.update(connection=connection, version_table=self.version_table)
        command.upgrade(config, "head")


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")
