"""Texts of an evaluation put to a leased model, alone or as a batch, and the rows that become of it.

A failure is a result. What ran in a batch has no time of its own: its settings say how many texts shared how long.
"""

import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from llmops.compare.comparison import Options
from llmops.core.errors import EndpointError, LlmopsError, Stopped, redact
from llmops.core.events import Finished
from llmops.core.request import Request
from llmops.core.run import Run, RunError
from llmops.core.task import Example, Task
from llmops.engines.base import Together
from llmops.evaluation.batches import How
from llmops.history.store import Row
from llmops.runtime.pool import Lease

Place = tuple[int, int]
"""(repeat, number of the text)."""


@dataclass(frozen=True)
class Ask:
    """The texts of one evaluation, and how they are asked."""

    task: Task
    examples: Sequence[Example]
    options: Options
    how: How
    stop: threading.Event

    def shape(self, one: Place) -> tuple[str, int]:
        """What texts of a batch should have in common: the language, and nearly the length."""
        example = self.examples[one[1]]
        return example.language, len(example.text)

    def alone(self, name: str, lease: Lease, one: Place) -> Run:
        """One text with the model to itself."""
        try:
            with closing(lease.model.run(self._request(one))) as events:
                for event in events:
                    if isinstance(event, Finished):
                        if event.run.finish == "stopped":
                            raise Stopped("Stopped.")
                        return self._complete(name, lease, event.run, {})
            raise EndpointError("The run ended without a result.", "Retry.")
        except Stopped:
            raise
        except Exception as error:
            return Run(name, settings=self.options.record(), error=as_error(error, self.options))

    def together(self, name: str, lease: Lease, chosen: Sequence[Place]) -> list[Run]:
        """A batch, for a model that takes batches. Raises Stopped, and then none has a result."""
        model = lease.model
        if not isinstance(model, Together):
            raise TypeError(name)
        begun_s = time.perf_counter()
        found = model.together([self._request(one) for one in chosen])
        shared = {"batch_texts": len(chosen), "batch_s": time.perf_counter() - begun_s}
        return [
            Run(name, settings=self.options.record() | shared, error=as_error(one, self.options))
            if isinstance(one, LlmopsError)
            else self._complete(name, lease, one, shared)
            for one in found
        ]

    def row(self, name: str, one: Place, run: Run) -> Row:
        """What the history keeps of it."""
        repeat, place = one
        example = self.examples[place]
        return Row(
            candidate=name,
            place=place,
            repeat=repeat,
            text=example.text,
            language=example.language,
            y_true=example.label,
            y_hat=run.label,
            unparsed=run.unparsed,
            failed=run.error is not None,
            created="",
            run=run.to_json(),
        )

    def _request(self, one: Place) -> Request:
        """The seed moves on with each repeat, so that sampling can differ."""
        repeat, place = one
        example, options = self.examples[place], self.options
        return Request(
            self.task,
            example.text,
            example.language,
            replace(options.generation, seed=options.generation.seed + repeat),
            options.connection,
            self.stop,
            truncate=options.truncate,
            verdict_only=self.how.verdict_only,
        )

    def _complete(self, name: str, lease: Lease, run: Run, shared: dict[str, Any]) -> Run:
        texts = shared.get("batch_texts")
        note = (f"Ran in a batch of {texts} texts, so it has no latency of its own.",) if texts else ()
        return replace(
            run,
            candidate=name,
            timing=replace(run.timing, load_s=lease.load_s, queue_s=lease.waited_s),
            notes=(*lease.model.notes, *run.notes, *note),
            warm=lease.warm,
            settings=self.options.record() | shared,
        )


def as_error(error: Exception, options: Options) -> RunError:
    """An exception in words, without secrets."""
    secrets = options.connection.secrets
    if isinstance(error, LlmopsError):
        return RunError(error.kind, redact(error.message, secrets), redact(error.remedy, secrets))
    return RunError("unexpected", redact(f"{type(error).__name__}: {error}", secrets)[:500], "Retry.")
