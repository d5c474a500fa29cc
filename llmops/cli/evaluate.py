"""`evaluate`: a labelled set through candidates, with metrics; resumable."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from llmops.api.evaluation import evaluation_spec, run_evaluation
from llmops.cli.answer import command_context, interruptible_job
from llmops.cli.options import add_settings, settings_given
from llmops.cli.reference import REFERENCE_HELP, add_sample, read_reference
from llmops.cli.table import number, print_rows
from llmops.core.errors import InputError
from llmops.core.settings import Settings
from llmops.core.task import Example, Task
from llmops.data.columns import ColumnMap, complete_columns
from llmops.data.labelled import to_labelled
from llmops.data.task_files import find_task
from llmops.evaluation.runner import EvaluationBegun
from llmops.evaluation.spec import EvaluationSpec, GivenEvaluation
from llmops.history.store import History
from llmops.report.junit import junit_xml

_FIGURES = ("accuracy", "macro_f1")
HELP = "accuracy, intervals, calibration and speed on a labelled set"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--task", default="medical", help="whose labels and prompts: an id, or a task.toml")
    parser.add_argument("--candidate", action="append", default=[], metavar="CANDIDATE", help="repeat for each")
    parser.add_argument("--data", help=f"{REFERENCE_HELP} (default: the task's held-out split)")
    add_sample(parser)
    parser.add_argument("--text-column", help="which column is the text (default: by name and content)")
    parser.add_argument("--label-column", help="which column is the label (default: by name and content)")
    parser.add_argument("--language-column", help="which column is the language, if any")
    parser.add_argument(
        "--word",
        action="append",
        default=[],
        metavar="WORD=LABEL",
        help="a label's word in the file, such as 1=positive",
    )
    add_settings(parser, GivenEvaluation, without=("language",))  # every text has its own
    parser.add_argument(
        "--fail-under",
        action="append",
        default=[],
        metavar="FIGURE=VALUE",
        help="exit with 1 where a candidate has less: accuracy=0.8, macro_f1=0.8",
    )
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write a JUnit report for continuous integration")
    parser.add_argument("--alone", action="store_true", help="no batches: every text has a latency of its own")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Evaluate and print; 1 where a candidate failed, on every text too, is under a limit, or it was stopped."""
    limits = _limits(args.fail_under)
    context = command_context(settings)
    given = settings_given(args, GivenEvaluation) | ({"batched": False} if args.alone else {})
    asked = GivenEvaluation.within(given, context.settings)
    job = interruptible_job().asked_with(asked.connection())
    evaluated = run_evaluation(context, _begin(args, context.settings, asked), job)
    data = evaluated.to_json()
    if args.json:
        print(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        _print(data, evaluated.begun)
    if args.junit is not None:
        args.junit.write_text(junit_xml(data, limits), encoding="utf-8")
    under = _under(data["metrics"], limits)
    for sentence in under:
        print(sentence, file=sys.stderr)
    failed = any(metrics["failed_rate"] == 1 for metrics in data["metrics"])
    return 1 if under or failed or any(data["ended"].values()) else 0


def _limits(given: list[str]) -> dict[str, float]:
    """Figure → least value."""
    limits = {}
    for each in given:
        figure, _, value = each.partition("=")
        try:
            limits[figure] = float(value)
        except ValueError:
            limits[figure] = -1.0
        if figure not in _FIGURES or not 0 <= limits[figure] <= 1:
            raise InputError(f"“{each}” is no limit.", f"Write {' or '.join(_FIGURES)}, = and 0 to 1.")
    return limits


def _under(metrics: list[dict[str, Any]], limits: dict[str, float]) -> list[str]:
    """A sentence on each candidate and figure below its limit."""
    return [
        f"{each['candidate']} is under the limit: {figure} {each[figure]:.3f}, at least {least:g} is asked."
        for each in metrics
        for figure, least in limits.items()
        if each[figure] < least
    ]


def _begin(args: argparse.Namespace, settings: Settings, asked: GivenEvaluation) -> EvaluationSpec | int:
    """What is evaluated, or the id of one to go on with."""
    if asked.resume is not None:
        kept = History(settings.history_path).evaluations.get(asked.resume).candidates
        if args.candidate and set(args.candidate) != set(kept):
            raise InputError(f"Evaluation {asked.resume} had other candidates: {', '.join(kept)}.", "Name none.")
        return asked.resume
    task = find_task(args.task, settings)
    return evaluation_spec(task, _examples(args, task, settings), args.candidate, asked)


def _examples(args: argparse.Namespace, task: Task, settings: Settings) -> list[Example]:
    if args.data is None:
        return list(task.split("test"))
    columns = (args.text_column, args.label_column, args.language_column)
    mapping = ColumnMap(*columns) if any(columns) else None
    table = read_reference(args.data, settings, sample=args.sample, label=args.label_column)
    labelled = to_labelled(table, complete_columns(table, mapping), task, _label_words(args.word))
    for sentence in labelled.sentences():
        print(sentence, file=sys.stderr)
    return list(labelled.examples)


def _label_words(given: list[str]) -> dict[str, str]:
    """Words of the file → label ids."""
    pairs = [each.rpartition("=") for each in given]
    wrong = next((each for each, (word, _, label) in zip(given, pairs, strict=True) if not word or not label), None)
    if wrong is not None:
        raise InputError(f"“{wrong}” maps no word to a label.", "Write WORD=LABEL, such as 1=positive.")
    return {word: label for word, _, label in pairs}


def _print(data: dict[str, Any], begun: EvaluationBegun) -> None:
    why = ", ".join(f"{count} {reason}" for reason, count in begun.why.items())
    print(
        f"Evaluation {begun.evaluation_id}: {begun.texts} texts, {begun.left_out} left out{f' ({why})' if why else ''}"
    )
    for name in begun.unknown:
        print(f"{name} keeps no record of what it was trained on: its score may be too good.")
    for sentence in begun.long:
        print(sentence)
    header = (
        "candidate",
        "accuracy",
        "95 %",
        "macro F1",
        "unparsed",
        "failed",
        "ECE",
        "p50 s",
        "p90 s",
        "p99 s",
        "texts/s",
        "batched/s",
        "weights MB",
        "peak MB",
    )
    if data["metrics"]:
        print_rows([header, *(_row(metrics) for metrics in data["metrics"])])
    for pair in data["pairs"]:
        print(pair["sentence"])
    for ladder in data["ladders"]:
        for rung in ladder["rungs"][1:]:
            flips = f"{len(rung['flips'])} of {rung['texts']} verdicts flip"
            print(f"{rung['candidate']}: {flips}, {rung['better']} become right, {rung['worse']} become wrong.")
    for name, error in data["errors"].items():
        print(f"{name}, on {error['texts']} texts: {error['message']} {error['remedy']}".rstrip(), file=sys.stderr)
    for name, error in data["ended"].items():
        if error:
            print(f"{name}: {error['message']} {error['remedy']}".rstrip(), file=sys.stderr)


def _row(metrics: dict[str, Any]) -> tuple[str, ...]:
    low, high = metrics["accuracy_interval"]
    times = metrics["e2e_s"] or {}
    return (
        metrics["candidate"],
        f"{metrics['accuracy']:.3f}",
        f"{low:.2f} to {high:.2f}",
        f"{metrics['macro_f1']:.3f}",
        f"{metrics['unparsed_rate']:.0%}",
        f"{metrics['failed_rate']:.0%}",
        number((metrics["calibration"] or {}).get("ece"), ".3f"),
        *(number(times.get(name), ".3f") for name in ("p50", "p90", "p99")),
        number(metrics["texts_per_s"], ".1f"),
        number(metrics["batched_texts_per_s"], ".1f"),
        number(metrics["weights_bytes"], ".1f", 1e6),
        number(metrics["peak_bytes"], ".1f", 1e6),
    )
