"""/classify from plain values to plain data: nothing is kept, the answers are all there is.

Which language a text is asked in, and what an answer is, it shares with the command.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from llmops.api.context import ApiContext, error_in
from llmops.api.tasks import chosen_task
from llmops.catalog.models import model_kinds
from llmops.compare.inputs import check_candidates, check_text
from llmops.core.candidate import parse_candidate
from llmops.core.errors import InputError
from llmops.core.failures import as_run_error
from llmops.core.request import Job
from llmops.core.task import Task
from llmops.evaluation.classification import (
    Classification,
    GivenClassification,
    UnlabelledAnswer,
    classify,
    in_languages,
)
from llmops.evaluation.spec import check_answers


def classify_data(
    context: ApiContext,
    texts: object,
    task: Task | str,
    candidate: object,
    given: str | Mapping[str, Any] | None,
    job: Job,
) -> dict[str, Any]:
    """An answer a text, in the texts' order; on an error of the whole those that came before it stay.

    given: GivenClassification's settings.
    """
    answer: dict[str, Any] = {"candidate": candidate, "answers": [], "error": None}
    with error_in(answer, "classification") as asker:
        limits = context.settings
        chosen = chosen_task(task, limits)
        asked = GivenClassification.within(given, limits)
        asker.connection = asked.connection(job.owner)
        rows = _rows(texts)
        check_answers(len(rows), limits)
        (name,) = check_candidates([candidate], 1)
        parsed = parse_candidate(name, model_kinds()).owned_by(job.owner)
        work = Classification(chosen, parsed, asked.run_settings(chosen, owner=job.owner))
        answers = answer["answers"] = [asdict(UnlabelledAnswer()) for _ in rows]
        usable = []
        for number, row in enumerate(rows):
            try:
                usable.append((number, *_text_and_language(row, limits.max_text_chars)))
            except InputError as error:
                answers[number] = asdict(UnlabelledAnswer(error=as_run_error(error, "a text")))
        for text, run in classify(context.pool, work, in_languages(chosen, usable, asked.language), job):
            answers[text.number] = asdict(UnlabelledAnswer.of(run))
    return answer


def _rows(texts: object) -> list[Any]:
    """Raises InputError for what is no list, and for an empty one."""
    if not isinstance(texts, list) or not texts:
        raise InputError("texts is a list of texts or of objects.", 'Write ["…"] or [{"text": "…", "language": "de"}].')
    return texts


def _text_and_language(row: object, max_chars: int) -> tuple[str, str]:
    """A text as it is sent, and the language as it was written. Raises InputError."""
    given = row if isinstance(row, Mapping) else {"text": row}
    language = given.get("language") or ""
    if not isinstance(language, str):
        raise InputError(f"The language is a {type(language).__name__}.", "Write its code, such as de.")
    return check_text(given.get("text"), max_chars), language
