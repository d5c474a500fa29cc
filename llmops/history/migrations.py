"""The database's schema, as numbered steps. A step is never changed once released; a new one is added below."""

import sqlite3
from collections.abc import Callable

from llmops.errors import HistoryError


def _first(database: sqlite3.Connection) -> None:
    """Evaluations and their runs."""
    database.executescript(
        """
        CREATE TABLE evaluations (
            id INTEGER PRIMARY KEY,
            created TEXT NOT NULL,
            task_id TEXT NOT NULL,
            task_name TEXT NOT NULL,
            labels TEXT NOT NULL,
            data_hash TEXT NOT NULL,
            candidates TEXT NOT NULL,
            settings TEXT NOT NULL,
            left_out INTEGER NOT NULL,
            machine TEXT NOT NULL,
            versions TEXT NOT NULL,
            note TEXT NOT NULL DEFAULT '',
            origin TEXT NOT NULL DEFAULT ''
        );
        CREATE TABLE runs (
            id INTEGER PRIMARY KEY,
            evaluation_id INTEGER NOT NULL REFERENCES evaluations(id) ON DELETE CASCADE,
            created TEXT NOT NULL,
            candidate TEXT NOT NULL,
            place INTEGER NOT NULL,
            repeat INTEGER NOT NULL,
            text TEXT NOT NULL,
            language TEXT NOT NULL,
            y_true TEXT NOT NULL,
            y_hat TEXT,
            unparsed INTEGER NOT NULL,
            failed INTEGER NOT NULL,
            run TEXT NOT NULL,
            UNIQUE (evaluation_id, candidate, place, repeat)
        );
        CREATE INDEX runs_by_evaluation ON runs (evaluation_id, candidate, place);
        """
    )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first,)


def migrate(database: sqlite3.Connection) -> None:
    """Bring a database to the newest schema. Raises HistoryError for one that a newer version has written."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise HistoryError(
            f"The history was written by a newer version of llm-ops (schema {version}, known are {len(MIGRATIONS)}).",
            "Update llm-ops, or set LLMOPS_DATA to another place.",
        )
    for number, step in enumerate(MIGRATIONS[version:], version + 1):
        step(database)
        database.execute(f"PRAGMA user_version = {number}")
        database.commit()
