"""`compare`: one text through several candidates, as the page does it; a table or JSON."""

import argparse
import json
import sys
from collections.abc import Sequence

from llmops.api.compare import make_comparison, run_comparison
from llmops.cli.answer import command_context
from llmops.cli.options import add_settings, settings_given
from llmops.cli.table import print_rows
from llmops.core.run import Run
from llmops.core.run_settings import GivenRunSettings
from llmops.core.settings import Settings
from llmops.data.builtin import builtin_ids
from llmops.data.task_files import find_task
from llmops.public.quotas import Visitor

HELP = "one text through several candidates"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("text", help="the text; - reads standard input")
    parser.add_argument("--task", default="medical", help=f"{', '.join(builtin_ids())}, or the path of a task.toml")
    parser.add_argument(
        "--candidate",
        action="append",
        required=True,
        metavar="CANDIDATE",
        help="model-id@precision, such as embedded/decoder@bf16; repeat for each",
    )
    add_settings(parser, GivenRunSettings)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the runs; 1 where one failed."""
    text = sys.stdin.read() if args.text == "-" else args.text
    context, given = command_context(settings), settings_given(args, GivenRunSettings)
    try:
        comparison = make_comparison(context, find_task(args.task, context.settings), text, args.candidate, given)
        compared = run_comparison(context, Visitor(), comparison)
    finally:
        context.pool.close()
    if compared.history_error:
        print(compared.history_error, file=sys.stderr)
    if args.json:
        print(json.dumps(compared.to_json(), ensure_ascii=False, indent=2))
    else:
        _print_table(compared.runs)
    return 1 if any(run.error for run in compared.runs) else 0


def _print_table(runs: Sequence[Run]) -> None:
    header = ("candidate", "label", "p", "E2E s", "TTFT s", "tok/s", "weights MB", "peak MB", "answer or error")
    print_rows([header, *(_row(run) for run in runs)])


def _row(run: Run) -> tuple[str, ...]:
    if run.error:
        return (run.candidate, "failed", "", "", "", "", "", "", f"{run.error.message} {run.error.remedy}".strip())
    probability = (run.probabilities or {}).get(run.label or "")
    megabytes = [
        value / 1e6 if value is not None else None for value in (run.memory.weights_bytes, run.memory.peak_bytes)
    ]
    figures = (probability, run.timing.e2e_s, run.timing.ttft_s, run.timing.decode_rate, *megabytes)
    formats = (".3f", ".4f", ".4f", ".1f", ".1f", ".1f")
    cells = ("" if value is None else format(value, form) for value, form in zip(figures, formats, strict=True))
    label = run.label or ("unparsed" if run.unparsed else "")
    return (run.candidate, label, *cells, " ".join(run.text.split()))
