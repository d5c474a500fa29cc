"""Evaluations and their runs, written as they finish, so that a killed process loses none."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from llmops.core.errors import HistoryError
from llmops.core.run import Run
from llmops.hardware.fingerprint import fingerprint, versions
from llmops.history.database import SHARED, Database, now, read_run
from llmops.history.sets import LabelledSet


@dataclass(frozen=True)
class Evaluation:
    """One evaluation: what was asked of whom, where.

    left_out: texts that a candidate had learnt from; left_out_why: reason → how many.
    origin: the file it was taken in from, "recorded" for the app's own example, "" for what was run here.
    """

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


class History(Database):
    """A database file, as one owner sees it; see Database."""

    def begin(
        self,
        task_id: str,
        task_name: str,
        labels: Sequence[str],
        data_hash: str,
        candidates: Sequence[str],
        settings: dict[str, Any],
        left_out: int,
        left_out_why: dict[str, int] | None = None,
        labelled: LabelledSet | None = None,
    ) -> int:
        """A new evaluation; its id. labelled: kept once a hash, so that it can be resumed without its file."""
        values = (
            now(), task_id, task_name, json.dumps(list(labels)), data_hash, json.dumps(list(candidates)),
            json.dumps(settings, sort_keys=True), left_out, fingerprint(), json.dumps(versions()), "", "",
            json.dumps(left_out_why or {}, ensure_ascii=False),
        )  # fmt: skip
        with self.open() as database:
            if labelled is not None:
                _keep_set(database, data_hash, labelled)
            return _insert(database, values, self.owner)

    def add(self, evaluation_id: int, row: Row) -> None:
        """Keep one run; a second one of the same place and repeat is ignored."""
        self.add_all(evaluation_id, [row])

    def add_all(self, evaluation_id: int, rows: Sequence[Row]) -> None:
        """Keep runs, all or none of them."""
        with self.open() as database:
            database.executemany(_INSERT_RUN, [_run_values(evaluation_id, row) for row in rows])

    def rows(self, evaluation_id: int) -> list[Row]:
        """All runs of an evaluation, by candidate (in the order they were chosen), repeat and place."""
        return [_row(values) for values in self._select(f"{_ANSWER}, r.run", "", (evaluation_id,))]

    def verdicts(self, evaluation_id: int) -> list[LabelledAnswer]:
        """The first repeat's answers without their runs: quick, for tables."""
        return [_answer(values) for values in self._select(_ANSWER, "AND r.repeat = 0", (evaluation_id,))]

    def answers(self, evaluation_id: int, place: int) -> list[Row]:
        """All runs of one text."""
        return [_row(values) for values in self._select(f"{_ANSWER}, r.run", "AND r.place = ?", (evaluation_id, place))]

    def _select(self, columns: str, condition: str, values: tuple[int, ...]) -> list[tuple[Any, ...]]:
        query = f"""SELECT {columns} FROM runs r JOIN evaluations e ON e.id = r.evaluation_id
            WHERE r.evaluation_id = ? {condition} AND e.owner IN (?, ?) ORDER BY r.candidate, r.repeat, r.place"""
        with self.open() as database:
            found = database.execute(query, (*values, self.owner, SHARED)).fetchall()
            chosen = database.execute("SELECT candidates FROM evaluations WHERE id = ?", values[:1]).fetchone()
        order = {name: number for number, name in enumerate(json.loads(chosen[0]) if chosen else ())}
        return sorted(found, key=lambda columns: order.get(columns[0], len(order)))

    def done(self, evaluation_id: int, candidate: str) -> set[tuple[int, int]]:
        """(repeat, place) of what a candidate has answered."""
        with self.open() as database:
            query = "SELECT repeat, place FROM runs WHERE evaluation_id = ? AND candidate = ?"
            return set(database.execute(query, (evaluation_id, candidate)).fetchall())

    def evaluations(self) -> list[Evaluation]:
        """The owner's evaluations and the shared ones, newest first; shared ones last."""
        query = f"SELECT {_COLUMNS} FROM evaluations WHERE owner IN (?, ?) ORDER BY owner = ?, created DESC, id DESC"
        with self.open() as database:
            found = database.execute(query, (self.owner, SHARED, SHARED)).fetchall()
        return [_evaluation(one) for one in found]

    def evaluation(self, evaluation_id: int) -> Evaluation:
        """One evaluation. Raises HistoryError."""
        with self.open() as database:
            query = f"SELECT {_COLUMNS} FROM evaluations WHERE id = ? AND owner IN (?, ?)"
            found = database.execute(query, (evaluation_id, self.owner, SHARED)).fetchone()
        if found is None:
            raise HistoryError(f"There is no evaluation {evaluation_id}.", "List them: python -m llmops history.")
        return _evaluation(found)

    def labelled(self, evaluation_id: int) -> LabelledSet:
        """The set of an evaluation. Raises HistoryError where it was not kept."""
        digest = self.evaluation(evaluation_id).data_hash
        with self.open() as database:
            found = database.execute("SELECT task, texts FROM sets WHERE hash = ?", (digest,)).fetchone()
        if found is None:
            raise HistoryError(f"The texts of evaluation {evaluation_id} were not kept.", "Begin anew.")
        return LabelledSet.from_json(*found)

    def annotate(self, evaluation_id: int, note: str) -> None:
        """Set the note of an evaluation."""
        self._own(evaluation_id)
        with self.open() as database:
            database.execute("UPDATE evaluations SET note = ? WHERE id = ?", (note, evaluation_id))

    def delete(self, evaluation_id: int) -> None:
        """Remove an evaluation, its runs, and its texts where no other one has them."""
        self._own(evaluation_id)
        with self.open() as database:
            database.execute("DELETE FROM evaluations WHERE id = ?", (evaluation_id,))
            database.execute("DELETE FROM sets WHERE hash NOT IN (SELECT data_hash FROM evaluations)")

    def put(self, one: Evaluation, rows: Sequence[Row], labelled: LabelledSet | None, origin: str) -> int:
        """A whole evaluation from elsewhere, all or nothing; its id here."""
        values = (
            one.created, one.task_id, one.task_name, json.dumps(list(one.labels)), one.data_hash,
            json.dumps(list(one.candidates)), json.dumps(one.settings, sort_keys=True), one.left_out, one.machine,
            json.dumps(one.versions), one.note, origin, json.dumps(one.left_out_why, ensure_ascii=False),
        )  # fmt: skip
        with self.open() as database:
            if labelled is not None:
                _keep_set(database, one.data_hash, labelled)
            new = _insert(database, values, self.owner)
            database.executemany(_INSERT_RUN, [_run_values(new, row) for row in rows])
            return new

    def _own(self, evaluation_id: int) -> None:
        self.evaluation(evaluation_id)
        with self.open() as database:
            query = "SELECT owner FROM evaluations WHERE id = ?"
            (owner,) = database.execute(query, (evaluation_id,)).fetchone()
        if owner != self.owner:
            raise HistoryError("The recorded example comes with the app; it stays as it is.", "Choose one of yours.")


