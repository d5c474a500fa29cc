"""The encoder on a CPU: ours in int8 against SetFit's own predict() in fp32, same head, same texts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llmops.candidate import parse_candidate
from llmops.engines.base import Connection, Request
from llmops.engines.encoder import ENGINE
from llmops.events import Finished
from tests.benchmarks.measure import Measured, Row, Sides, timed
from tests.benchmarks.texts import TASK, texts

_K = 16
_ALIKE = 0.99  # of the labels


def setfit_of(model: Any) -> Any:
    """The library's own model out of ours: the same body in fp32, and the same head as a scikit-learn object."""
    import numpy as np
    from setfit import SetFitModel
    from sklearn.linear_model import LogisticRegression

    from llmops.encoders import body, training
    from llmops.encoders.head import fit_head

    plain = body.load_body(body.embedded_folder(), "embedded/encoder")
    examples = training.pick_examples(TASK, _K, 0)
    vectors = body.embed_all(body.TorchBody(plain), [one.text for one in examples])
    head = LogisticRegression(max_iter=2000, random_state=0).fit(vectors, [one.label for one in examples])
    ours = fit_head(vectors, [one.label for one in examples], 0)
    assert np.allclose(ours.coef, next(iter(model._heads.values())).coef)
    return SetFitModel(model_body=plain, model_head=head)


def load(precision: str) -> Any:
    """Our encoder with its few-shot head, warmed up."""
    candidate = parse_candidate(f"embedded/encoder@{precision}?method=few-shot&k={_K}&seed=0")
    model = ENGINE.load(candidate, TASK, Connection(), lambda message, fraction: None, threading.Event())
    model.warm_up()
    return model


def _many(precision: str, at_least: float) -> Row:
    @contextmanager
    def prepare(tiny: bool) -> Iterator[Sides]:
        model = load(precision)
        library = setfit_of(model)
        asked = texts(40 if tiny else 1000)
        requests = [Request(TASK, text, TASK.languages[0]) for text in asked]

        def ours(repeat: int) -> Measured:
            done = timed(lambda: [run.label for run in model.together(requests)])
            return Measured(len(asked) / done.value, done.result)

        def baseline(repeat: int) -> Measured:
            done = timed(lambda: [str(label) for label in library.predict(asked)])
            return Measured(len(asked) / done.value, done.result)

        ours(0), library.predict(asked[:32])
        yield Sides(ours, baseline, _alike)

    name = f"encoder-1000-{precision}"
    what = f"encoder, 1,000 texts, {precision}"
    return Row(name, what, "`SetFitModel.predict`, fp32", "texts/s", prepare, at_least=at_least, more_is_better=True)


def _one(precision: str, at_least: float) -> Row:
    @contextmanager
    def prepare(tiny: bool) -> Iterator[Sides]:
        model = load(precision)
        library = setfit_of(model)
        asked = texts(4 if tiny else 50)

        def ours(repeat: int) -> Measured:
            labels, seconds = [], []
            for text in asked:
                run = next(e.run for e in model.run(Request(TASK, text, TASK.languages[0])) if isinstance(e, Finished))
                labels.append(run.label)
                seconds.append(run.timing.e2e_s)
            return Measured(sorted(seconds)[len(seconds) // 2], labels)

        def baseline(repeat: int) -> Measured:
            done = [timed(lambda text=text: str(library.predict([text])[0])) for text in asked]
            return Measured(sorted(one.value for one in done)[len(done) // 2], [one.result for one in done])

        ours(0), baseline(0)
        yield Sides(ours, baseline, _alike)

    what = f"encoder, one text, warm, {precision} (median of 50 texts)"
    return Row(f"encoder-1-{precision}", what, "`SetFitModel.predict`, one text", "s", prepare, at_least=at_least)


def _alike(ours: list[Any], baseline: list[Any]) -> str:
    pairs = [pair for one, other in zip(ours, baseline, strict=True) for pair in zip(one, other, strict=True)]
    share = sum(one == other for one, other in pairs) / len(pairs)
    assert share >= _ALIKE or len(pairs) < 1 / (1 - _ALIKE), f"only {share:.2%} of the labels are the same"
    return f"{share:.1%} same labels"


ROWS = (_many("int8", 3), _one("int8", 2))
