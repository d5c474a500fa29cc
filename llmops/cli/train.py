"""`train`: an encoder on a task's examples, kept under a name: trained/NAME is then a candidate."""

import argparse
import sys

from llmops.api.encoder_training import GivenTraining, train_and_keep
from llmops.cli.answer import command_context, interruptible_job
from llmops.cli.options import add_settings, settings_given
from llmops.core.candidate import EMBEDDED_ENCODER
from llmops.core.settings import Settings
from llmops.data.task_files import find_task
from llmops.engines.encoder.training import long_note

HELP = "an encoder on a task's examples, kept under a name"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("name", help="trained/NAME is the candidate afterwards")
    parser.add_argument("--task", default="medical", help="whose pool is learnt from: an id, or a task.toml")
    parser.add_argument("--base", default=EMBEDDED_ENCODER, help=f"model that is trained (default: {EMBEDDED_ENCODER})")
    add_settings(parser, GivenTraining)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Train, keep and say how to use it."""
    context, job = command_context(settings), interruptible_job()
    asked = GivenTraining.read(settings_given(args, GivenTraining)).training(args.base)
    try:
        kept = train_and_keep(context.pool, find_task(args.task, settings), asked, args.name, job)
    finally:
        context.pool.close()
    print(f"trained/{args.name}: {kept.method} on {kept.base}, {kept.examples} examples")
    if note := long_note(kept.windowed):
        print(note, file=sys.stderr)
    return 0
