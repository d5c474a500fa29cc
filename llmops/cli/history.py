"""`history`: what was kept; show, compare, annotate, delete or export one; take in another machine's."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from llmops.cli.table import number, print_rows
from llmops.core.settings import Settings
from llmops.evaluation.side_by_side import SideBySide, side_by_side
from llmops.evaluation.summary import summary
from llmops.history import recorded
from llmops.history.exchange import hand_out, take_in
from llmops.history.store import History
from llmops.i18n.translation import LANGUAGES
from llmops.report.export import export

HELP = "evaluations, comparisons and learning curves that were kept"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("id", nargs="?", type=int, help="one of them (default: list all)")
    parser.add_argument("--comparison", action="store_true", help="the id is a single comparison's")
    parser.add_argument("--curve", action="store_true", help="the id is a learning curve's")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--beside", type=int, metavar="ID", help="lay another evaluation beside it")
    what.add_argument("--export", type=Path, metavar="FILE", help="write it as .xlsx, .csv, .jsonl or .html")
    what.add_argument("--note", help="keep a note with it")
    what.add_argument("--delete", action="store_true", help="remove it and its runs")
    what.add_argument("--import", dest="take_in", type=Path, metavar="FILE", help="another machine's history.sqlite")
    what.add_argument("--hand-out", type=Path, metavar="FILE", help="write all of it as a file for another machine")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of an exported HTML report (default: en)")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked, or print."""
    history = History(settings.history_path)
    recorded.offer(history.path)
    kind = "comparison" if args.comparison else "curve" if args.curve else "evaluation"
    if args.take_in:
        added = take_in(history, args.take_in)
        print(f"{len(added)} evaluations taken in: {', '.join(map(str, added))}" if added else "Nothing new in it.")
    elif args.hand_out:
        hand_out(history, args.hand_out)
        print(f"Written: {args.hand_out}")
    elif args.id is None:
        _list(history)
    elif args.beside is not None and kind == "evaluation":
        _print_beside(side_by_side(history, args.id, args.beside))
    elif args.export and kind == "evaluation":
        export(history, args.id, args.export, language=args.language)
        print(f"Written: {args.export}")
    elif args.note is not None:
        history.kinds[kind].annotate(args.id, args.note)
    elif args.delete:
        history.kinds[kind].delete(args.id)
    else:
        _show(history, kind, args.id)
    return 0


def _list(history: History) -> None:
    print("Evaluations")
    header = ("id", "created", "task", "candidates", "machine", "from", "note")
    rows = [
        (str(e.id), e.created, e.task_name, str(len(e.candidates)), e.machine, e.origin, e.note)
        for e in history.evaluations.newest()
    ]
    print_rows([header, *rows])
    print("\nComparisons")
    header = ("id", "created", "task", "candidates", "by", "text", "note")
    rows = [
        (str(c.id), c.created, c.task_name, str(len(c.candidates)), c.source, " ".join(c.text.split())[:60], c.note)
        for c in history.comparisons.newest(history.comparisons.most_listed)
    ]
    print_rows([header, *rows])
    print("\nLearning curves")
    header = ("id", "created", "task", "points", "base", "method", "note")
    rows = [
        (str(curve.id), curve.created, curve.task_name, str(len(curve.points)), curve.base, curve.method, curve.note)
        for curve in history.curves.newest()
    ]
    print_rows([header, *rows])


def _show(history: History, kind: str, number: int) -> None:
    shown = summary(history, number) if kind == "evaluation" else asdict(history.kinds[kind].get(number))
    if kind == "comparison":
        shown["runs"] = [run and run.to_json() for run in history.comparisons.runs(number)]
    print(json.dumps(shown, ensure_ascii=False, indent=2))


def _print_beside(both: SideBySide) -> None:
    for name, side in (("A", both.one), ("B", both.other)):
        origin = f", from {side.origin}" if side.origin else ""
        print(f"{name}: evaluation {side.id}, {side.created}, {side.machine}{origin}")
    header = ("candidate", "A accuracy", "B accuracy", "agree", "A p50 s", "B p50 s", "A texts/s", "B texts/s")
    rows = []
    for each in both.candidates:
        sides = (each.one, each.other)
        rows.append(
            (
                each.candidate,
                *(number(side.accuracy if side else None, ".3f") for side in sides),
                number(each.agreement, ".1%"),
                *(number((side.e2e_s or {}).get("p50") if side else None, ".4f") for side in sides),
                *(number(side.texts_per_s if side else None, ".1f") for side in sides),
            )
        )
    print_rows([header, *rows])
