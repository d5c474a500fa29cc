"""`learning-curve`: an encoder's accuracy against the examples it learns from, beside the decoders of an evaluation."""

import argparse
from typing import Any

from llmops.api.learning_curve import curve_data
from llmops.cli.answer import command_context, finish, interruptible_job
from llmops.cli.options import add_settings, settings_given
from llmops.cli.table import print_rows
from llmops.core.settings import Settings
from llmops.data.task_files import find_task
from llmops.evaluation.curve import GivenCurve

HELP = "how many labelled examples bring an encoder up to the decoders"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--task", default="medical", help="whose pool is learnt from: an id, or a task.toml")
    add_settings(parser, GivenCurve)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Train, score, keep and print."""
    given = settings_given(args, GivenCurve)
    data = curve_data(command_context(settings), find_task(args.task, settings), given, interruptible_job())
    if not args.json and not data["error"]:
        _print(data)
    return finish(data, args.json)


def _print(data: dict[str, Any]) -> None:
    header = ("k", "seed", "accuracy", "macro F1", "training s")
    rows = [
        (
            str(point["k"]),
            str(point["seed"]),
            f"{point['accuracy']:.3f}",
            f"{point['macro_f1']:.3f}",
            f"{point['train_s']:.2f}",
        )
        for point in data["curve"]["points"]
    ]
    print_rows([header, *rows])
    for name, k in data["parity"].items():
        level = data["curve"]["lines"][name]
        print(f"{name} ({level:.3f}): " + (f"reached with {k} examples a class" if k else "not reached"))
