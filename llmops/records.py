"""Evaluation, history, learning curve and export from plain values to plain data: what the endpoints share.

A wrong value is an `error` in the answer. `given` is a JSON object as text or mapping.
"""

import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llmops.engines.base import Connection
from llmops.errors import InputError, LlmopsError
from llmops.evaluation.batches import USUAL, How
from llmops.evaluation.ladder import rungs
from llmops.evaluation.runner import Begun, Ended, evaluate, resume
from llmops.evaluation.side_by_side import side_by_side
from llmops.evaluation.summary import summary
from llmops.history import comparisons, curves
from llmops.history.export import export
from llmops.history.store import History
from llmops.inputs import as_object, read_flag, read_settings
from llmops.labelled import from_objects
from llmops.pool import Pool
from llmops.programs import check_whole, error_data
from llmops.settings import Settings
from llmops.task import load_builtin


def evaluate_data(
    pool: Pool,
    task_id: str,
    candidates: list[str],
    given: str | Mapping[str, Any] | None,
    limits: Settings,
    stop: threading.Event,
    owner: str = "",
) -> dict[str, Any]:
    """Labelled texts through candidates. given: texts (else the held-out split), how it is done, settings."""
    connection: Connection | None = None
    try:
        history = History(limits.history_path, owner)
        task = load_builtin(task_id)
        data = dict(as_object(given))
        check_whole(data, "repeats", "resume")
        repeats, number, texts, ladder = (data.pop(name, None) for name in ("repeats", "resume", "texts", "ladder"))
        how = How(read_flag(data, "batched", USUAL.batched), read_flag(data, "verdict_only", USUAL.verdict_only))
        options = read_settings({k: v for k, v in data.items() if k not in how.record()}, task, "", limits)
        connection = options.connection
        notes: list[str] = []
        if number is not None:
            work = resume(pool, history, number, connection, stop)
        else:
            labelled = None if texts is None else from_objects(texts, task)
            notes = labelled.said() if labelled else []
            examples = labelled.examples if labelled else task.split("test")
            chosen = [*candidates, *(rungs(ladder) if ladder else ())]
            work = evaluate(pool, task, examples, chosen, options, history, stop, repeats=repeats or 1, how=how)
        ended: list[Ended] = []
        for update in work:
            number = update.evaluation_id if isinstance(update, Begun) else number
            ended += [update] if isinstance(update, Ended) else []
        errors = {one.candidate: asdict(one.error) if one.error else None for one in ended}
        return {**summary(history, number or 0), "ended": errors, "notes": notes, "error": None}
    except LlmopsError as error:
        return error_data(error, connection)


def history_data(
    limits: Settings, evaluation: int | None, other: int | None = None, comparison: int | None = None, owner: str = ""
) -> dict[str, Any]:
    """Everything that is kept; or one evaluation, two of them side by side, or one comparison with its runs."""
    try:
        history = History(limits.history_path, owner)
        if comparison is not None:
            one = comparisons.one(history, comparison)
            return {"comparison": asdict(one), "runs": comparisons.runs(history, comparison), "error": None}
        if evaluation is not None and other is not None:
            return {"side_by_side": side_by_side(history, evaluation, other).to_json(), "error": None}
        if evaluation is not None:
            return {**summary(history, evaluation), "error": None}
        return {
            "evaluations": [asdict(one) for one in history.evaluations()],
            "comparisons": [asdict(one) for one in comparisons.found(history)],
            "curves": [asdict(one) for one in curves.found(history)],
            "error": None,
        }
    except LlmopsError as error:
        return error_data(error, None)


def export_file(limits: Settings, evaluation: int, kind: str, folder: Path, owner: str = "") -> Path:
    """An evaluation as a file in a folder. Raises InputError for a kind that is none, HistoryError."""
    if not isinstance(kind, str) or not kind.isalnum():
        raise InputError(f"“{kind}” is no format.", "Use xlsx, csv, jsonl or html.")
    path = folder / f"evaluation-{evaluation}.{kind}"
    export(History(limits.history_path, owner), evaluation, path)
    return path
