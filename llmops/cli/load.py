"""`load`: parallel requests against one candidate."""

import argparse
from typing import Any

from llmops.api.programs import load_data
from llmops.cli.answer import finish, interruptible_job
from llmops.cli.table import number, print_rows
from llmops.core.settings import load_settings
from llmops.runtime.pool import Pool

HELP = "parallel requests against a candidate: throughput, latency, failures"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--candidate", required=True, help="such as embedded/decoder@bf16 or openai/model")
    parser.add_argument("--task", default="medical")
    parser.add_argument("--levels", type=float, nargs="+", default=[1, 2, 4, 8], help="users, or arrivals a second")
    parser.add_argument("--loop", default="closed", help="closed: users; open: arrivals at a rate")
    parser.add_argument("--requests-each", type=int, default=16, help="requests a level")
    parser.add_argument("--max-new-tokens", type=int, default=32)
    parser.add_argument("--slo-ttft", type=float, default=2.0, help="seconds to the first token of a good request")
    parser.add_argument("--slo-tpot", type=float, default=0.1, help="seconds a token of a good request")
    parser.add_argument("--language")
    parser.add_argument("--base-url", help="address of an OpenAI-compatible server")
    parser.add_argument("--local-only", action="store_true", help="no text leaves this machine: remote models fail")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Print a line a level."""
    settings = load_settings()
    given: dict[str, Any] = {
        "levels": args.levels,
        "loop": args.loop,
        "requests_each": args.requests_each,
        "max_new_tokens": args.max_new_tokens,
        "slo_ttft_s": args.slo_ttft,
        "slo_tpot_s": args.slo_tpot,
        "language": args.language,
        "base_url": args.base_url,
        "local_only": args.local_only,
    }
    given = {name: value for name, value in given.items() if value is not None}
    pool = Pool(settings)
    data = load_data(pool, args.task, args.candidate, given, settings, interruptible_job())
    if not args.json and data["points"]:
        header = (
            "load",
            "requests",
            "failed",
            "req/s",
            "tok/s",
            "good/s",
            "TTFT p50",
            "p90",
            "p99",
            "TPOT p50",
            "p90",
            "p99",
            "MB each",
        )
        print_rows([header, *(_row(point) for point in data["points"])])
        print(f"good: first token within {args.slo_ttft:g} s, and {args.slo_tpot:g} s a token after it")
        for error in dict.fromkeys(error for point in data["points"] for error in point["errors"]):
            print(error)
    return finish(data, args.json)


def _row(point: dict[str, Any]) -> tuple[str, ...]:
    ttft, tpot = point["ttft_s"] or {}, point["tpot_s"] or {}
    return (
        f"{point['users']} users" if point["users"] else f"{point['rate']:g}/s",
        str(point["requests"]),
        str(point["failures"]),
        number(point["requests_per_s"], ".2f"),
        number(point["output_tokens_per_s"], ".1f"),
        number(point["goodput_per_s"], ".2f"),
        *(number(one.get(p), ".3f") for one in (ttft, tpot) for p in ("p50", "p90", "p99")),
        number(point["memory_per_request_bytes"], ".2f", 1e6),
    )
