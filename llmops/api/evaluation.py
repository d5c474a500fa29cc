"""/evaluate from plain values to plain data; the command line runs its evaluation the same way."""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from llmops.api.context import ApiContext, error_in
from llmops.api.tasks import chosen_task
from llmops.core.errors import InputError
from llmops.core.request import Job
from llmops.core.task import Example, Task
from llmops.data.labelled import from_objects
from llmops.evaluation.ladder import rungs
from llmops.evaluation.runner import (
    CandidateEnded,
    CandidateProgress,
    EvaluationBegun,
    EvaluationUpdate,
    evaluate,
    resume,
)
from llmops.evaluation.spec import EvaluationSpec, GivenEvaluation
from llmops.evaluation.summary import summary_of
from llmops.history.evaluations import Row
from llmops.history.store import History


@dataclass(frozen=True)
class EvaluationEnd:
    """What an evaluation that has ended, or was stopped, left in the history."""

    history: History
    begun: EvaluationBegun
    ended: tuple[CandidateEnded, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data: the figures, and how each candidate ended."""
        ended = {end.candidate: asdict(end.error) if end.error else None for end in self.ended}
        evaluations, number = self.history.evaluations, self.begun.evaluation_id
        rows = evaluations.rows(number)
        return {**summary_of(evaluations.get(number), rows), "ended": ended, "errors": commonest_errors(rows)}


def commonest_errors(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Candidate → the error that most of its failed texts ended with: message, remedy, and on how many texts."""
    counted: dict[str, Counter[tuple[str, str]]] = {}
    for row in rows:
        if row.failed and row.run.error is not None:
            counted.setdefault(row.candidate, Counter())[row.run.error.message, row.run.error.remedy] += 1
    return {
        name: {"message": message, "remedy": remedy, "texts": texts}
        for name, errors in counted.items()
        for (message, remedy), texts in errors.most_common(1)
    }


def evaluation_spec(
    task: Task, examples: Sequence[Example], candidates: Sequence[str], asked: GivenEvaluation, owner: str = ""
) -> EvaluationSpec:
    """What is evaluated: the candidates, and the ladder's where one is asked for. Raises InputError."""
    chosen = [*candidates, *(rungs(asked.ladder) if asked.ladder else ())]
    return EvaluationSpec(task, examples, chosen, asked.run_settings(task, owner=owner), asked.repeats, asked.mode)


def run_evaluation(context: ApiContext, begin: EvaluationSpec | int, job: Job) -> EvaluationEnd:
    """Run a new one to its end, or go on with one by its id. Raises InputError and HistoryError."""
    history = History(context.settings.history_path, job.owner)
    updates: Generator[EvaluationUpdate, None, None] = (
        resume(context.pool, history, begin, job)
        if isinstance(begin, int)
        else evaluate(context.pool, begin, history, job.stop)
    )
    begun: EvaluationBegun | None = None
    ended: list[CandidateEnded] = []
    for update in updates:
        if isinstance(update, EvaluationBegun):
            begun = update
        elif isinstance(update, CandidateEnded):
            ended.append(update)
        elif isinstance(update, CandidateProgress):
            left = "" if update.seconds_left is None else f", {update.seconds_left:.0f} s left"
            job.report(f"{update.candidate}: {update.done} of {update.total}{left} {update.message}".rstrip(), None)
    if begun is None:
        raise InputError("Nothing was evaluated.", "Retry.")
    return EvaluationEnd(history, begun, tuple(ended))


def evaluate_data(
    context: ApiContext, task: Task | str, candidates: list[str], given: str | Mapping[str, Any] | None, job: Job
) -> dict[str, Any]:
    """Labelled texts through candidates. given: GivenEvaluation's settings."""
    answer: dict[str, Any] = {"error": None}
    with error_in(answer, "evaluation") as asker:
        chosen = chosen_task(task, context.settings)
        asked = GivenEvaluation.within(given, context.settings)
        asker.connection = asked.connection(job.owner)
        job = job.asked_with(asker.connection)
        notes: list[str] = []
        begin: EvaluationSpec | int
        if asked.resume is not None:
            begin = asked.resume
        else:
            labelled = None if asked.texts is None else from_objects(asked.texts, chosen)
            notes = labelled.sentences() if labelled else []
            examples = labelled.examples if labelled else chosen.split("test")
            begin = evaluation_spec(chosen, examples, candidates, asked, job.owner)
        answer |= {**run_evaluation(context, begin, job).to_json(), "notes": notes}
    return answer
