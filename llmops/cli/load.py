"""`load`: parallel requests against one candidate."""

import argparse
from typing import Any

from llmops.api.probes import load_data
from llmops.cli.answer import command_context, finish, interruptible_job
from llmops.cli.options import add_settings, settings_given
from llmops.cli.table import number, print_rows
from llmops.core.settings import Settings
from llmops.data.task_files import find_task
from llmops.probes.load import GivenLoad

HELP = "parallel requests against a candidate: throughput, latency, failures"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--candidate", required=True, help="such as embedded/decoder@bf16 or openai/model")
    parser.add_argument("--task", default="medical", help="an id, or the path of a task.toml")
    add_settings(parser, GivenLoad)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print a line a level."""
    given = settings_given(args, GivenLoad)
    data = load_data(
        command_context(settings), find_task(args.task, settings), args.candidate, given, interruptible_job()
    )
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
        slo_ttft_s, slo_tpot_s = data["points"][0]["slo_ttft_s"], data["points"][0]["slo_tpot_s"]
        print(f"good: first token within {slo_ttft_s:g} s, and {slo_tpot_s:g} s a token after it")
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
        *(number(times.get(p), ".3f") for times in (ttft, tpot) for p in ("p50", "p90", "p99")),
        number(point["memory_per_request_bytes"], ".2f", 1e6),
    )
