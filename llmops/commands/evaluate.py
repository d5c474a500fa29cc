"""`evaluate`: a labelled set through candidates, with metrics; resumable."""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from llmops.commands.answer import tell
from llmops.commands.table import number, print_rows
from llmops.compare import Options
from llmops.errors import InputError
from llmops.evaluation.runner import Begun, Ended, Progress, evaluate, summary
from llmops.history.store import History
from llmops.inputs import read_settings
from llmops.pool import Pool
from llmops.reading import guess_columns, read_table, to_examples
from llmops.settings import Settings, load_settings
from llmops.task import Example, Task, load_builtin

HELP = "accuracy, intervals, calibration and speed on a labelled set"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--task", default="medical", help="labels and prompts are this task's")
    parser.add_argument("--candidate", action="append", required=True, metavar="CANDIDATE", help="repeat for each")
    parser.add_argument("--data", type=Path, help="CSV, XLSX or JSONL (default: the task's held-out split)")
    parser.add_argument("--repeats", type=int, default=1, help="ask each text so often, for stability")
    parser.add_argument("--resume", type=int, metavar="ID", help="go on with an evaluation that was broken off")
    parser.add_argument("--max-new-tokens", type=int)
    parser.add_argument("--temperature", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--base-url", help="address of an OpenAI-compatible server; keys come from the environment")
    parser.add_argument("--truncate", action="store_true", help="cut texts that are too long, instead of failing")
    parser.add_argument("--local-only", action="store_true", help="no text leaves this machine: remote models fail")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Evaluate and print; 1 where a candidate failed or it was stopped."""
    settings = load_settings()
    task = load_builtin(args.task)
    examples = _examples(args.data, task, settings)
    names = ("max_new_tokens", "temperature", "seed", "base_url", "truncate", "local_only")
    given = {name: getattr(args, name) for name in names if getattr(args, name) not in (None, False)}
    options: Options = read_settings(given, task, examples[0].text if examples else "", settings)
    history = History(settings.history_path)
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    pool = Pool(settings.pool_budget_bytes)
    ended: list[Ended] = []
    begun: Begun | None = None
    work = evaluate(
        pool, task, examples, args.candidate, options, history, stop, repeats=args.repeats, resume=args.resume
    )
    for update in work:
        if isinstance(update, Begun):
            begun = update
        elif isinstance(update, Ended):
            ended.append(update)
        elif isinstance(update, Progress):
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


def _examples(path: Path | None, task: Task, settings: Settings) -> list[Example]:
    if path is None:
        return list(task.split("test"))
    if not path.is_file():
        raise InputError(f"There is no file {path}.", "Check the path.")
    table = read_table(path, settings)
    return list(to_examples(table, guess_columns(table.columns), default_language=task.languages[0]))


def _print(data: dict[str, Any], begun: Begun) -> None:
    print(f"Evaluation {begun.evaluation_id}: {begun.texts} texts, {begun.left_out} left out (examples to learn from)")
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
        "texts/s",
        "MB",
    )
    if data["metrics"]:
        print_rows([header, *(_row(one) for one in data["metrics"])])
    for pair in data["pairs"]:
        print(pair["sentence"])
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
        number(times.get("p50"), ".3f"),
        number(times.get("p90"), ".3f"),
        number(one["texts_per_s"], ".1f"),
        number(one["weights_bytes"], ".1f", 1e6),
    )
