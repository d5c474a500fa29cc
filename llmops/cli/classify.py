"""`classify`: a file without labels through one candidate; label and confidence beside each row."""

import argparse
import sys
from pathlib import Path

from llmops.catalog.models import model_kinds
from llmops.cli.answer import command_context, interruptible_job
from llmops.cli.options import add_settings, settings_given
from llmops.cli.reference import REFERENCE_HELP, add_sample, read_reference
from llmops.core.candidate import parse_candidate
from llmops.core.errors import InputError, Stopped
from llmops.core.run import Run
from llmops.core.settings import Settings
from llmops.core.task import Task
from llmops.data import words
from llmops.data.answers_file import AnswersFile
from llmops.data.columns import ColumnMap, complete_columns
from llmops.data.table import Table
from llmops.data.task_files import find_task
from llmops.evaluation.classification import (
    Classification,
    GivenClassification,
    UnlabelledAnswer,
    UnlabelledText,
    classify,
    in_languages,
)

HELP = "label every text of a file without labels"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("data", help=f"a text a row: {REFERENCE_HELP}")
    parser.add_argument("out", type=Path, help="CSV that is written; one that is there is gone on with")
    parser.add_argument("--task", default="medical", help="whose labels and prompts: an id, or a task.toml")
    parser.add_argument("--candidate", required=True, help="such as embedded/encoder@fp32, trained/NAME or cascade(…)")
    add_sample(parser)
    parser.add_argument("--text-column", help="which column is the text (default: by name and content)")
    parser.add_argument("--language-column", help="which column is the language, if any")
    add_settings(parser, GivenClassification, without=("language", "all_at_once", "unload_after"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Write the file; 1 where a text failed or it was stopped."""
    context, task = command_context(settings), find_task(args.task, settings)
    table = read_reference(args.data, settings, sample=args.sample)
    given = GivenClassification.within(settings_given(args, GivenClassification), settings)
    candidate = parse_candidate(args.candidate, model_kinds())
    work = Classification(task, candidate, given.run_settings(task))
    texts, problems = _texts(table, task, args.text_column, args.language_column)
    for sentence in (*table.notes, *map(str, table.problems), *problems):
        print(sentence, file=sys.stderr)
    failed = 0
    answers = AnswersFile(args.out, table)
    left = [text for text in texts if text.number not in answers.done]
    if len(left) < len(texts):
        print(f"{len(texts) - len(left):,} texts are answered already.", file=sys.stderr)
    try:
        with answers:
            for text, answered in classify(context.pool, work, left, interruptible_job()):
                answers.add([(text.number, _cells(answered))])
                failed += answered.error is not None
    except Stopped as stopped:
        print(f"{stopped.message} The same command goes on.", file=sys.stderr)
        return 1
    finally:
        context.pool.close()
    answers.put_in_order()
    print(f"{args.out}: {len(texts):,} texts, {failed:,} failed")
    return 1 if failed else 0


def _texts(
    table: Table, task: Task, text_column: str | None, language_column: str | None
) -> tuple[list[UnlabelledText], list[str]]:
    """Texts with the task's language that each says or reads like; and what is left out."""
    mapping = complete_columns(table, ColumnMap(text_column, None, language_column))
    place = table.columns.index(_column(table, mapping.text))
    language = table.columns.index(_column(table, mapping.language)) if mapping.language else None
    filled, empty = [], []
    for number, row in zip(table.numbers, table.rows, strict=True):
        if words.is_no_text(row[place]):
            empty.append(f"Row {number}: the text is empty; left out.")
        else:
            filled.append((number, row[place], "" if language is None else row[language]))
    return in_languages(task, filled), empty


def _column(table: Table, name: str | None) -> str:
    if name is None or name not in table.columns:
        raise InputError(f"The file has no column “{name or 'text'}”.", f"It has: {', '.join(table.columns)}.")
    return name


def _cells(run: Run) -> tuple[str, str, str]:
    """predicted, confidence, error; what is not known is blank."""
    answer = UnlabelledAnswer.of(run)
    confidence = "" if answer.confidence is None else f"{answer.confidence:.4f}"
    error = "" if answer.error is None else f"{answer.error.message} {answer.error.remedy}".strip()
    return answer.label or "", confidence, error
