"""The database's schema, as numbered steps. A step is never changed once released; a new one is added below."""

import sqlite3
from collections.abc import Callable

from llmops.core.errors import HistoryError


def _first(database: sqlite3.Connection) -> None:
    """Evaluations and their runs."""
    _each(
        database,
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
        """,
    )


def _second(database: sqlite3.Connection) -> None:
    """Whose it is; the set itself, so that a run resumes without its file; single comparisons; learning curves."""
    _each(
        database,
        """
        ALTER TABLE evaluations ADD COLUMN owner TEXT NOT NULL DEFAULT '';
        ALTER TABLE evaluations ADD COLUMN left_out_why TEXT NOT NULL DEFAULT '{}';
        CREATE INDEX evaluations_by_owner ON evaluations (owner);
        CREATE TABLE sets (
            hash TEXT PRIMARY KEY,
            task TEXT NOT NULL,
            texts TEXT NOT NULL
        );
        CREATE TABLE comparisons (
            id INTEGER PRIMARY KEY,
            owner TEXT NOT NULL DEFAULT '',
            created TEXT NOT NULL,
            source TEXT NOT NULL,
            task_id TEXT NOT NULL,
            task_name TEXT NOT NULL,
            labels TEXT NOT NULL,
            text TEXT NOT NULL,
            language TEXT NOT NULL,
            candidates TEXT NOT NULL,
            settings TEXT NOT NULL,
            machine TEXT NOT NULL,
            versions TEXT NOT NULL,
            note TEXT NOT NULL DEFAULT '',
            origin TEXT NOT NULL DEFAULT ''
        );
        CREATE INDEX comparisons_by_owner ON comparisons (owner);
        CREATE TABLE comparison_runs (
            id INTEGER PRIMARY KEY,
            comparison_id INTEGER NOT NULL REFERENCES comparisons(id) ON DELETE CASCADE,
            place INTEGER NOT NULL,
            created TEXT NOT NULL,
            run TEXT NOT NULL
        );
        CREATE INDEX runs_by_comparison ON comparison_runs (comparison_id, id);
        CREATE TABLE curves (
            id INTEGER PRIMARY KEY,
            owner TEXT NOT NULL DEFAULT '',
            created TEXT NOT NULL,
            task_id TEXT NOT NULL,
            task_name TEXT NOT NULL,
            data_hash TEXT NOT NULL,
            base TEXT NOT NULL,
            method TEXT NOT NULL,
            points TEXT NOT NULL,
            lines TEXT NOT NULL,
            settings TEXT NOT NULL,
            machine TEXT NOT NULL,
            versions TEXT NOT NULL,
            note TEXT NOT NULL DEFAULT '',
            origin TEXT NOT NULL DEFAULT ''
        );
        CREATE INDEX curves_by_owner ON curves (owner);
        """,
    )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first, _second)


def migrate(database: sqlite3.Connection) -> None:
    """Bring a database to the newest schema, whole steps only. Raises HistoryError for one of a newer version."""
    if _version(database) == len(MIGRATIONS):
        return
    database.execute("BEGIN IMMEDIATE")  # of two processes that start at once, the second finds it done
    version = _version(database)
    if version > len(MIGRATIONS):
        raise HistoryError(
            f"The history was written by a newer version of llm-ops (schema {version}, known are {len(MIGRATIONS)}).",
            "Update llm-ops, or set LLMOPS_DATA to another place.",
        )
    for number, step in enumerate(MIGRATIONS[version:], version + 1):
        step(database)
        database.execute(f"PRAGMA user_version = {number}")
    database.commit()


def _version(database: sqlite3.Connection) -> int:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return int(version)


def _each(database: sqlite3.Connection, script: str) -> None:
    """Statements one by one: executescript would commit what is begun."""
    for statement in script.split(";"):
        if statement.strip():
            database.execute(statement)
