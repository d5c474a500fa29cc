"""The encoder on a CPU: ours in int8 against SetFit's own predict() in fp32, same head, same texts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llmops.core.candidate import parse_candidate
from llmops.core.events import Finished
from llmops.core.request import Job, Request
from llmops.core.settings import load_settings
from llmops.engines.encoder.engine import make
from tests.benchmarks.measure import Measured, Row, Sides, timed
from tests.benchmarks.texts import TASK, texts
from tests.support.kept_encoders import encoder_store

_K = 16
_NAME = "benchmark"
_ALIKE = 0.99  # of the labels


def load(precision: str, tiny: bool) -> Any:
    """An encoder tuned by SetFit, kept, and loaded by our engine in a precision; warmed up."""
    from llmops.engines.encoder import body, files, store, training

    if _NAME not in encoder_store().names():
        k = 2 if tiny else _K
        fresh = body.load_body(files.embedded_folder(), "embedded/encoder")
        *_, done = training.train(fresh, "setfit", training.pick_examples(TASK, k, 0), 0, threading.Event())
        meta = store.EncoderMeta(
            TASK.id, "setfit", "embedded/encoder", done.head.labels, k, 0, done.examples, has_body=True
        )
        encoder_store().save(_NAME, done.model, done.head, meta)
    candidate = parse_candidate(f"trained/{_NAME}@{precision}")
    model = make(load_settings()).load(candidate, TASK, Job())
    model.warm_up()
    return model


def library() -> Any:
    """The same weights as setfit's own model: body in fp32, head as a scikit-learn object."""
    import numpy as np
    from setfit import SetFitModel
    from sklearn.linear_model import LogisticRegression

    from llmops.engines.encoder import body

    kept = encoder_store().load(_NAME)
    head = LogisticRegression()
    head.classes_ = np.array(kept.head.labels)
    head.coef_, head.intercept_ = kept.head.coef[1:], kept.head.intercept[1:]  # two labels: the first row is zero
    return SetFitModel(model_body=body.load_body(kept.folder / "body", _NAME), model_head=head)


def _many(precision: str, at_least: float) -> Row:
    @contextmanager
    def prepare(tiny: bool) -> Iterator[Sides]:
        model, plain = load(precision, tiny), library()
        asked = texts(40 if tiny else 1000)
        requests = [Request(TASK, text, TASK.languages[0]) for text in asked]

        def ours(repeat: int) -> Measured:
            done = timed(lambda: [run.label for run in model.run_batch(requests)])
            return Measured(len(asked) / done.value, done.result)

        def baseline(repeat: int) -> Measured:
            done = timed(lambda: [str(label) for label in plain.predict(asked)])
            return Measured(len(asked) / done.value, done.result)

        ours(0), plain.predict(asked[:32])
        yield Sides(ours, baseline, _alike)

    name = f"encoder-1000-{precision}"
    what = f"encoder, 1,000 texts, {precision}"
    return Row(name, what, "`SetFitModel.predict`, fp32", "texts/s", prepare, at_least=at_least, more_is_better=True)


def _one(precision: str, at_least: float) -> Row:
    @contextmanager
    def prepare(tiny: bool) -> Iterator[Sides]:
        model, plain = load(precision, tiny), library()
        asked = texts(4 if tiny else 50)

        def ours(repeat: int) -> Measured:
            labels, seconds = [], []
            for text in asked:
                run = next(e.run for e in model.run(Request(TASK, text, TASK.languages[0])) if isinstance(e, Finished))
                labels.append(run.label)
                seconds.append(run.timing.e2e_s)
            return Measured(sorted(seconds)[len(seconds) // 2], labels)

        def baseline(repeat: int) -> Measured:
            done = [timed(lambda text=text: str(plain.predict([text])[0])) for text in asked]
            return Measured(sorted(run.value for run in done)[len(done) // 2], [run.result for run in done])

        ours(0), baseline(0)
        yield Sides(ours, baseline, _alike)

    what = f"encoder, one text, warm, {precision} (median of 50 texts)"
    return Row(f"encoder-1-{precision}", what, "`SetFitModel.predict`, one text", "s", prepare, at_least=at_least)


def _alike(ours: list[Any], baseline: list[Any]) -> str:
    pairs = [
        pair for labels, expected in zip(ours, baseline, strict=True) for pair in zip(labels, expected, strict=True)
    ]
    share = sum(label == expected for label, expected in pairs) / len(pairs)
    assert share >= _ALIKE or len(pairs) < 1 / (1 - _ALIKE), f"only {share:.2%} of the labels are the same"
    return f"{share:.1%} same labels"


ROWS = (_many("int8", 3), _one("int8", 2))
