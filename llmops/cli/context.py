"""`context`: the same finding at several depths of growing text."""

import argparse
from typing import Any

from llmops.api.probes import context_data
from llmops.cli.answer import command_context, finish, interruptible_job
from llmops.cli.options import add_settings, settings_given
from llmops.cli.table import number, print_rows
from llmops.core.given import forms
from llmops.core.settings import Settings
from llmops.data.task_files import find_task
from llmops.probes.context import GivenContext

HELP = "where in how long a text a candidate misses the finding, and what length costs"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--candidate", required=True, help="such as embedded/decoder@bf16 or openai/model")
    parser.add_argument("--task", default="medical", help="an id, or the path of a task.toml")
    add_settings(parser, GivenContext)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print a line a length."""
    given = settings_given(args, GivenContext)
    data = context_data(
        command_context(settings), find_task(args.task, settings), args.candidate, given, interruptible_job()
    )
    if not args.json:
        _print(data, args.depths or forms(GivenContext)["depths"].default)
    return finish(data, args.json)


def _print(data: dict[str, Any], depths: list[float]) -> None:
    header = ("tokens", *(f"{depth:.0%}" for depth in depths), "TTFT s", "tok/s", "KV MB")
    rows = []
    for length in dict.fromkeys(cell["length"] for cell in data["cells"]):
        cells = [cell for cell in data["cells"] if cell["length"] == length]
        marks = {cell["depth"]: "right" if cell["right"] else cell["label"] or "unparsed" for cell in cells}
        last = cells[-1]
        rows.append(
            (
                str(last["prompt_tokens"] or length),
                *(marks.get(depth, "") for depth in depths),
                number(last["ttft_s"], ".3f"),
                number(last["decode_tokens_per_s"], ".1f"),
                number(last["kv_cache_bytes"], ".2f", 1e6),
            )
        )
    if rows:
        print_rows([header, *rows])
    if data["ended"]:
        print(f"Ended at {data['ended']['length']:,} tokens: {data['ended']['message']}")
