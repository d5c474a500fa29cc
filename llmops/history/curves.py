"""Learning curves: an encoder's accuracy against the examples it learnt from, beside what decoders reach with none."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmops.core.errors import HistoryError
from llmops.hardware.fingerprint import fingerprint, versions
from llmops.history.database import SHARED, Database, now


@dataclass(frozen=True)
class CurvePoint:
    """One training: k examples a class, drawn with a seed; accuracy and macro-F1 on the held-out texts."""

    k: int
    seed: int
    accuracy: float
    macro_f1: float
    train_s: float


@dataclass(frozen=True)
class Curve:
    """Points of one base encoder and method. lines: candidate → its accuracy on the same texts without any example."""

    id: int
    created: str
    task_id: str
    task_name: str
    data_hash: str
    base: str
    method: str
    points: tuple[CurvePoint, ...]
    lines: dict[str, float]
    settings: dict[str, Any]
    machine: str
    versions: dict[str, str]
    note: str
    origin: str


def keep(
    history: Database,
    task_id: str,
    task_name: str,
    data_hash: str,
    base: str,
    method: str,
    points: Sequence[CurvePoint],
    lines: dict[str, float],
    settings: dict[str, Any],
) -> int:
    """Keep a curve; its id."""
    made = Curve(
        0, now(), task_id, task_name, data_hash, base, method, tuple(points), lines, settings, fingerprint(),
        versions(), "", "",
    )  # fmt: skip
    return _insert(history, made)


def found(history: Database) -> list[Curve]:
    """The owner's curves and the shared ones, newest first."""
    query = f"SELECT {_COLUMNS} FROM curves WHERE owner IN (?, ?) ORDER BY owner = ?, created DESC, id DESC"
    with history.open() as database:
        return [_curve(one) for one in database.execute(query, (history.owner, SHARED, SHARED))]


def one(history: Database, curve_id: int) -> Curve:
    """One curve. Raises HistoryError."""
    row = next((each for each in found(history) if each.id == curve_id), None)
    if row is None:
        raise HistoryError(f"There is no learning curve {curve_id}.", "List them: python -m llmops history.")
    return row


def annotate(history: Database, curve_id: int, note: str) -> None:
    """Set the note of a curve."""
    one(history, curve_id)
    with history.open() as database:
        database.execute("UPDATE curves SET note = ? WHERE id = ? AND owner = ?", (note, curve_id, history.owner))


def delete(history: Database, curve_id: int) -> None:
    """Remove a curve."""
    one(history, curve_id)
    with history.open() as database:
        database.execute("DELETE FROM curves WHERE id = ? AND owner = ?", (curve_id, history.owner))


def copy(source: Database, target: Database, origin: str) -> None:
    """Every curve of one history into another, each once."""
    known = {(each.created, each.machine, each.base) for each in found(target)}
    for each in reversed(found(source)):
        if each.origin != "recorded" and (each.created, each.machine, each.base) not in known:
            _insert(target, each, each.origin or origin)


_COLUMNS = (
    "id, created, task_id, task_name, data_hash, base, method, points, lines, settings, machine, versions, note, origin"
)


def _insert(history: Database, made: Curve, origin: str = "") -> int:
    values = (
        made.created, made.task_id, made.task_name, made.data_hash, made.base, made.method,
        json.dumps([vars(point) for point in made.points]), json.dumps(made.lines),
        json.dumps(made.settings, sort_keys=True), made.machine, json.dumps(made.versions), made.note, origin,
        history.owner,
    )  # fmt: skip
    names = _COLUMNS.removeprefix("id, ") + ", owner"
    with history.open() as database:
        query = f"INSERT INTO curves ({names}) VALUES ({','.join('?' * len(values))})"
        return int(database.execute(query, values).lastrowid or 0)


def _curve(row: Sequence[Any]) -> Curve:
    number, created, task_id, name, digest, base, method, points, lines, settings, machine, made_with, note, origin = (
        row
    )
    return Curve(
        number, created, task_id, name, digest, base, method,
        tuple(CurvePoint(**one) for one in json.loads(points)), json.loads(lines), json.loads(settings), machine,
        json.loads(made_with), note, origin,
    )  # fmt: skip