_COLUMNS = (
    "id, created, task_id, task_name, labels, data_hash, candidates, settings, left_out, machine, versions, note, "
    "origin, left_out_why"
)
_ANSWER = "r.candidate, r.place, r.repeat, r.text, r.language, r.y_true, r.y_hat, r.unparsed, r.failed, r.created"
_INSERT_RUN = """INSERT OR IGNORE INTO runs
    (evaluation_id, created, candidate, place, repeat, text, language, y_true, y_hat, unparsed, failed, run)
    VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"""


def _insert(database: sqlite3.Connection, values: tuple[Any, ...], owner: str) -> int:
    names = _COLUMNS.removeprefix("id, ") + ", owner"
    made = database.execute(
        f"INSERT INTO evaluations ({names}) VALUES ({','.join('?' * (len(values) + 1))})", (*values, owner)
    )
    return int(made.lastrowid or 0)


def _keep_set(database: sqlite3.Connection, digest: str, labelled: LabelledSet) -> None:
    database.execute("INSERT OR IGNORE INTO sets (hash, task, texts) VALUES (?,?,?)", (digest, *labelled.to_json()))


def _run_values(evaluation_id: int, row: Row) -> tuple[Any, ...]:
    return (
        evaluation_id, row.created or now(), row.candidate, row.place, row.repeat, row.text, row.language,
        row.y_true, row.y_hat, int(row.unparsed), int(row.failed), json.dumps(row.run.to_json(), ensure_ascii=False),
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


def _evaluation(found: tuple[Any, ...]) -> Evaluation:
    number, created, task_id, name, labels, digest, candidates, settings, left_out, machine, made_with, *rest = found
    note, origin, why = rest
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
        json.loads(made_with),
        note,
        origin,
        json.loads(why),
    )
