"""`learning-curve`: an encoder's accuracy against the examples it learns from, beside the decoders of an evaluation."""

import argparse
from typing import Any

from llmops.api.records import curve_data
from llmops.cli.answer import finish, interruptible_job
from llmops.cli.table import print_rows
from llmops.core.settings import load_settings
from llmops.evaluation.curve import CurveSettings
from llmops.runtime.pool import Pool

HELP = "how many labelled examples bring an encoder up to the decoders"
_DEFAULT = CurveSettings()


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--task", default="medical", help="the pool that is learnt from is this task's")
    parser.add_argument("--base", default=_DEFAULT.base, help="the encoder")
    parser.add_argument("--method", default=_DEFAULT.method, help="few-shot or setfit")
    parser.add_argument("--ks", type=int, nargs="+", default=list(_DEFAULT.ks), help="examples a class")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(_DEFAULT.seeds), help="draws for each k")
    parser.add_argument("--evaluation", type=int, metavar="ID", help="take its texts, task and decoders")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Train, score, keep and print."""
    settings = load_settings()
    names = ("base", "method", "ks", "seeds", "evaluation")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    data = curve_data(Pool(settings), args.task, given, settings, interruptible_job())
    if not args.json and not data["error"]:
        _print(data)
    return finish(data, args.json)


def _print(data: dict[str, Any]) -> None:
    header = ("k", "seed", "accuracy", "macro F1", "training s")
    rows = [
        (str(one["k"]), str(one["seed"]), f"{one['accuracy']:.3f}", f"{one['macro_f1']:.3f}", f"{one['train_s']:.2f}")
        for one in data["curve"]["points"]
    ]
    print_rows([header, *rows])
    for name, k in data["parity"].items():
        level = data["curve"]["lines"][name]
        print(f"{name} ({level:.3f}): " + (f"reached with {k} examples a class" if k else "not reached"))
