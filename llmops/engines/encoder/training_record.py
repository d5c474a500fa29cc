"""What a kept encoder remembers of its training: how it was made, and a mark of every text that it learnt from."""

import hashlib

from llmops.core.task import Task
from llmops.engines.encoder.store import EncoderMeta
from llmops.engines.encoder.training import Trained, TrainingSettings, pick_examples


def training_record(task: Task, settings: TrainingSettings, trained: Trained) -> EncoderMeta:
    """The record of a training that `train_named` did with the same settings. Raises InputError as it does."""
    learnt = tuple(text_mark(example.text) for example in pick_examples(task, settings.k, settings.seed))
    return EncoderMeta(
        task_id=task.id,
        method=settings.method,
        base=settings.base,
        labels=trained.head.labels,
        k=settings.k,
        seed=settings.seed,
        examples=trained.examples,
        has_body=settings.method == "setfit",
        learnt=learnt,
        windowed=trained.windowed,
    )


def plain(text: str) -> str:
    """A text as it is compared: case and white space do not count."""
    return " ".join(text.casefold().split())


def text_mark(text: str) -> str:
    """What stands for a training text: 16 hexadecimal digits, no words."""
    return hashlib.sha256(plain(text).encode()).hexdigest()[:16]
