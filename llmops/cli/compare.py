"""`compare`: one text through several candidates, as the page does it; a table or JSON."""

import argparse
import json
import sys
from collections.abc import Sequence

from llmops.api.inputs import make_comparison
from llmops.cli.table import print_rows
from llmops.compare.comparison import run_all
from llmops.compare.recorder import Recorder
from llmops.core.run import Run
from llmops.core.settings import load_settings
from llmops.data.builtin import builtin_ids, load_builtin
from llmops.runtime.pool import Pool

HELP = "one text through several candidates"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("text", help="the text; - reads standard input")
    parser.add_argument("--task", default="medical", help=f"task id: {', '.join(builtin_ids())}")
    parser.add_argument(
        "--candidate",
        action="append",
        required=True,
        metavar="CANDIDATE",
        help="model-id@precision, such as embedded/decoder@bf16; repeat for each",
    )
    parser.add_argument("--language", help="language code of prompt and text (default: as the text reads)")
    parser.add_argument("--max-new-tokens", type=int)
    parser.add_argument("--temperature", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--base-url", help="address of an OpenAI-compatible server; keys come from the environment")
    parser.add_argument("--provider", help="inference provider of hosted candidates")
    parser.add_argument("--truncate", action="store_true", help="cut a text that is too long, instead of failing")
    parser.add_argument("--unload-after", action="store_true", help="free each model and say what stays behind")
    parser.add_argument("--local-only", action="store_true", help="no text leaves this machine: remote models fail")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Print the runs; 1 where one failed."""
    settings = load_settings()
    names = (
        "language",
        "max_new_tokens",
        "temperature",
        "seed",
        "base_url",
        "provider",
        "truncate",
        "unload_after",
        "local_only",
    )
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    text = sys.stdin.read() if args.text == "-" else args.text
    pool = Pool(settings)
    try:
        comparison = make_comparison(pool, load_builtin(args.task), text, args.candidate, given, settings)
        recorder = Recorder(settings.history_path, "", "command", comparison)
        runs = run_all(comparison, recorder.take)
    finally:
        pool.close()
    if trouble := recorder.settle():
        print(trouble, file=sys.stderr)
    if args.json:
        print(json.dumps({"runs": [run.to_json() for run in runs]}, ensure_ascii=False, indent=2))
    else:
        _print_table(runs)
    return 1 if any(run.error for run in runs) else 0


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
