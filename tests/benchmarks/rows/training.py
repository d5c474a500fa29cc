"""Learning from 8 examples a class: ours against setfit's Trainer with its quickstart's settings, ten seeds."""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import mean
from typing import Any

from llmops.core.task import Example
from llmops.engines.encoder import body, files, training
from tests.benchmarks.measure import Measured, Row, Sides
from tests.benchmarks.texts import TASK

_K, _SEEDS = 8, 10


def _fresh() -> Any:
    return body.load_body(files.embedded_folder(), "embedded/encoder")


def _ours(method: str, examples: list[Example], seed: int) -> tuple[float, float]:
    """(seconds, held-out accuracy); reading the weights is in neither side's seconds."""
    model = _fresh()
    started = time.perf_counter()
    done = next(
        event
        for event in training.train(model, method, examples, seed, threading.Event())
        if isinstance(event, training.Trained)
    )
    seconds = time.perf_counter() - started
    test = TASK.split("test")
    vectors = body.embed_all(body.TorchBody(done.model), [example.text for example in test])
    said = [done.head.labels[index] for index in done.head.probabilities(vectors).argmax(axis=1)]
    return seconds, mean(label == example.label for label, example in zip(said, test, strict=True))


def _library(examples: list[Example], seed: int, tiny: bool) -> tuple[float, float]:
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments
    from sklearn.linear_model import LogisticRegression

    labels = list(TASK.label_ids)
    model = SetFitModel(model_body=_fresh(), model_head=LogisticRegression(), labels=labels)
    data = Dataset.from_dict({"text": [e.text for e in examples], "label": [labels.index(e.label) for e in examples]})
    with tempfile.TemporaryDirectory() as folder:
        settings = {"num_iterations": 1, "num_epochs": 1} if tiny else {"num_iterations": 20, "num_epochs": 2}
        arguments = TrainingArguments(
            output_dir=folder, batch_size=16, seed=seed, report_to="none", save_strategy="no",
            show_progress_bar=False, **settings,
        )  # fmt: skip
        started = time.perf_counter()
        Trainer(model=model, args=arguments, train_dataset=data).train()
        seconds = time.perf_counter() - started
    model.model_body.eval()
    test = TASK.split("test")
    said = model.predict([example.text for example in test])
    return seconds, mean(str(label) == example.label for label, example in zip(said, test, strict=True))


_KNOWN: dict[tuple[int, bool], tuple[float, float]] = {}  # the same baseline serves both rows of one process


def _row(name: str, what: str, method: str, at_least: float, no_worse: bool) -> Row:
    @contextmanager
    def prepare(tiny: bool) -> Iterator[Sides]:
        def examples(seed: int) -> list[Example]:
            return training.pick_examples(TASK, 2 if tiny else _K, seed)

        def ours(repeat: int) -> Measured:
            return Measured(*_ours(method, examples(repeat), repeat))

        def baseline(repeat: int) -> Measured:
            if (repeat, tiny) not in _KNOWN:
                _KNOWN[repeat, tiny] = _library(examples(repeat), repeat, tiny)
            return Measured(*_KNOWN[repeat, tiny])

        def same(ours: list[float], baseline: list[float]) -> str:
            if no_worse and not tiny:
                assert mean(ours) >= mean(baseline), f"held out {mean(ours):.3f} against {mean(baseline):.3f}"
            return f"held-out accuracy {mean(ours):.3f} against {mean(baseline):.3f}, mean of {len(ours)} seeds"

        _ours("few-shot", examples(99), 99)  # imports and first calls, for both
        yield Sides(ours, baseline, same)

    against = "setfit's `Trainer`, 2 epochs, 20 iterations, batch 16"
    return Row(name, what, against, "s", prepare, at_least=at_least, repeats=_SEEDS)


ROWS = (
    _row("setfit", "SetFit on 8 examples a class", "setfit", 4, no_worse=True),
    _row("few-shot", "few-shot head on 8 a class", "few-shot", 100, no_worse=False),
)
