"""The texts of one evaluation as requests, and what the history keeps of their runs."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmops.core.request import Request
from llmops.core.run import Run
from llmops.core.run_settings import RunSettings
from llmops.core.task import Example, Task
from llmops.evaluation.batch_sizes import AnswerMode
from llmops.history.evaluations import Row

Place = tuple[int, int]
"""(repeat, number of the text)."""


@dataclass(frozen=True)
class TextRequests:
    """The texts, and how they are asked."""

    task: Task
    examples: Sequence[Example]
    settings: RunSettings
    mode: AnswerMode
    stop: threading.Event

    def shape(self, place: Place) -> tuple[str, int]:
        """What texts of a batch should have in common: the language, and nearly the length."""
        example = self.examples[place[1]]
        return example.language, len(example.text)

    def request(self, place: Place) -> Request:
        """The seed moves on with each repeat, so that sampling can differ."""
        repeat, number = place
        example, settings = self.examples[number], self.settings
        return Request(
            self.task,
            example.text,
            example.language,
            replace(settings.generation, seed=settings.generation.seed + repeat),
            settings.connection,
            self.stop,
            long_texts=settings.long_texts,
            verdict_only=self.mode.verdict_only,
        )

    def row(self, name: str, place: Place, run: Run) -> Row:
        """What the history keeps of a run."""
        repeat, number = place
        example = self.examples[number]
        return Row(
            candidate=name,
            place=number,
            repeat=repeat,
            text=example.text,
            language=example.language,
            y_true=example.label,
            y_hat=run.label,
            unparsed=run.unparsed,
            failed=run.error is not None,
            created="",
            run=run,
        )
