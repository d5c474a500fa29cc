"""`cascade`: an encoder where it is sure, else another candidate: the curve over the threshold, from kept rows."""

import argparse
from typing import Any

from llmops.api.decision import cascade_data
from llmops.cli import assumptions
from llmops.cli.answer import finish
from llmops.cli.table import number, print_rows
from llmops.core.settings import Settings
from llmops.decision.threshold_search import CascadeSettings

HELP = "an encoder where it is sure, else another candidate: the best threshold, from a kept evaluation"
_LINES = 15  # of the curve


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("first", help="an encoder of the evaluation")
    parser.add_argument("second", help="the candidate that answers where the encoder is not sure")
    parser.add_argument("--evaluation", type=int, metavar="ID", help="default: the newest")
    assumptions.add(parser, CascadeSettings)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the curve and the choice."""
    given = assumptions.read(args, CascadeSettings)
    data = cascade_data(settings, args.evaluation, args.first, args.second, given)
    if not args.json and not data["error"]:
        _print(data)
    return finish(data, args.json)


def _print(data: dict[str, Any]) -> None:
    about = data["evaluation"]
    left_out = f", {data['left_out']} only one of the two has tried" if data["left_out"] else ""
    print(f"Evaluation {about['id']}: {about['task']}, {data['texts']} texts{left_out}")
    header = ("threshold", "accuracy", "macro F1", "asked", "leaving", "mean s", "p95 s", "cost/1000", "Wh/1000", "")
    points = data["points"]
    step = max(1, (len(points) - 1) // _LINES)
    shown = [*points[:-1:step], points[-1]]
    print_rows([header, *(_row(point, "") for point in shown)])
    choice = data["choice"]
    if choice is None:
        print(data["why_not"])
        return
    print(f"Chosen: {data['candidate']}")
    ours, others = choice["texts"]
    print_rows(
        [
            header,
            _row(choice["chosen_on"], f"on the {ours} texts it was chosen on"),
            _row(choice["reported_on"], f"on the other {others}"),
        ]
    )
    print_rows([("on those", "accuracy", "95 %", "macro F1", "95 %"), *map(_quality, choice["check"]["qualities"])])
    for sentence in choice["check"]["sentences"]:
        print(sentence)


def _quality(quality: dict[str, Any]) -> tuple[str, ...]:
    spans = [f"{low:.2f} to {high:.2f}" for low, high in (quality["accuracy_interval"], quality["macro_f1_interval"])]
    return (quality["candidate"], f"{quality['accuracy']:.3f}", spans[0], f"{quality['macro_f1']:.3f}", spans[1])


def _row(point: dict[str, Any], what: str) -> tuple[str, ...]:
    return (
        f"{point['threshold']:.6g}",
        f"{point['accuracy']:.3f}",
        f"{point['macro_f1']:.3f}",
        f"{point['asked']:.0%}",
        f"{point['leaving']:.0%}",
        number(point["mean_s"], ".3f"),
        number(point["p95_s"], ".3f"),
        number(point["cost_per_1000"], ".4g"),
        number(point["wh_per_1000"], ".3g"),
        what,
    )
