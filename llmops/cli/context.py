"""`context`: the same finding at several depths of growing text."""

import argparse
from typing import Any

from llmops.api.programs import context_data
from llmops.cli.answer import finish, interruptible_job
from llmops.cli.table import number, print_rows
from llmops.core.settings import load_settings
from llmops.runtime.pool import Pool

HELP = "where in how long a text a candidate misses the finding, and what length costs"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--candidate", required=True, help="such as embedded/decoder@bf16 or openai/model")
    parser.add_argument("--task", default="medical")
    parser.add_argument("--lengths", type=int, nargs="+", default=[64, 128, 256, 512, 1024], help="tokens of text")
    parser.add_argument("--depths", type=float, nargs="+", default=[0, 0.25, 0.5, 0.75, 1], help="0 start, 1 end")
    parser.add_argument("--finding", help="what to hide (default: the task's first held-out example)")
    parser.add_argument("--label", help="the finding's label")
    parser.add_argument("--language")
    parser.add_argument("--base-url", help="address of an OpenAI-compatible server")
    parser.add_argument("--local-only", action="store_true", help="no text leaves this machine: remote models fail")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Print a line a length."""
    settings = load_settings()
    names = ("lengths", "depths", "finding", "label", "language", "base_url", "local_only")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    pool = Pool(settings)
    data = context_data(pool, args.task, args.candidate, given, settings, interruptible_job())
    if not args.json:
        _print(data, args.depths)
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
