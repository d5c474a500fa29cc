"""The database file: opening it, and what is in the way in words. Knows no table.

Every call opens its own connection: SQLite's WAL mode lets many read while one writes, and threads share nothing.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from llmops.core.errors import HistoryError
from llmops.history.migrations import migrate

SHARED = "*"
"""The owner of what everybody may read and nobody may change: the recorded example."""
_BUSY_S = 10.0
_PLACE = "Set LLMOPS_DATA to a place that can be written."


class Database:
    """A database file, as one owner sees it. Raises HistoryError with a remedy where the disk or a lock is in the way.

    owner: whose rows are read, written and deleted; "" is the one user of a private page.
    """

    def __init__(self, path: Path, owner: str = "") -> None:
        self.path, self.owner = path, owner
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HistoryError(f"The history can't be kept in {path.parent} ({error.strerror}).", _PLACE) from error
        with self.open() as database:
            database.execute("PRAGMA journal_mode = WAL")
            migrate(database)

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection; commits at the end, or rolls back."""
        try:
            database = sqlite3.connect(self.path, timeout=_BUSY_S)
            try:
                database.execute("PRAGMA foreign_keys = ON")
                # With WAL a killed process loses nothing; only a machine that loses power may lose the last rows.
                database.execute("PRAGMA synchronous = NORMAL")
                database.execute("PRAGMA secure_delete = ON")  # what is deleted is gone from the file too
                database.execute("PRAGMA trusted_schema = OFF")
                with database:
                    yield database
            finally:
                database.close()
        except sqlite3.Error as error:
            raise HistoryError(f"The history can't be used ({error}).", _remedy(str(error))) from error

    def back_up(self, target: Path) -> None:
        """A consistent copy of the whole file, also while others write."""
        with self.open() as database:
            copy = sqlite3.connect(target)
            try:
                database.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
            finally:
                copy.close()


def _remedy(words: str) -> str:
    if "locked" in words:
        return "Another process is writing; try again in a moment."
    if "full" in words:
        return "Free some space; what was kept before is safe."
    if "not a database" in words or "malformed" in words:
        return "The file is no history: move it away, or set LLMOPS_DATA elsewhere."
    return _PLACE


def now() -> str:
    """The time as the history writes it: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
