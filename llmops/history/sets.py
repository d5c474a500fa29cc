"""The labelled set of an evaluation with its task, as the history keeps them: enough to go on without the file.

Of the task's own examples only the pool is kept: what encoders learn from.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from llmops.core.task import Example, Label, Prompt, Task


@dataclass(frozen=True)
class LabelledSet:
    """What was asked, and the texts that count, in their order."""

    task: Task
    texts: tuple[Example, ...]

    @classmethod
    def of(cls, task: Task, texts: Sequence[Example]) -> "LabelledSet":
        """A set of a task with its pool only."""
        return cls(task.with_examples(task.split("pool")), tuple(texts))

    @property
    def hash(self) -> str:
        """SHA-256 over task and texts: equal sets are asked alike."""
        return hashlib.sha256("\n".join(self.to_json()).encode()).hexdigest()

    def to_json(self) -> tuple[str, str]:
        """(task, texts) as JSON."""
        task = json.dumps(asdict(self.task), ensure_ascii=False, sort_keys=True)
        return task, json.dumps([asdict(example) for example in self.texts], ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, task: str, texts: str) -> "LabelledSet":
        """Back from `to_json`."""
        return cls(_task(json.loads(task)), _examples(json.loads(texts)))


def _task(data: dict[str, Any]) -> Task:
    return Task(
        **{
            **data,
            "labels": tuple(Label(**label) for label in data["labels"]),
            "prompts": {code: Prompt(**prompt) for code, prompt in data["prompts"].items()},
            "examples": _examples(data["examples"]),
        }
    )


def _examples(data: Sequence[dict[str, str]]) -> tuple[Example, ...]:
    return tuple(Example(**example) for example in data)
