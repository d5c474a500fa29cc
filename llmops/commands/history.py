"""`history`: list evaluations; show, annotate, delete or export one; take in another machine's."""

import argparse
import json
from pathlib import Path

from llmops.commands.table import print_rows
from llmops.evaluation.runner import summary
from llmops.history.export import export
from llmops.history.store import History
from llmops.settings import load_settings

HELP = "evaluations that were kept: list, show, export, import"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("id", nargs="?", type=int, help="one evaluation (default: list all)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--export", type=Path, metavar="FILE", help="write it as .xlsx, .csv or .jsonl")
    what.add_argument("--note", help="keep a note with it")
    what.add_argument("--delete", action="store_true", help="remove it and its runs")
    what.add_argument("--import", dest="take_in", type=Path, metavar="FILE", help="another machine's history.sqlite")


def run(args: argparse.Namespace) -> int:
    """Do what was asked, or print."""
    history = History(load_settings().history_path)
    if args.take_in:
        added = history.take_in(args.take_in)
        print(f"{len(added)} evaluations taken in: {', '.join(map(str, added))}" if added else "Nothing new in it.")
    elif args.id is None:
        header = ("id", "created", "task", "candidates", "machine", "note")
        rows = [
            (str(one.id), one.created, one.task_name, str(len(one.candidates)), one.machine, one.note)
            for one in history.evaluations()
        ]
        print_rows([header, *rows])
    elif args.export:
        export(history, args.id, args.export)
        print(f"Written: {args.export}")
    elif args.note is not None:
        history.annotate(args.id, args.note)
    elif args.delete:
        history.delete(args.id)
    else:
        print(json.dumps(summary(history, args.id), ensure_ascii=False, indent=2))
    return 0
