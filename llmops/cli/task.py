"""`task init`: a labelled file as a task in one file, and what was understood of it."""

import argparse
import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmops.cli.reference import REFERENCE_HELP, add_sample, read_reference, reference_name
from llmops.cli.table import print_rows
from llmops.core.errors import InputError
from llmops.core.settings import Settings
from llmops.data.columns import ColumnMap
from llmops.data.own_task import OwnTask, own_task
from llmops.data.task_files import write_task

HELP = "a labelled file as a task of your own, which --task takes"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    actions = parser.add_subparsers(dest="action", required=True)
    init = actions.add_parser("init", help=HELP, description=HELP)
    init.add_argument("data", help=f"a text and a label a row: {REFERENCE_HELP}")
    init.add_argument("out", type=Path, help="the file that is written, such as task.toml")
    add_sample(init)
    init.add_argument("--text-column", help="default: by name and content")
    init.add_argument("--label-column", help="default: by name and content")
    init.add_argument("--language-column", help="default: by its name, if any")
    init.add_argument(
        "--split-column", help="which rows are to learn from (pool) and to test on (test); default: halves"
    )
    init.add_argument("--language", help="of the texts, where no column says (default: en or de, as they read)")
    init.add_argument("--name", help="of the task (default: the file's)")
    init.add_argument("--force", action="store_true", help="write over a file that is there")
    init.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Write the task and print how the file was read."""
    if args.out.exists() and not args.force:
        raise InputError(f"{args.out} is there already.", "Choose another name, or add --force.")
    columns = (args.text_column, args.label_column, args.language_column, args.split_column)
    mapping = ColumnMap(*columns) if any(columns) else None
    table = read_reference(args.data, settings, sample=args.sample, label=args.label_column)
    found = own_task(table, args.name or reference_name(args.data), mapping, args.language)
    task = replace(found.task, id=args.out.stem, name=args.name or found.task.name)
    try:
        write_task(task, args.out)
    except OSError as error:
        raise InputError(f"{args.out} can't be written ({error.strerror}).", "Check the folder.") from error
    data = _data(found)
    if args.json:
        print(json.dumps(data, ensure_ascii=False, indent=2))
        return 0
    print_rows([("label", "texts"), *((label, str(count)) for label, count in data["labels"].items())])
    for sentence in found.read.sentences():
        print(sentence, file=sys.stderr)
    print(f"{args.out}: {data['texts']} texts; use it with --task {args.out}", file=sys.stderr)
    return 0


def _data(found: OwnTask) -> dict[str, Any]:
    """texts, labels (label → count), languages, splits, skipped (row, column, reason), notes."""
    examples = found.task.examples
    return {
        "texts": len(examples),
        "labels": dict(Counter(example.label for example in examples)),
        "languages": dict(Counter(example.language for example in examples)),
        "splits": dict(Counter(example.split for example in examples)),
        "skipped": [
            {"row": problem.row, "column": problem.column, "reason": problem.what}
            for problem in found.read.problems
            if problem.skipped
        ],
        "notes": [*found.read.notes, *(str(problem) for problem in found.read.problems if not problem.skipped)],
    }
