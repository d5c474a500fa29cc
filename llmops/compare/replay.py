"""A recorded run as a Run again, and a recorded comparison as the views that the page folds while one runs."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from llmops.core.events import ending
from llmops.core.run import Energy, Memory, Run, RunError, Source, Stage, Timing
from llmops.core.view import View, fold
from llmops.history import comparisons
from llmops.history.database import Database


def views(history: Database, comparison_id: int) -> list[View]:
    """A finished comparison's columns, through the same fold. Raises HistoryError."""
    candidates = comparisons.one(history, comparison_id).candidates
    runs = comparisons.runs(history, comparison_id)
    return [
        View(name) if data is None else fold(View(name), ending(run_of(data)))
        for name, data in zip(candidates, runs, strict=True)
    ]


def run_of(data: Mapping[str, Any]) -> Run:
    """A Run out of `Run.to_json`; names that this version does not know are passed over."""
    made = dict(_known(Run, data))
    made["timing"] = Timing(**_known(Timing, data["timing"]))
    made["memory"] = Memory(**_known(Memory, data["memory"]))
    made["predicted"] = _maybe(Memory, data.get("predicted"))
    made["source"] = {group: Source(name) for group, name in data.get("source", {}).items()}
    made["notes"] = tuple(data.get("notes", ()))
    made["energy"] = _energy(data.get("energy"))
    made["stages"] = tuple(_stage(stage) for stage in data.get("stages", ()))
    made["error"] = _maybe(RunError, data.get("error"))
    return Run(**made)


def _stage(data: Mapping[str, Any]) -> Stage:
    timing, energy = Timing(**_known(Timing, data["timing"])), _energy(data.get("energy"))
    return Stage(**{**_known(Stage, data), "timing": timing, "energy": energy})


def _energy(data: Mapping[str, Any] | None) -> Energy | None:
    return Energy(**{**_known(Energy, data), "covers": tuple(data["covers"])}) if data else None


def _maybe(kind: Any, data: Mapping[str, Any] | None) -> Any:  # noqa: ANN401
    return kind(**_known(kind, data)) if data else None


def _known(kind: Any, data: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in data.items() if name in names}
