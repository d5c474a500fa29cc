"""A hundred texts through a local decoder: an evaluation of ours against one generate() a text."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmops.core.candidate import Candidate, parse_candidate
from llmops.core.request import Generation, Job
from llmops.core.run_settings import RunSettings
from llmops.core.settings import load_settings
from llmops.core.task import Example, Task
from llmops.core.verdict import read_verdict
from llmops.embedded import DECODER_DIR
from llmops.engines.decoder.answer_tokens import tokenize_answers
from llmops.engines.decoder.prefix_cache import common_length
from llmops.evaluation.batch_sizes import AnswerMode
from llmops.evaluation.runner import CandidateEnded, EvaluationBegun, evaluate
from llmops.evaluation.spec import EvaluationSpec
from llmops.hardware.openmp_threads import compute
from llmops.history.store import History
from llmops.runtime.pool import Pool
from tests.benchmarks.measure import Measured, Row, Sides, timed
from tests.benchmarks.rows.streaming import bare, prompt
from tests.benchmarks.texts import TASK, labelled

_NAME = "embedded/decoder@fp32"
_MOST = 96


class KeepsLoaded(Pool):
    """Leaves the model in memory between repeats: loading is no part of this row, on neither side."""

    def unload(self, candidate: Candidate, task: Task) -> int | None:
        return None


def _row(name: str, what: str, verdict_only: bool, at_least: float) -> Row:
    @contextmanager
    def prepare(tiny: bool) -> Iterator[Sides]:
        examples = labelled(12 if tiny else 100)
        pool = KeepsLoaded(replace(load_settings(), pool_budget_bytes=10**9))
        model, tokenizer = bare(DECODER_DIR, "fp32")
        with tempfile.TemporaryDirectory() as folder:
            history = History(Path(folder) / "history.sqlite")

            def ours(repeat: int) -> Measured:
                options = RunSettings("en", Generation(max_new_tokens=_MOST))
                mode = AnswerMode(verdict_only=verdict_only)
                stop = threading.Event()
                done = timed(
                    lambda: list(
                        evaluate(pool, EvaluationSpec(TASK, examples, [_NAME], options, mode=mode), history, stop)
                    )
                )
                begun = next(update for update in done.result if isinstance(update, EvaluationBegun))
                assert [update.error for update in done.result if isinstance(update, CandidateEnded)] == [None]
                rows = sorted(history.evaluations.rows(begun.evaluation_id), key=lambda row: row.place)
                assert len(rows) == len(examples)
                return Measured(len(examples) / done.value, [(row.y_hat, row.run.text) for row in rows])

            def baseline(repeat: int) -> Measured:
                done = timed(lambda: _one_by_one(model, tokenizer, examples))
                return Measured(len(examples) / done.value, done.result)

            lease = pool.lease(parse_candidate(_NAME), TASK, Job())
            with lease:
                pass
            ours(0)
            yield Sides(ours, baseline, _verdicts if verdict_only else _answers)
            pool.close()

    against = "one `generate` a text"
    return Row(name, what, against, "texts/s", prepare, at_least=at_least, more_is_better=True, turns=3)


def _one_by_one(model: Any, tokenizer: Any, examples: list[Example]) -> list[tuple[str | None, str]]:
    """(verdict, answer) of each text by a generate() of its own."""
    import torch

    found = []
    for example in examples:
        ids = prompt(tokenizer, example.text, example.language)
        with torch.inference_mode():
            made = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=_MOST, do_sample=False)
        said = tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True)
        found.append((read_verdict(said, TASK, example.language), said))
    return found


@contextmanager
def _least(tiny: bool) -> Iterator[Sides]:
    """Nothing but the matrix products of what differs from text to text, all texts in one product a layer."""
    import torch

    examples = labelled(12 if tiny else 100)
    model, tokenizer = bare(DECODER_DIR, "fp32")
    tokens = heads = 0
    for language in TASK.languages:
        prompts = [prompt(tokenizer, e.text, language)[0].tolist() for e in examples if e.language == language]
        words = tokenize_answers(tokenizer, TASK.answers(language), ())
        branches = sum(len(word) for word in words.ids)
        tokens += sum(len(ids) - common_length(prompts) + branches for ids in prompts)
        heads += len(prompts) * (1 + branches)
    products = [(layer, tokens) for layer in model.model.modules() if isinstance(layer, torch.nn.Linear)]
    products.append((model.lm_head, heads))
    given = [torch.randn(count, layer.in_features) for layer, count in products]

    def multiply() -> None:
        with torch.inference_mode():
            for (layer, _), values in zip(products, given, strict=True):
                layer(values)

    def ours(repeat: int) -> Measured:
        return Measured(len(examples) / compute(lambda: timed(multiply)).value)

    def baseline(repeat: int) -> Measured:
        return Measured(len(examples) / timed(lambda: _one_by_one(model, tokenizer, examples)).value)

    ours(0)
    yield Sides(ours, baseline, lambda *_: f"{tokens:,} tokens through {len(products) - 1} matrices; no results")


def _answers(ours: list[Any], baseline: list[Any]) -> str:
    for answers, expected in zip(ours, baseline, strict=True):
        assert answers == expected, next(pair for pair in zip(answers, expected, strict=True) if pair[0] != pair[1])
    return "same verdicts and explanations, all texts"


def _verdicts(ours: list[Any], baseline: list[Any]) -> str:
    for verdicts, expected in zip(ours, baseline, strict=True):
        assert [label for label, _ in verdicts] == [label for label, _ in expected]
    return "same verdicts, all texts"


ROWS = (
    _row("evaluate-answers", "evaluating 100 texts with a local decoder: answer and explanation", False, 3),
    _row("evaluate-verdicts", "the same: verdict and probabilities only", True, 15),
    Row(
        "evaluate-verdicts-limit",
        "the most that verdicts could reach: their matrix products alone (the limit, no row)",
        "one `generate` a text",
        "texts/s",
        _least,
        at_least=15,
        more_is_better=True,
        turns=3,
    ),
)
