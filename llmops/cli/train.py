"""`train`: an encoder on a task's examples, kept under a name: trained/NAME is then a candidate."""

import argparse
import sys

from llmops.api.encoder_training import UnkeptEncoder, keep_encoder, train_encoder
from llmops.cli.answer import command_context, interruptible_job
from llmops.core.candidate import EMBEDDED_ENCODER
from llmops.core.errors import InputError
from llmops.core.settings import Settings
from llmops.data.task_files import find_task
from llmops.engines.encoder.store import EncoderStore, check_name
from llmops.engines.encoder.training import TrainingSettings, long_note

HELP = "an encoder on a task's examples, kept under a name"
_METHODS = ("few-shot", "setfit")


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("name", help="trained/NAME is the candidate afterwards")
    parser.add_argument("--task", default="medical", help="whose pool is learnt from: an id, or a task.toml")
    parser.add_argument("--base", default=EMBEDDED_ENCODER, help=f"model that is trained (default: {EMBEDDED_ENCODER})")
    parser.add_argument("--method", choices=_METHODS, default="setfit", help="default: setfit")
    parser.add_argument("--k", type=int, default=16, help="examples a class, at most (default: 16)")
    parser.add_argument("--seed", type=int, default=0, help="of examples and training (default: 0)")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Train, keep and say how to use it."""
    store = EncoderStore(settings)
    if check_name(args.name) in store.names():
        raise InputError(f"An encoder “{args.name}” is kept already.", "Choose another name.")
    context, job, trained = command_context(settings), interruptible_job(), None
    asked = TrainingSettings(args.base, args.method, args.k, args.seed)
    try:
        for event in train_encoder(context.pool, find_task(args.task, settings), asked, job):
            if isinstance(event, UnkeptEncoder):
                trained = event
            else:
                job.report(event.message, event.fraction)
        keep_encoder(trained, args.name, store)
    finally:
        context.pool.close()
    if trained is not None:
        print(f"trained/{args.name}: {args.method} on {args.base}, {trained.meta.examples} examples")
        if note := long_note(trained.meta.windowed):
            print(note, file=sys.stderr)
    return 0
