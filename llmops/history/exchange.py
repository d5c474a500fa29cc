"""Histories that come and go: another machine's file taken in, one's own handed out. A file from elsewhere is read
from a copy, and only if it holds nothing but tables.
"""

import shutil
import sqlite3
import tempfile
from pathlib import Path

from llmops.core.errors import HistoryError
from llmops.history.store import History

_MAGIC = b"SQLite format 3\x00"


def take_in(history: History, other: Path, name: str = "") -> list[int]:
    """Copy another history's evaluations, comparisons and curves into this one, each once, marked with the file's name.

    Returns the evaluations' new ids. Raises HistoryError.
    """
    if not other.is_file():
        raise HistoryError(f"There is no file {other.name}.", "Give the other machine's history.sqlite.")
    with other.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise HistoryError(f"{other.name} is no history.", "Give the other machine's history.sqlite.")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "taken.sqlite"
        for ending in ("", "-wal"):  # a running app's newest rows are still beside the file
            if (beside := other.with_name(other.name + ending)).is_file():
                shutil.copyfile(beside, copy.with_name(copy.name + ending))
        _check(copy)
        return _all(history, copy, name or other.name)


def hand_out(history: History, target: Path) -> None:
    """The owner's own evaluations, comparisons and curves as a history file of their own."""
    made = History(target)
    _all(made, history.path, "", history.owner)
    with made.open() as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _all(history: History, path: Path, origin: str, owner: str | None = None) -> list[int]:
    """The evaluations' new ids. owner None: everybody's in that file."""
    added: list[int] = []
    for name in owners(path) if owner is None else (owner,):
        source = History(path, name)
        for kind, repository in history.kinds.items():
            numbers = repository.take_in(source.kinds[kind], origin)
            added += numbers if kind == "evaluation" else []
    return added


def owners(path: Path) -> list[str]:
    """Whose records a file holds."""
    history = History(path)
    with history.open() as connection:
        query = " UNION ".join(f"SELECT owner FROM {kind.table}" for kind in history.kinds.values())
        return [owner for (owner,) in connection.execute(query)]


def _check(path: Path) -> None:
    """Nothing in it may run: no triggers, no views. Raises HistoryError."""
    try:
        database = sqlite3.connect(path)
        try:
            kinds = {kind for (kind,) in database.execute("SELECT type FROM sqlite_schema")}
            (tables,) = database.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'evaluations'").fetchone()
        finally:
            database.close()
    except sqlite3.Error as error:
        raise HistoryError(f"The file can't be read ({error}).", "Give the other machine's history.sqlite.") from error
    if not kinds <= {"table", "index"} or not tables:
        raise HistoryError("The file is no history of llm-ops.", "Give the other machine's history.sqlite.")
