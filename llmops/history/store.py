"""The history's database: evaluations and their runs, written as they finish, so that a killed process loses none.

Every call opens its own connection: SQLite's WAL mode lets many read while one writes, and threads share nothing.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llmops.errors import HistoryError
from llmops.history.machine import fingerprint, versions
from llmops.history.migrations import migrate

_BUSY_S = 10.0


@dataclass(frozen=True)
class Evaluation:
    """One evaluation: what was asked of whom, where. left_out: texts that were also examples to learn from."""

    id: int
    created: str
    task_id: str
    task_name: str
    labels: tuple[str, ...]
    data_hash: str
    candidates: tuple[str, ...]
    settings: dict[str, Any]
    left_out: int
    machine: str
    versions: dict[str, str]
    note: str
    origin: str


@dataclass(frozen=True)
class Row:
    """One text through one candidate. y_hat None: unparsed or failed. run: Run.to_json()."""

    candidate: str
    place: int
    repeat: int
    text: str
    language: str
    y_true: str
    y_hat: str | None
    unparsed: bool
    failed: bool
    created: str
    run: dict[str, Any]


class History:
    """A database file. Raises HistoryError with a remedy where the disk or a lock is in the way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HistoryError(f"The history can't be kept in {path.parent} ({error.strerror}).", _PLACE) from error
        with self._open() as database:
            database.execute("PRAGMA journal_mode = WAL")
            migrate(database)

    def begin(
        self,
        task_id: str,
        task_name: str,
        labels: Sequence[str],
        data_hash: str,
        candidates: Sequence[str],
        settings: dict[str, Any],
        left_out: int,
    ) -> int:
        """A new evaluation; its id."""
        values = (
            _now(), task_id, task_name, json.dumps(list(labels)), data_hash, json.dumps(list(candidates)),
            json.dumps(settings, sort_keys=True), left_out, fingerprint(), json.dumps(versions()),
        )  # fmt: skip
        names = "created, task_id, task_name, labels, data_hash, candidates, settings, left_out, machine, versions"
        with self._open() as database:
            made = database.execute(f"INSERT INTO evaluations ({names}) VALUES (?,?,?,?,?,?,?,?,?,?)", values)
            return int(made.lastrowid or 0)

    def add(self, evaluation_id: int, *rows: Row) -> None:
        """Keep runs, all or none; a second one of the same place and repeat is ignored."""
        values = [
            (
                evaluation_id, row.created or _now(), row.candidate, row.place, row.repeat, row.text, row.language,
                row.y_true, row.y_hat, int(row.unparsed), int(row.failed), json.dumps(row.run, ensure_ascii=False),
            )
            for row in rows
        ]  # fmt: skip
        names = "evaluation_id, created, candidate, place, repeat, text, language, y_true, y_hat, unparsed, failed, run"
        with self._open() as database:
            database.executemany(f"INSERT OR IGNORE INTO runs ({names}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", values)

    def rows(self, evaluation_id: int) -> list[Row]:
        """All runs of an evaluation, by candidate and place."""
        names = "candidate, place, repeat, text, language, y_true, y_hat, unparsed, failed, created, run"
        query = f"SELECT {names} FROM runs WHERE evaluation_id = ? ORDER BY candidate, repeat, place"
        with self._open() as database:
            found = database.execute(query, (evaluation_id,)).fetchall()
        return [
            Row(
                candidate,
                place,
                repeat,
                text,
                language,
                y_true,
                y_hat,
                bool(unparsed),
                bool(failed),
                created,
                json.loads(run),
            )
            for candidate, place, repeat, text, language, y_true, y_hat, unparsed, failed, created, run in found
        ]

    def evaluations(self) -> list[Evaluation]:
        """All evaluations, newest first."""
        with self._open() as database:
            found = database.execute(f"SELECT {_COLUMNS} FROM evaluations ORDER BY id DESC").fetchall()
        return [_evaluation(one) for one in found]

    def evaluation(self, evaluation_id: int) -> Evaluation:
        """One evaluation. Raises HistoryError."""
        with self._open() as database:
            query = f"SELECT {_COLUMNS} FROM evaluations WHERE id = ?"
            found = database.execute(query, (evaluation_id,)).fetchone()
        if found is None:
            raise HistoryError(f"There is no evaluation {evaluation_id}.", "List them: python -m llmops history.")
        return _evaluation(found)

    def annotate(self, evaluation_id: int, note: str) -> None:
        """Set the note of an evaluation."""
        self.evaluation(evaluation_id)
        with self._open() as database:
            database.execute("UPDATE evaluations SET note = ? WHERE id = ?", (note, evaluation_id))

    def delete(self, evaluation_id: int) -> None:
        """Remove an evaluation and its runs."""
        self.evaluation(evaluation_id)
        with self._open() as database:
            database.execute("DELETE FROM evaluations WHERE id = ?", (evaluation_id,))

    def take_in(self, other: Path) -> list[int]:
        """Copy another history's evaluations into this one, marked with where they came from; the new ids."""
        if not other.is_file():
            raise HistoryError(f"There is no file {other.name}.", "Give the other machine's history.sqlite.")
        source = History(other)
        known = {(one.created, one.machine, one.data_hash) for one in self.evaluations()}
        added = []
        for one in reversed(source.evaluations()):
            if (one.created, one.machine, one.data_hash) in known:
                continue
            added.append(self._copy(source, one, other.name))
        return added

    def _copy(self, source: "History", one: Evaluation, origin: str) -> int:
        values = (
            one.created, one.task_id, one.task_name, json.dumps(list(one.labels)), one.data_hash,
            json.dumps(list(one.candidates)), json.dumps(one.settings, sort_keys=True), one.left_out, one.machine,
            json.dumps(one.versions), one.note, one.origin or origin,
        )  # fmt: skip
        names = _COLUMNS.removeprefix("id, ")
        with self._open() as database:
            made = database.execute(f"INSERT INTO evaluations ({names}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", values)
            new = int(made.lastrowid or 0)
        self.add(new, *source.rows(one.id))
        return new

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            database = sqlite3.connect(self.path, timeout=_BUSY_S)
            try:
                database.execute("PRAGMA foreign_keys = ON")
                with database:  # commits, or rolls back
                    yield database
            finally:
                database.close()
        except sqlite3.Error as error:
            raise HistoryError(f"The history can't be used ({error}).", _remedy(str(error))) from error


_COLUMNS = "id, created, task_id, task_name, labels, data_hash, candidates, settings, left_out, machine, versions, note"
_COLUMNS += ", origin"
_PLACE = "Set LLMOPS_DATA to a place that can be written."


def _evaluation(found: tuple[Any, ...]) -> Evaluation:
    number, created, task_id, name, labels, digest, candidates, settings, left_out, machine, versions_, note, origin = (
        found
    )
    return Evaluation(
        number,
        created,
        task_id,
        name,
        tuple(json.loads(labels)),
        digest,
        tuple(json.loads(candidates)),
        json.loads(settings),
        left_out,
        machine,
        json.loads(versions_),
        note,
        origin,
    )


def _remedy(words: str) -> str:
    if "locked" in words:
        return "Another process is writing; try again in a moment."
    if "full" in words:
        return "Free some space; what was kept before is safe."
    if "not a database" in words or "malformed" in words:
        return "The file is no history: move it away, or set LLMOPS_DATA elsewhere."
    return _PLACE


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
