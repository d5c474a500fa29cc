"""`plan`: what a model needs, against every GPU; estimated, nothing is loaded."""

import argparse
from typing import Any

from llmops.api.programs import plan_data
from llmops.cli.answer import finish
from llmops.cli.table import number, print_rows
from llmops.core.settings import load_settings

HELP = "will a model fit, and how fast would it be: every GPU's verdict"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--model", required=True, help="catalogue or hub id, embedded/decoder, or a folder")
    parser.add_argument("--precision", default="bf16", help="fp32, bf16, fp16, int8 or nf4")
    parser.add_argument("--context", type=int, default=4096, help="tokens of prompt and answer together")
    parser.add_argument("--requests", type=int, default=1, help="requests at a time")
    parser.add_argument("--new-tokens", type=int, default=128, help="tokens of the answer")
    parser.add_argument("--gpu", help="one GPU by name (default: all)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Print the plan."""
    data = plan_data(
        load_settings(), args.model, args.precision, args.context, args.requests, args.new_tokens, args.gpu
    )
    if args.json or data["error"]:
        return finish(data, args.json)
    parts = ("weights_bytes", "kv_cache_bytes", "workspace_bytes", "overhead_bytes", "peak_bytes")
    sizes = ", ".join(f"{name.removesuffix('_bytes').replace('_', ' ')} {data[name] / 1e9:.2f} GB" for name in parts)
    print(f"{args.model} in {args.precision}, {args.context:,} tokens, {args.requests} at once: {sizes} (estimated)")
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
