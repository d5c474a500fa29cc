"""`export`: an evaluation as XLSX, CSV, JSONL, or an HTML report that stands alone."""

import argparse
from pathlib import Path

from llmops.core.settings import Settings
from llmops.history.store import History
from llmops.i18n.translation import LANGUAGES
from llmops.report.export import FORMATS, export

HELP = "an evaluation as a spreadsheet, as lines, or as a report"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("id", type=int, help="the evaluation")
    parser.add_argument("file", type=Path, help=f"where to; it ends in {', '.join(f'.{kind}' for kind in FORMATS)}")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of the HTML report (default: en)")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Write the file."""
    export(History(settings.history_path), args.id, args.file, language=args.language)
    print(f"Written: {args.file}")
    return 0
