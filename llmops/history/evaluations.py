"""Evaluations and their rows, written as they finish, so that a killed process loses none."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from llmops.core.errors import HistoryError
from llmops.core.run import Run
from llmops.history.database import SHARED, now
from llmops.history.repository import HistoryRecord, Parts, Repository, read_run
from llmops.history.sets import LabelledSet


@dataclass(frozen=True, kw_only=True)
class Evaluation(HistoryRecord):
    """One evaluation: what was asked of whom, where.

    left_out: texts that a candidate had learnt from; left_out_why: reason → how many.
    """

    labels: tuple[str, ...]
    data_hash: str
    candidates: tuple[str, ...]
    left_out: int
    left_out_why: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class LabelledAnswer:
    """What one candidate said of one text. y_hat None: unparsed or failed. place: number of the text in its set."""

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


@dataclass(frozen=True)
class Row(LabelledAnswer):
    """One text through one candidate: the answer, and the run it came from."""

    run: Run


_ANSWER = "candidate, place, repeat, text, language, y_true, y_hat, unparsed, failed, created"


class Evaluations(Repository[Evaluation]):
    """The evaluations, their rows, and their labelled sets, each of which is kept once a hash."""

    record = Evaluation
    table = "evaluations"
    noun = "evaluation"
    json_columns = ("settings", "versions", "labels", "candidates", "left_out_why")
    identity = ("created", "machine", "data_hash")
    parts = Parts("runs", "evaluation_id", f"{_ANSWER}, run")

    def add_with_set(self, record: Evaluation, labelled: LabelledSet) -> int:
        """A new evaluation with its texts, so that it can be resumed without its file; its id."""
        with self._database.open() as connection:
            _keep_set(connection, record.data_hash, labelled.to_json())
            return self._insert(connection, record)

    def add_rows(self, number: int, rows: Sequence[Row]) -> None:
        """Keep rows, all or none of them; a second one of the same place and repeat is ignored."""
        query = f"INSERT OR IGNORE INTO runs (evaluation_id, {_ANSWER}, run) VALUES ({','.join('?' * 12)})"
        with self._database.open() as connection:
            connection.executemany(query, [_row_values(number, row) for row in rows])

    def rows(self, number: int) -> list[Row]:
        """All rows of an evaluation, by candidate (in the order they were chosen), repeat and place."""
        return [_row(values) for values in self._select(f"{_ANSWER}, run", "", (number,))]

    def verdicts(self, number: int) -> list[LabelledAnswer]:
        """The first repeat's answers without their runs: quick, for tables."""
        return [_answer(values) for values in self._select(_ANSWER, "AND repeat = 0", (number,))]

    def answers(self, number: int, place: int) -> list[Row]:
        """All rows of one text."""
        return [_row(values) for values in self._select(f"{_ANSWER}, run", "AND place = ?", (number, place))]

    def _select(self, columns: str, condition: str, values: tuple[int, ...]) -> list[tuple[Any, ...]]:
        query = f"""SELECT {columns} FROM runs WHERE evaluation_id = ? {condition} AND evaluation_id IN
            (SELECT id FROM evaluations WHERE owner IN (?, ?)) ORDER BY candidate, repeat, place"""
        with self._database.open() as connection:
            found = connection.execute(query, (*values, self._database.owner, SHARED)).fetchall()
            chosen = connection.execute("SELECT candidates FROM evaluations WHERE id = ?", values[:1]).fetchone()
        order = {name: number for number, name in enumerate(json.loads(chosen[0]) if chosen else ())}
        return sorted(found, key=lambda values: order.get(values[0], len(order)))

    def count_rows(self, number: int) -> int:
        """How many rows an evaluation has so far."""
        with self._database.open() as connection:
            query = "SELECT count(*) FROM runs WHERE evaluation_id = ?"
            return int(connection.execute(query, (number,)).fetchone()[0])

    def answered(self, number: int, candidate: str) -> set[tuple[int, int]]:
        """(repeat, place) of what a candidate has answered."""
        with self._database.open() as connection:
            query = "SELECT repeat, place FROM runs WHERE evaluation_id = ? AND candidate = ?"
            return set(connection.execute(query, (number, candidate)).fetchall())

    def labelled(self, number: int) -> LabelledSet:
        """The set of an evaluation. Raises HistoryError where it was not kept."""
        digest = self.get(number).data_hash
        with self._database.open() as connection:
            kept = _kept_set(connection, digest)
        if kept is None:
            raise HistoryError(f"The texts of evaluation {number} were not kept.", "Begin anew.")
        return LabelledSet.from_json(*kept)

    def _copy_more(self, connection: sqlite3.Connection, source: Repository[Evaluation], record: Evaluation) -> None:
        with source._database.open() as theirs:
            kept = _kept_set(theirs, record.data_hash)
        if kept is not None:
            _keep_set(connection, record.data_hash, LabelledSet.from_json(*kept).to_json())

    def _clean(self, connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM sets WHERE hash NOT IN (SELECT data_hash FROM evaluations)")


def _kept_set(connection: sqlite3.Connection, digest: str) -> tuple[str, str] | None:
    found: tuple[str, str] | None = connection.execute(
        "SELECT task, texts FROM sets WHERE hash = ?", (digest,)
    ).fetchone()
    return found


def _keep_set(connection: sqlite3.Connection, digest: str, labelled: tuple[str, str]) -> None:
    connection.execute("INSERT OR IGNORE INTO sets (hash, task, texts) VALUES (?,?,?)", (digest, *labelled))


def _row_values(number: int, row: Row) -> tuple[Any, ...]:
    return (
        number, row.candidate, row.place, row.repeat, row.text, row.language, row.y_true, row.y_hat,
        int(row.unparsed), int(row.failed), row.created or now(), json.dumps(row.run.to_json(), ensure_ascii=False),
    )  # fmt: skip


def _row(values: Sequence[Any]) -> Row:
    candidate, place, repeat, text, language, y_true, y_hat, unparsed, failed, created, run = values
    return Row(
        candidate, place, repeat, text, language, y_true, y_hat, bool(unparsed), bool(failed), created, read_run(run)
    )


def _answer(values: Sequence[Any]) -> LabelledAnswer:
    candidate, place, repeat, text, language, y_true, y_hat, unparsed, failed, created = values
    return LabelledAnswer(
        candidate, place, repeat, text, language, y_true, y_hat, bool(unparsed), bool(failed), created
    )
