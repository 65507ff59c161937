"""A SQLite file that several processes, and several engines of one process, read and write."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sqlalchemy import Column, Engine, Integer, MetaData, Table, func, insert, select

from connectors.vault.database import open_database
from connectors.vault.urls import sqlite_url

TABLES = MetaData()
ROWS = Table("rows", TABLES, Column("number", Integer, primary_key=True))
_WRITER = """
import sys, sqlite3
connection = sqlite3.connect(sys.argv[1])
connection.execute("INSERT INTO rows VALUES (?)", [int(sys.argv[2])])
connection.commit()
connection.close()
"""


def count(engine: Engine) -> int:
    """Returns how many rows an engine sees."""
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(ROWS)) or 0


def test_what_another_process_wrote_is_seen_by_all_engines_of_this_one(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    first = open_database(sqlite_url(path), TABLES)
    assert count(first) == 0
    second = open_database(sqlite_url(path), TABLES)

    for number in range(3):
        subprocess.run([sys.executable, "-c", _WRITER, str(path), str(number)], check=True)
    with second.begin() as connection:
        connection.execute(insert(ROWS).values(number=3))

    assert (count(first), count(second)) == (4, 4)
    assert count(open_database(sqlite_url(path), TABLES)) == 4
    assert path.stat().st_mode & 0o077 == 0
