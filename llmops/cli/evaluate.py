"""`evaluate`: a labelled set through candidates, with metrics; resumable."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from llmops.api.evaluation import evaluation_spec, run_evaluation
from llmops.cli.answer import command_context, interruptible_job
from llmops.cli.options import add_settings, settings_given
from llmops.cli.table import number, print_rows
from llmops.core.errors import InputError
from llmops.core.settings import Settings
from llmops.core.task import Example, Task
from llmops.data.builtin import load_builtin
from llmops.data.columns import ColumnMap
from llmops.data.labelled import read_labelled
from llmops.evaluation.runner import EvaluationBegun
from llmops.evaluation.spec import EvaluationSpec, GivenEvaluation
from llmops.history.store import History

HELP = "accuracy, intervals, calibration and speed on a labelled set"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--task", default="medical", help="labels and prompts are this task's")
    parser.add_argument("--candidate", action="append", default=[], metavar="CANDIDATE", help="repeat for each")
    parser.add_argument("--data", type=Path, help="CSV, XLSX or JSONL (default: the task's held-out split)")
    parser.add_argument("--text-column", help="which column is the text (default: by its name)")
    parser.add_argument("--label-column", help="which column is the label (default: by its name)")
    parser.add_argument("--language-column", help="which column is the language, if any")
    add_settings(parser, GivenEvaluation, without=("language",))  # every text has its own
    parser.add_argument("--alone", action="store_true", help="no batches: every text has a latency of its own")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Evaluate and print; 1 where a candidate failed or it was stopped."""
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
    return 1 if any(data["ended"].values()) else 0


def _begin(args: argparse.Namespace, settings: Settings, asked: GivenEvaluation) -> EvaluationSpec | int:
    """What is evaluated, or the id of one to go on with."""
    if asked.resume is not None:
        kept = History(settings.history_path).evaluations.get(asked.resume).candidates
        if args.candidate and set(args.candidate) != set(kept):
            raise InputError(f"Evaluation {asked.resume} had other candidates: {', '.join(kept)}.", "Name none.")
        return asked.resume
    task = load_builtin(args.task)
    return evaluation_spec(task, _examples(args, task, settings), args.candidate, asked)


def _examples(args: argparse.Namespace, task: Task, settings: Settings) -> list[Example]:
    if args.data is None:
        return list(task.split("test"))
    if not args.data.is_file():
        raise InputError(f"There is no file {args.data}.", "Check the path.")
    columns = (args.text_column, args.label_column, args.language_column)
    mapping = ColumnMap(*columns) if any(columns) else None
    labelled = read_labelled(args.data, task, settings, mapping)
    for sentence in labelled.sentences():
        print(sentence, file=sys.stderr)
    return list(labelled.examples)


def _print(data: dict[str, Any], begun: EvaluationBegun) -> None:
    why = ", ".join(f"{count} {reason}" for reason, count in begun.why.items())
    print(
        f"Evaluation {begun.evaluation_id}: {begun.texts} texts, {begun.left_out} left out{f' ({why})' if why else ''}"
    )
    for name in begun.unknown:
        print(f"{name} keeps no record of what it was trained on: its score may be too good.")
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
