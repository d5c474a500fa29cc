"""Evaluation, history, learning curve and export from plain values to plain data: what the endpoints share.

A wrong value is an `error` in the answer. `given` is a JSON object as text or mapping.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from llmops.api.inputs import read_flag, read_settings, said
from llmops.api.programs import check_whole, error_data
from llmops.core.errors import InputError, LlmopsError
from llmops.core.json_object import as_object
from llmops.core.request import Connection, Job
from llmops.core.settings import Settings
from llmops.core.task import Example, Task
from llmops.data.builtin import load_builtin
from llmops.data.labelled import from_objects
from llmops.evaluation.batch_sizes import DEFAULT_MODE, AnswerMode
from llmops.evaluation.curve import CurveSettings, learning_curve, parity, zero_shot_lines
from llmops.evaluation.heldout import hold_out
from llmops.evaluation.ladder import rungs
from llmops.evaluation.metrics import measure
from llmops.evaluation.runner import CandidateEnded, EvaluationBegun, evaluate, resume
from llmops.evaluation.side_by_side import side_by_side
from llmops.evaluation.spec import EvaluationSpec
from llmops.evaluation.summary import summary
from llmops.history.curves import Curve, CurvePoint
from llmops.history.database import now
from llmops.history.sets import LabelledSet
from llmops.history.store import History
from llmops.report.export import FORMATS, export
from llmops.runtime.pool import Pool


def evaluate_data(
    pool: Pool,
    task_id: str,
    candidates: list[str],
    given: str | Mapping[str, Any] | None,
    limits: Settings,
    job: Job,
) -> dict[str, Any]:
    """Labelled texts through candidates. given: texts (else the held-out split), how it is done, settings."""
    connection: Connection | None = None
    try:
        history = History(limits.history_path, job.owner)
        task = load_builtin(task_id)
        data = dict(as_object(given))
        check_whole(data, "repeats", "resume")
        repeats, number, texts, ladder = (data.pop(name, None) for name in ("repeats", "resume", "texts", "ladder"))
        batched = read_flag(data, "batched", DEFAULT_MODE.batched)
        how = AnswerMode(batched, read_flag(data, "verdict_only", DEFAULT_MODE.verdict_only))
        options = read_settings({k: v for k, v in data.items() if k not in how.record()}, task, "", limits, job.owner)
        connection = options.connection
        notes: list[str] = []
        if number is not None:
            work = resume(pool, history, number, job.asked_with(connection))
        else:
            labelled = None if texts is None else from_objects(texts, task)
            notes = labelled.sentences() if labelled else []
            examples = labelled.examples if labelled else task.split("test")
            chosen = [*candidates, *(rungs(ladder) if ladder else ())]
            work = evaluate(pool, EvaluationSpec(task, examples, chosen, options, repeats or 1, how), history, job.stop)
        ended: list[CandidateEnded] = []
        for update in work:
            number = update.evaluation_id if isinstance(update, EvaluationBegun) else number
            ended += [update] if isinstance(update, CandidateEnded) else []
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
            one = history.comparisons.get(comparison)
            runs = [run and run.to_json() for run in history.comparisons.runs(comparison)]
            return {"comparison": asdict(one), "runs": runs, "error": None}
        if evaluation is not None and other is not None:
            return {"side_by_side": side_by_side(history, evaluation, other).to_json(), "error": None}
        if evaluation is not None:
            return {**summary(history, evaluation), "error": None}
        return {
            **{
                f"{kind}s": [asdict(record) for record in repository.newest(repository.most_listed)]
                for kind, repository in history.kinds.items()
            },
            "error": None,
        }
    except LlmopsError as error:
        return error_data(error, None)


@dataclass(frozen=True)
class CurveWork:
    """A curve to be drawn: on the texts of a kept evaluation, whose decoders are its lines, or on the task's own."""

    history: History
    task: Task
    texts: tuple[Example, ...]
    blank: Curve

    @classmethod
    def of(cls, history: History, task: Task, evaluation: int | None, settings: CurveSettings) -> "CurveWork":
        """Raises HistoryError for an unknown evaluation or one whose texts were not kept, InputError."""
        settings.check()
        lines: dict[str, float] = {}
        labelled = LabelledSet.of(task, hold_out(task, task.split("test"), []).texts)
        if evaluation is not None:
            found = history.evaluations.get(evaluation)
            labelled = history.evaluations.labelled(evaluation)
            lines = zero_shot_lines(measure(history.evaluations.rows(evaluation), found.labels))
        blank = Curve(
            task_id=labelled.task.id,
            task_name=labelled.task.name,
            settings={"seeds": list(settings.seeds), "ks": list(settings.ks)},
            data_hash=labelled.hash,
            base=settings.base.strip(),
            method=settings.method,
            points=(),
            lines=lines,
        )
        return cls(history, labelled.task, labelled.texts, blank)

    def with_points(self, points: Sequence[CurvePoint]) -> Curve:
        """The curve so far."""
        return replace(self.blank, points=tuple(points))

    def keep(self, points: Sequence[CurvePoint]) -> Curve:
        """The curve as the history has it. Raises HistoryError."""
        number = self.history.curves.add(replace(self.blank, created=now(), points=tuple(points)))
        return self.history.curves.get(number)


def curve_data(
    pool: Pool,
    task_id: str,
    given: str | Mapping[str, Any] | None,
    limits: Settings,
    job: Job,
) -> dict[str, Any]:
    """A learning curve. given: any of base, method, ks, seeds, evaluation (whose texts and decoders are taken)."""
    try:
        data = dict(as_object(given))
        check_whole(data, "evaluation")
        unknown = sorted(set(data) - {"base", "method", "ks", "seeds", "evaluation"})
        if unknown:
            raise InputError(f"Unknown setting: {said(unknown)}.", "Known: base, method, ks, seeds, evaluation.")
        evaluation = data.pop("evaluation", None)
        for name in ("ks", "seeds"):
            if name in data:
                data[name] = _whole_numbers(name, data[name])
        settings = CurveSettings(**data)
        work = CurveWork.of(History(limits.history_path, job.owner), load_builtin(task_id), evaluation, settings)
        points = list(learning_curve(pool, work.task, work.texts, settings, job))
        made = work.keep(points)
        return {"curve": asdict(made), "parity": parity(made), "error": None}
    except LlmopsError as error:
        return error_data(error, None)


def _whole_numbers(name: str, value: object) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or any(isinstance(one, bool) or not isinstance(one, int) for one in value):
        raise InputError(f"{name} is a list of whole numbers; it is {value!r}.", f'Write "{name}": [1, 2, 4].')
    return tuple(value)


def export_data(limits: Settings, evaluation: int, kind: str, owner: str = "", language: str = "en") -> dict[str, Any]:
    """An evaluation as a file: its name and its bytes in base64."""
    try:
        if kind not in FORMATS:
            raise InputError(f"“{kind}” is no format.", f"Use one of: {', '.join(FORMATS)}.")
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"evaluation-{evaluation}.{kind}"
            export(History(limits.history_path, owner), evaluation, path, language=language)
            return {"name": path.name, "base64": b64encode(path.read_bytes()).decode(), "error": None}
    except LlmopsError as error:
        return error_data(error, None)
