"""Decision and cascade from plain values to plain data: what the named endpoints and the command line share."""

from collections.abc import Mapping
from typing import Any

from llmops.api.programs import check_whole, error_data
from llmops.core.errors import InputError, LlmopsError
from llmops.core.json_object import as_object
from llmops.core.settings import Settings
from llmops.decision.assumptions import NAMES
from llmops.decision.board import make_board, read_assumptions
from llmops.decision.cascade import Bounds, Simulation, simulate
from llmops.history.evaluations import Evaluation, Row
from llmops.history.store import History

_BOUNDS = {"max_cost": 1e9, "max_p95_s": 1e6, "max_leaving": 1.0, "min_macro_f1": 1.0}


def decide_data(
    limits: Settings, evaluation: int | None, given: str | Mapping[str, Any] | None, owner: str = ""
) -> dict[str, Any]:
    """The board of an evaluation, the newest where none is named. given: see board.make_board."""
    try:
        found, rows = kept(History(limits.history_path, owner), evaluation)
        return {**make_board(found, rows, given).to_json(), "error": None}
    except LlmopsError as error:
        return error_data(error, None)


def cascade_data(
    limits: Settings,
    evaluation: int | None,
    first: str,
    second: str,
    given: str | Mapping[str, Any] | None,
    owner: str = "",
) -> dict[str, Any]:
    """A cascade's curve and its best threshold. given: goal, seed, bounds (cascade.Bounds) and assumptions."""
    try:
        found, rows = kept(History(limits.history_path, owner), evaluation)
        made = read_cascade(found, rows, first, second, given)
        about = {"id": found.id, "created": found.created, "task": found.task_name, "machine": found.machine}
        return {"evaluation": about, **made.to_json(), "error": None}
    except LlmopsError as error:
        return error_data(error, None)


def kept(history: History, evaluation: int | None) -> tuple[Evaluation, list[Row]]:
    """An evaluation and its rows; None: the newest one. Raises HistoryError, InputError where nothing is kept."""
    if evaluation is None:
        newest = next(iter(history.evaluations.newest()), None)
        if newest is None:
            raise InputError("No evaluation is kept yet.", "Evaluate first: python -m llmops evaluate.")
        evaluation = newest.id
    return history.evaluations.get(evaluation), history.evaluations.rows(evaluation)


def read_cascade(
    found: Evaluation, rows: list[Row], first: str, second: str, given: str | Mapping[str, Any] | None
) -> Simulation:
    """A simulation from plain values. Raises InputError."""
    data = dict(as_object(given))
    unknown = sorted(set(data) - {"goal", "seed", *_BOUNDS, *NAMES})
    if unknown:
        raise InputError(
            f"Unknown setting: {', '.join(unknown)}.", f"Known: {', '.join(('goal', 'seed', *_BOUNDS, *NAMES))}."
        )
    check_whole({name: value for name, value in data.items() if value is not None}, "seed")
    seed = data.get("seed") or 0
    if not 0 <= seed < 2**32:
        raise InputError(f"seed is 0 to 2³²−1; it is {seed}.", "Correct seed.")
    bounds = Bounds(**{name: _number(name, data.get(name), most) for name, most in _BOUNDS.items()})
    at = read_assumptions(data, found.machine)
    return simulate(rows, first, second, at, bounds, data.get("goal") or "quality", seed)


def _number(name: str, value: object, most: float) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise InputError(f"{name} is a number from 0 to {most:g}; it is {value!r}.", f"Correct {name}.")
    return float(value)
