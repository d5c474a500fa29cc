"""Options that `decide` and `cascade` share: prices, machines, currency, grid. Not a command itself."""

import argparse
from collections.abc import Sequence
from typing import Any

from llmops.core.errors import InputError

_NAMES = ("cpu_machine", "gpu_machine", "currency", "per_usd", "grid", "g_per_kwh", "utilisation", "together")
_MACHINES = ("cpu", "gpu")


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument(
        "--price",
        action="append",
        default=[],
        metavar="WHAT=USD",
        help="cpu=0.07 or gpu=0.80 an hour; openai/model=0.75/4.50 for a million tokens read/written; repeat for each",
    )
    parser.add_argument("--watts", action="append", default=[], metavar="cpu|gpu=W", help="power of a machine at work")
    parser.add_argument("--cpu-machine", help="where CPU work would run (default: as many cores as it ran on)")
    parser.add_argument("--gpu-machine", help="a GPU of the catalogue (default: the one it ran on)")
    parser.add_argument("--currency", help="USD or EUR")
    parser.add_argument("--per-usd", type=float, metavar="RATE", help="what one US dollar is worth in it")
    parser.add_argument("--grid", help="DE, FR, US …: grams of CO2 a kilowatt-hour")
    parser.add_argument("--g-per-kwh", type=float, metavar="GRAMS", help="your own grid's instead")
    parser.add_argument("--together", action="store_true", help="requests come many at once: times of batches count")
    parser.add_argument("--utilisation", type=float, help="share of the hours a machine is at work (0.3)")


def read(args: argparse.Namespace, names: Sequence[str] = ()) -> dict[str, Any]:
    """What was given, as the object that decision.programs reads; `names`: further options. Raises InputError."""
    found = {name: getattr(args, name) for name in (*_NAMES, *names)}
    given: dict[str, Any] = {name: value for name, value in found.items() if value not in (None, False, [])}
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
