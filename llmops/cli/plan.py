"""`plan`: what a model needs, against every GPU; estimated, nothing is loaded."""

import argparse
from typing import Any

from llmops.api.planning import plan_data
from llmops.cli.answer import finish
from llmops.cli.options import add_settings, settings_given
from llmops.cli.table import number, print_rows
from llmops.core.settings import Settings
from llmops.planning.settings import GivenPlan

HELP = "will a model fit, and how fast would it be: every GPU's verdict"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    add_settings(parser, GivenPlan)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the plan."""
    data = plan_data(settings, settings_given(args, GivenPlan))
    if args.json or data["error"]:
        return finish(data, args.json)
    parts = ("weights_bytes", "kv_cache_bytes", "workspace_bytes", "overhead_bytes", "peak_bytes")
    sizes = ", ".join(f"{name.removesuffix('_bytes').replace('_', ' ')} {data[name] / 1e9:.2f} GB" for name in parts)
    print(
        f"{data['model']} in {data['precision']}, {data['context']:,} tokens, {data['requests']} at once: "
        f"{sizes} (estimated)"
    )
    for note in data["notes"]:
        print(note)
    header = (
        "GPU",
        "USD/h",
        "fits",
        "requests",
        "context",
        "TTFT s",
        "tok/s",
        "USD/1000",
        "Wh/1000",
        "what would help",
    )
    print_rows([header, *(_row(verdict) for verdict in data["gpus"])])
    return 0


def _row(verdict: dict[str, Any]) -> tuple[str, ...]:
    figures = verdict["predicted"] if verdict["fits"] else {}
    return (
        verdict["name"],
        f"{verdict['usd_hour']:.2f} ({verdict['price_date']})" if verdict["usd_hour"] is not None else "",
        "yes" if verdict["fits"] else "no",
        f"{verdict['max_requests']:,}",
        f"{verdict['max_context']:,}",
        number(figures.get("ttft_s"), ".3f"),
        number(figures.get("decode_tokens_per_s"), ".1f"),
        number(figures.get("usd_per_1000"), ".3f"),
        number(figures.get("wh_per_1000"), ".1f"),
        "; ".join(part for part in (verdict["why_not"], verdict["remedy"], verdict["note"]) if part),
    )
