"""`decide`: limits, cost, energy, Pareto front and a verdict, from an evaluation that was kept."""

import argparse
from typing import Any

from llmops.api.decision import decide_data
from llmops.cli import assumptions
from llmops.cli.answer import finish
from llmops.cli.table import number, print_rows
from llmops.core.errors import InputError
from llmops.core.format import money
from llmops.core.settings import load_settings
from llmops.decision.decide import AXES, QUALITY

HELP = "which candidate: hard limits, cost, energy and a verdict, from a kept evaluation"
_NAMES = (
    "stays_here", "no_gpu", "max_memory_gb", "max_p95_s", "max_cost", "min_macro_f1", "licences", "keep_unknown",
    "margin", "axis",
)  # fmt: skip


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("evaluation", nargs="?", type=int, help="its id (default: the newest)")
    parser.add_argument("--stays-here", action="store_true", help="data must not leave the machine")
    parser.add_argument("--no-gpu", action="store_true", help="there is no GPU to run on")
    parser.add_argument("--max-memory-gb", type=float, help="memory on this machine, in GB (1e9 bytes)")
    parser.add_argument("--max-p95-s", type=float, help="seconds that 95 of 100 texts may take")
    parser.add_argument("--max-cost", type=float, help="budget for 1,000 requests, in the chosen currency")
    parser.add_argument("--min-macro-f1", type=float, help="least quality, 0 to 1")
    parser.add_argument("--licence", action="append", dest="licences", help="one that is allowed; repeat for each")
    parser.add_argument("--keep-unknown", action="store_true", help="an unknown figure under a limit is no exclusion")
    parser.add_argument("--margin", type=float, help="how much less accurate a cheaper choice may be (0.05)")
    parser.add_argument("--axis", default="cost", help=f"what quality is set against: {', '.join(AXES)}")
    parser.add_argument(
        "--weight", action="append", default=[], metavar="NAME=N", help=f"{QUALITY}, {', '.join(AXES)}; repeat for each"
    )
    assumptions.add(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Print the board."""
    given = assumptions.read(args, _NAMES)
    if args.weight:
        given["weights"] = dict(_weight(text) for text in args.weight)
    data = decide_data(load_settings(), args.evaluation, given)
    if not args.json and not data["error"]:
        _print(data)
    return finish(data, args.json)


def _weight(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError as error:
        raise InputError(f"--weight {text} has no number.", "Write --weight quality=2.") from error


def _print(data: dict[str, Any]) -> None:
    about, at, decision = data["evaluation"], data["assumptions"], data["decision"]
    print(f"Evaluation {about['id']}: {about['task_name']}, {about['created']}, {about['machine']}")
    currency, grid = at["currency"], at["grid"]
    header = (
        "candidate", "front", "macro F1", "p95 s", "MB", f"{currency['code']}/1000", "Wh/1000", "g CO2/1000",
        "what leaves, or why it is out",
    )  # fmt: skip
    out = {one["candidate"]: " ".join(one["reasons"]) for one in decision["excluded"]}
    print_rows([header, *(_row(one, decision, currency, out) for one in data["candidates"])])
    about_choice = [one for one in data["break_even"] if decision["choice"] in (one["own"], one["api"])]
    for sentence in (*decision["verdict"], *(one["sentence"] for one in about_choice or data["break_even"])):
        print(sentence)
    machines = [f"{one['name']} at ${one['usd_hour']} an hour" for one in (at["cpu"], at["gpu"]) if one]
    rate = f"1 USD = {currency['per_usd']:g} {currency['code']} ({currency['date']})"
    print(
        f"Assumed: {', '.join(machines) or 'no machine'}; utilisation {at['utilisation']:.0%}; {rate}; "
        f"{grid['name']}, {grid['g_per_kwh']:g} g CO2/kWh ({grid['year']})."
    )


def _row(
    one: dict[str, Any], decision: dict[str, Any], currency: dict[str, Any], out: dict[str, str]
) -> tuple[str, ...]:
    name, energy = one["candidate"], one["energy"]
    mark = (
        "out" if name in out else "choice" if name == decision["choice"] else "yes" if name in decision["front"] else ""
    )
    return (
        name,
        mark,
        f"{one['macro_f1']:.3f}",
        number(one["p95_s"], ".3f"),
        number(one["memory_bytes"], ".1f", 1e6),
        money(one["cost_per_1000"], currency["sign"]),
        _range(energy["wh"], energy["source"]),
        _range(energy["co2_g"], energy["source"]),
        out.get(name) or one["privacy"],
    )


def _range(ends: list[float] | None, source: str) -> str:
    if ends is None:
        return ""
    low, high = (f"{end:.3g}" for end in ends)
    mark = " (measured)" if source == "client-measured" else " (est.)"
    return (low if low == high else f"{low} to {high}") + mark
