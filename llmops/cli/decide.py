"""`decide`: limits, cost, energy, Pareto front and a verdict, from an evaluation that was kept."""

import argparse
from typing import Any

from llmops.api.decision import decide_data
from llmops.cli import assumptions
from llmops.cli.answer import finish
from llmops.cli.table import number, print_rows
from llmops.core.errors import InputError
from llmops.core.format import money
from llmops.core.settings import Settings
from llmops.decision.decide import AXES, QUALITY
from llmops.decision.decision_report import DecisionSettings

HELP = "which candidate: hard limits, cost, energy and a verdict, from a kept evaluation"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("evaluation", nargs="?", type=int, help="its id (default: the newest)")
    parser.add_argument(
        "--weight", action="append", default=[], metavar="NAME=N", help=f"{QUALITY}, {', '.join(AXES)}; repeat for each"
    )
    assumptions.add(parser, DecisionSettings)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the board."""
    given = assumptions.read(args, DecisionSettings)
    if args.weight:
        given["weights"] = dict(_weight(text) for text in args.weight)
    data = decide_data(settings, args.evaluation, given)
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
    out = {excluded["candidate"]: " ".join(excluded["reasons"]) for excluded in decision["excluded"]}
    print_rows([header, *(_row(figures, decision, currency, out) for figures in data["candidates"])])
    break_evens = data["break_even"]
    about_choice = [pair for pair in break_evens if decision["choice"] in (pair["own"], pair["api"])]
    for sentence in (*decision["verdict"], *(pair["sentence"] for pair in about_choice or break_evens)):
        print(sentence)
    machines = [f"{where['name']} at ${where['usd_hour']} an hour" for where in (at["cpu"], at["gpu"]) if where]
    rate = f"1 USD = {currency['per_usd']:g} {currency['code']} ({currency['date']})"
    print(
        f"Assumed: {', '.join(machines) or 'no machine'}; utilisation {at['utilisation']:.0%}; {rate}; "
        f"{grid['name']}, {grid['g_per_kwh']:g} g CO2/kWh ({grid['year']})."
    )


def _row(
    figures: dict[str, Any], decision: dict[str, Any], currency: dict[str, Any], out: dict[str, str]
) -> tuple[str, ...]:
    name, energy = figures["candidate"], figures["energy"]
    mark = (
        "out" if name in out else "choice" if name == decision["choice"] else "yes" if name in decision["front"] else ""
    )
    return (
        name,
        mark,
        f"{figures['macro_f1']:.3f}",
        number(figures["p95_s"], ".3f"),
        number(figures["memory_bytes"], ".1f", 1e6),
        money(figures["cost_per_1000"], currency["sign"]),
        _range(energy["wh"], energy["source"]),
        _range(energy["co2_g"], energy["source"]),
        out.get(name) or figures["privacy"],
    )


def _range(ends: list[float] | None, source: str) -> str:
    if ends is None:
        return ""
    low, high = (f"{end:.3g}" for end in ends)
    mark = " (measured)" if source == "client-measured" else " (est.)"
    return (low if low == high else f"{low} to {high}") + mark
