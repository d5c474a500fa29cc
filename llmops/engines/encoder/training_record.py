"""What a kept encoder remembers of its training: how it was made, and a mark of every text that it learnt from."""

import hashlib

from llmops.core.task import Task
from llmops.engines.encoder.store import Meta
from llmops.engines.encoder.training import Trained, pick_examples


def training_record(task: Task, base: str, method: str, k: int, seed: int, trained: Trained) -> Meta:
    """The record of a training that `train_named` did with the same values. Raises InputError as it does."""
    learnt = tuple(text_mark(example.text) for example in pick_examples(task, k, seed))
    has_body = method == "setfit"
    return Meta(task.id, method, base, trained.head.labels, k, seed, trained.examples, has_body, learnt)


def plain(text: str) -> str:
    """A text as it is compared: case and white space do not count."""
    return " ".join(text.casefold().split())


def text_mark(text: str) -> str:
    """What stands for a training text: 16 hexadecimal digits, no words."""
    return hashlib.sha256(plain(text).encode()).hexdigest()[:16]
