"""/compare and /stream from plain values to plain data; the command line runs its comparison the same way."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from llmops.api.context import ApiContext
from llmops.api.tasks import chosen_task
from llmops.compare.comparison import Comparison, run_all
from llmops.compare.follow import follow, plain
from llmops.compare.inputs import check_candidates, check_text
from llmops.compare.recorder import Recorder
from llmops.core.failures import as_run_error
from llmops.core.run import Run, RunError
from llmops.core.run_settings import GivenRunSettings
from llmops.core.task import Task
from llmops.core.view import Status, View
from llmops.public.quotas import Visitor


@dataclass(frozen=True)
class Compared:
    """A comparison that has ended. number: its own in the history, None where it could not be kept, and why."""

    runs: list[Run]
    number: int | None
    history_error: str

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "runs": [run.to_json() for run in self.runs],
            "error": None,
            "comparison": self.number,
            "history_error": self.history_error or None,
        }


def make_comparison(
    context: ApiContext,
    task: Task,
    text: object,
    candidates: object,
    given: str | Mapping[str, Any] | None,
    owner: str = "",
) -> Comparison:
    """A comparison ready to start, from a program's plain values. Raises InputError."""
    limits = context.settings
    chosen = check_candidates(candidates, limits.max_columns)
    cleaned = check_text(text, limits.max_text_chars)
    settings = GivenRunSettings.within(given, limits).run_settings(task, cleaned, owner)
    return Comparison(context.pool, task, cleaned, chosen, settings)


def run_comparison(context: ApiContext, visitor: Visitor, comparison: Comparison) -> Compared:
    """Run a comparison to its end and keep it. Raises TooMuch above what one visitor may have."""
    recorder = Recorder(context.settings.history_path, visitor.owner, context.source, comparison)
    with context.quotas.runs(visitor, len(comparison.candidates), comparison.stop):
        runs = run_all(comparison, recorder.take)
    trouble = recorder.settle()
    return Compared(runs, recorder.comparison_id, trouble)


def compare_data(
    context: ApiContext,
    visitor: Visitor,
    text: object,
    task: Task | str,
    candidates: object,
    given: str | Mapping[str, Any] | None,
) -> dict[str, Any]:
    """A comparison with its runs; what is wrong as a whole is `error`, and that of every run."""
    secrets: tuple[str, ...] = ()
    try:
        chosen = chosen_task(task, context.settings)
        comparison = make_comparison(context, chosen, text, candidates, given, visitor.owner)
        secrets = comparison.options.connection.secrets
        return run_comparison(context, visitor, comparison).to_json()
    except Exception as caught:  # noqa: BLE001  the edge: as_run_error logs it
        failure = as_run_error(caught, "compare", secrets)
        return {"runs": [run.to_json() for run in _failed(candidates, failure)], "error": asdict(failure)}


def stream_data(
    context: ApiContext,
    visitor: Visitor,
    text: object,
    task: Task | str,
    candidates: object,
    given: str | Mapping[str, Any] | None,
) -> Iterator[dict[str, Any]]:
    """A comparison while it runs: every column again and again."""
    secrets: tuple[str, ...] = ()
    try:
        chosen = chosen_task(task, context.settings)
        comparison = make_comparison(context, chosen, text, candidates, given, visitor.owner)
        secrets = comparison.options.connection.secrets
        recorder = Recorder(context.settings.history_path, visitor.owner, context.source, comparison)
        views = [View(candidate) for candidate in comparison.candidates]
        with context.quotas.runs(visitor, len(views), comparison.stop):
            comparison.start()
            for _ in follow(comparison, views, recorder, first_at_once=True):
                yield {"columns": [plain(view) for view in views]}
    except Exception as caught:  # noqa: BLE001  the edge: as_run_error logs it
        failed = _failed(candidates, as_run_error(caught, "stream", secrets))
        yield {"columns": [plain(View(run.candidate, Status.FAILED, run=run)) for run in failed]}


def _failed(candidates: object, failure: RunError) -> list[Run]:
    named = candidates if isinstance(candidates, list) else []
    return [Run(str(candidate), error=failure) for candidate in named]
