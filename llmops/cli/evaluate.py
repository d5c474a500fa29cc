"""`evaluate`: a labelled set through candidates, with metrics; resumable."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

from llmops.api.inputs import read_settings
from llmops.cli.answer import tell
from llmops.cli.table import number, print_rows
from llmops.core.errors import InputError
from llmops.core.request import Job
from llmops.core.run_settings import RunSettings
from llmops.core.settings import Settings, load_settings
from llmops.core.task import Example, Task
from llmops.data.builtin import load_builtin
from llmops.data.columns import ColumnMap
from llmops.data.labelled import read_labelled
from llmops.evaluation.batch_sizes import AnswerMode
from llmops.evaluation.ladder import rungs
from llmops.evaluation.runner import (
    CandidateEnded,
    CandidateProgress,
    EvaluationBegun,
    EvaluationUpdate,
    evaluate,
    resume,
)
from llmops.evaluation.spec import EvaluationSpec
from llmops.evaluation.summary import summary
from llmops.history.store import History
from llmops.runtime.pool import Pool

HELP = "accuracy, intervals, calibration and speed on a labelled set"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--task", default="medical", help="labels and prompts are this task's")
    parser.add_argument("--candidate", action="append", default=[], metavar="CANDIDATE", help="repeat for each")
    parser.add_argument("--ladder", metavar="CANDIDATE", help="this local model in every precision, too")
    parser.add_argument("--data", type=Path, help="CSV, XLSX or JSONL (default: the task's held-out split)")
    parser.add_argument("--text-column", help="which column is the text (default: by its name)")
    parser.add_argument("--label-column", help="which column is the label (default: by its name)")
    parser.add_argument("--language-column", help="which column is the language, if any")
    parser.add_argument("--repeats", type=int, default=1, help="times each text is asked, for stability")
    parser.add_argument("--resume", type=int, metavar="ID", help="go on with one that was broken off; needs no more")
    parser.add_argument("--max-new-tokens", type=int)
    parser.add_argument("--temperature", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--base-url", help="address of an OpenAI-compatible server; keys come from the environment")
    parser.add_argument("--alone", action="store_true", help="no batches: every text has a latency of its own")
    parser.add_argument("--verdict-only", action="store_true", help="verdict and probabilities, no explanation")
    parser.add_argument("--truncate", action="store_true", help="cut texts that are too long, instead of failing")
    parser.add_argument("--local-only", action="store_true", help="no text leaves this machine: remote models fail")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Evaluate and print; 1 where a candidate failed or it was stopped."""
    settings = load_settings()
    history = History(settings.history_path)
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    pool = Pool(settings)
    ended: list[CandidateEnded] = []
    begun: EvaluationBegun | None = None
    for update in _work(args, settings, history, pool, stop):
        if isinstance(update, EvaluationBegun):
            begun = update
        elif isinstance(update, CandidateEnded):
            ended.append(update)
        elif isinstance(update, CandidateProgress):
            left = "" if update.seconds_left is None else f", {update.seconds_left:.0f} s left"
            tell(f"{update.candidate}: {update.done} of {update.total}{left} {update.message}".rstrip(), None)
    if begun is None:
        raise InputError("Nothing was evaluated.", "Try again.")
    data = summary(history, begun.evaluation_id)
    data["ended"] = [{"candidate": one.candidate, "error": vars(one.error) if one.error else None} for one in ended]
    if args.json:
        print(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        _print(data, begun)
    return 1 if any(one.error for one in ended) else 0


def _work(
    args: argparse.Namespace, settings: Settings, history: History, pool: Pool, stop: threading.Event
) -> Generator[EvaluationUpdate, None, None]:
    task = load_builtin(args.task)
    names = ("max_new_tokens", "temperature", "seed", "base_url", "truncate", "local_only")
    given = {name: getattr(args, name) for name in names if getattr(args, name) not in (None, False)}
    options: RunSettings = read_settings(given, task, "", settings)
    if args.resume is not None:
        kept = history.evaluations.get(args.resume).candidates
        if args.candidate and set(args.candidate) != set(kept):
            raise InputError(f"Evaluation {args.resume} had other candidates: {', '.join(kept)}.", "Name none.")
        return resume(pool, history, args.resume, Job(options.connection, stop=stop))
    candidates = [*args.candidate, *(rungs(args.ladder) if args.ladder else ())]
    examples = _examples(args, task, settings)
    mode = AnswerMode(batched=not args.alone, verdict_only=args.verdict_only)
    return evaluate(pool, EvaluationSpec(task, examples, candidates, options, args.repeats, mode), history, stop)


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
        print_rows([header, *(_row(one) for one in data["metrics"])])
    for pair in data["pairs"]:
        print(pair["sentence"])
    for ladder in data["ladders"]:
        for rung in ladder["rungs"][1:]:
            flips = f"{len(rung['flips'])} of {rung['texts']} verdicts flip"
            print(f"{rung['candidate']}: {flips}, {rung['better']} become right, {rung['worse']} become wrong.")
    for one in data["ended"]:
        if one["error"]:
            print(f"{one['candidate']}: {one['error']['message']} {one['error']['remedy']}".rstrip(), file=sys.stderr)


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    low, high = one["accuracy_interval"]
    times = one["e2e_s"] or {}
    return (
        one["candidate"],
        f"{one['accuracy']:.3f}",
        f"{low:.2f} to {high:.2f}",
        f"{one['macro_f1']:.3f}",
        f"{one['unparsed_rate']:.0%}",
        f"{one['failed_rate']:.0%}",
        number((one["calibration"] or {}).get("ece"), ".3f"),
        *(number(times.get(name), ".3f") for name in ("p50", "p90", "p99")),
        number(one["texts_per_s"], ".1f"),
        number(one["batched_texts_per_s"], ".1f"),
        number(one["weights_bytes"], ".1f", 1e6),
        number(one["peak_bytes"], ".1f", 1e6),
    )
