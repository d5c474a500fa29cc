"""Options that `decide` and `cascade` share: prices, machines, currency, grid. Not a command itself."""

import argparse
from typing import Any

from llmops.cli.options import add_settings, settings_given
from llmops.core.errors import InputError
from llmops.decision.assumptions import AssumptionSettings

_MACHINES = ("cpu", "gpu")


def add(parser: argparse.ArgumentParser, model: type[AssumptionSettings]) -> None:
    """Options: the model's, and prices and power in short."""
    add_settings(parser, model)
    parser.add_argument(
        "--price",
        action="append",
        default=[],
        metavar="WHAT=USD",
        help="cpu=0.07 or gpu=0.80 an hour; openai/model=0.75/4.50 for a million tokens read/written; repeat for each",
    )
    parser.add_argument("--watts", action="append", default=[], metavar="cpu|gpu=W", help="power of a machine at work")


def read(args: argparse.Namespace, model: type[AssumptionSettings]) -> dict[str, Any]:
    """What was given, as the object that the model reads. Raises InputError."""
    given = settings_given(args, model)
    tokens: dict[str, list[float]] = {}
    for text in args.price:
        what, numbers = _pair(text, "--price")
        if what in _MACHINES and len(numbers) == 1:
            given[f"{what}_usd_hour"] = numbers[0]
        elif what not in _MACHINES and len(numbers) == 2:
            tokens[what] = numbers
        else:
            raise InputError(f"--price {text} can't be read.", "Write cpu=0.07, or openai/model=0.75/4.50.")
    for text in args.watts:
        what, numbers = _pair(text, "--watts")
        if what not in _MACHINES or len(numbers) != 1:
            raise InputError(f"--watts {text} can't be read.", "Write cpu=30 or gpu=70.")
        given[f"{what}_watts"] = numbers[0]
    return given | ({"prices": tokens} if tokens else {})


def _pair(text: str, option: str) -> tuple[str, list[float]]:
    what, sign, numbers = text.rpartition("=")
    try:
        return what, [float(number) for number in numbers.split("/")] if sign else []
    except ValueError as error:
        raise InputError(f"{option} {text} has no number.", f"Write {option} cpu=0.07.") from error
