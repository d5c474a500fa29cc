"""`dry-run`: a model's real shape with random weights, measured on this machine beside what was predicted."""

import argparse
from typing import Any

from llmops.api.planning import dry_run_data
from llmops.cli.answer import command_context, finish, interruptible_job
from llmops.cli.options import add_settings, settings_given
from llmops.cli.table import number, print_rows
from llmops.core.settings import Settings
from llmops.planning.settings import GivenDryRun

HELP = "measure a model's shape with random weights, before downloading it"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    add_settings(parser, GivenDryRun)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print predicted and measured."""
    data = dry_run_data(command_context(settings), settings_given(args, GivenDryRun), interruptible_job())
    if args.json or data["error"]:
        return finish(data, args.json)
    print(
        f"{data['model']} in {data['precision']}, {data['layers']} of {data['of_layers']} layers, on {data['device']}"
    )
    whole = data["layers"] != data["of_layers"]
    header = ("", "predicted", "measured", "gap", "all layers (estimated)" if whole else "")
    print_rows([header, *_rows(data, whole)])
    for note in data["notes"]:
        print(note)
    return 0


def _rows(data: dict[str, Any], whole: bool) -> list[tuple[str, ...]]:
    kinds = (
        ("weights MB", "weights_bytes", ".1f", 1e6),
        ("KV cache MB", "kv_cache_bytes", ".2f", 1e6),
        ("peak MB", "peak_bytes", ".1f", 1e6),
        ("load s", "load_s", ".2f", 1.0),
        ("TTFT s", "ttft_s", ".3f", 1.0),
        ("prefill tok/s", "prefill_tokens_per_s", ".1f", 1.0),
        ("decode tok/s", "decode_tokens_per_s", ".1f", 1.0),
    )
    return [
        (
            title,
            number(data["predicted"][name], form, scale),
            number(data["measured"][name], form, scale),
            number(data["gaps"].get(name), "+.1%"),
            number(data["whole"][name], form, scale) if whole else "",
        )
        for title, name, form, scale in kinds
    ]
