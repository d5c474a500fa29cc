"""Single comparisons: one text, its candidates, and their runs, kept as they end."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmops.core.errors import HistoryError
from llmops.core.run import Run
from llmops.hardware.fingerprint import fingerprint, versions
from llmops.history.database import SHARED, Database, now, read_run


@dataclass(frozen=True)
class Comparison:
    """One text through several candidates. source: page, api or command. labels: label id → name in its language."""

    id: int
    created: str
    source: str
    task_id: str
    task_name: str
    labels: dict[str, str]
    text: str
    language: str
    candidates: tuple[str, ...]
    settings: dict[str, Any]
    machine: str
    versions: dict[str, str]
    note: str
    origin: str


def begin(
    history: Database,
    source: str,
    task_id: str,
    task_name: str,
    labels: dict[str, str],
    text: str,
    language: str,
    candidates: Sequence[str],
    settings: dict[str, Any],
) -> int:
    """A new comparison; its id."""
    made = Comparison(
        0, now(), source, task_id, task_name, labels, text, language, tuple(candidates), settings,
        fingerprint(), versions(), "", "",
    )  # fmt: skip
    return _insert(history, made)


def add(history: Database, comparison_id: int, place: int, run: Run) -> None:
    """Keep a run of one candidate; a retry is one more, and the last one counts."""
    with history.open() as database:
        database.execute(
            "INSERT INTO comparison_runs (comparison_id, place, created, run) VALUES (?,?,?,?)",
            (comparison_id, place, now(), json.dumps(run.to_json(), ensure_ascii=False)),
        )


def found(history: Database, most: int = 500) -> list[Comparison]:
    """The owner's comparisons, newest first."""
    query = f"SELECT {_COLUMNS} FROM comparisons WHERE owner IN (?, ?) ORDER BY created DESC, id DESC LIMIT ?"
    with history.open() as database:
        return [_comparison(one) for one in database.execute(query, (history.owner, SHARED, most))]


def one(history: Database, comparison_id: int) -> Comparison:
    """One comparison. Raises HistoryError."""
    query = f"SELECT {_COLUMNS} FROM comparisons WHERE id = ? AND owner IN (?, ?)"
    with history.open() as database:
        row = database.execute(query, (comparison_id, history.owner, SHARED)).fetchone()
    if row is None:
        raise HistoryError(f"There is no comparison {comparison_id}.", "List them: python -m llmops history.")
    return _comparison(row)


def runs(history: Database, comparison_id: int) -> list[Run | None]:
    """The last run of each candidate, in the candidates' order; None where it has none."""
    candidates = one(history, comparison_id).candidates
    with history.open() as database:
        query = "SELECT place, run FROM comparison_runs WHERE comparison_id = ? ORDER BY id"
        last = dict(database.execute(query, (comparison_id,)).fetchall())
    return [read_run(last[place]) if place in last else None for place in range(len(candidates))]


def annotate(history: Database, comparison_id: int, note: str) -> None:
    """Set the note of a comparison."""
    one(history, comparison_id)
    with history.open() as database:
        database.execute(
            "UPDATE comparisons SET note = ? WHERE id = ? AND owner = ?", (note, comparison_id, history.owner)
        )


def delete(history: Database, comparison_id: int) -> None:
    """Remove a comparison and its runs."""
    one(history, comparison_id)
    with history.open() as database:
        database.execute("DELETE FROM comparisons WHERE id = ? AND owner = ?", (comparison_id, history.owner))


def copy(source: Database, target: Database, origin: str) -> None:
    """Every comparison of one history into another, each once."""
    known = {(each.created, each.machine, each.text) for each in found(target, -1)}
    for each in reversed(found(source, -1)):
        if (each.created, each.machine, each.text) not in known:
            new = _insert(target, each, each.origin or origin)
            for place, run in enumerate(runs(source, each.id)):
                if run is not None:
                    add(target, new, place, run)


_COLUMNS = (
    "id, created, source, task_id, task_name, labels, text, language, candidates, settings, machine, versions, note, "
    "origin"
)


def _insert(history: Database, made: Comparison, origin: str = "") -> int:
    values = (
        made.created, made.source, made.task_id, made.task_name, json.dumps(made.labels, ensure_ascii=False),
        made.text, made.language, json.dumps(list(made.candidates)), json.dumps(made.settings, sort_keys=True),
        made.machine, json.dumps(made.versions), made.note, origin, history.owner,
    )  # fmt: skip
    names = _COLUMNS.removeprefix("id, ") + ", owner"
    with history.open() as database:
        query = f"INSERT INTO comparisons ({names}) VALUES ({','.join('?' * len(values))})"
        return int(database.execute(query, values).lastrowid or 0)


def _comparison(row: Sequence[Any]) -> Comparison:
    number, created, source, task_id, name, labels, text, language, candidates, settings, machine, *rest = row
    made_with, note, origin = rest
    return Comparison(
        number, created, source, task_id, name, json.loads(labels), text, language, tuple(json.loads(candidates)),
        json.loads(settings), machine, json.loads(made_with), note, origin,
    )  # fmt: skip
