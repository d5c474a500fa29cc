"""What is evaluated, and how: checked before anything runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from llmops.core.errors import InputError, TooMuch
from llmops.core.given import Text, Whole
from llmops.core.long_texts import LongTexts
from llmops.core.run_settings import GivenRunSettings, RunSettings
from llmops.core.settings import Settings
from llmops.core.task import Example, Task
from llmops.engines.encoder.store import EncoderStore
from llmops.evaluation.batch_sizes import DEFAULT_MODE, AnswerMode
from llmops.evaluation.heldout import HeldOut, hold_out

MOST_REPEATS = 100

_OBJECTS = WithJsonSchema({"type": "array", "items": {"type": "object"}})


class GivenEvaluation(GivenRunSettings):
    """An evaluation as it is asked for: what it does, and how the candidates run."""

    # Read by data.labelled.from_objects, which says what is wrong row by row.
    texts: Annotated[Any, _OBJECTS] = Field(
        None, description="objects with text, label and language; else the task's held-out split"
    )
    long_texts: LongTexts = Field(
        "windows",
        title="way with long texts",
        description="refuse, cut, windows (split, then averaged) or leave_out (for every candidate)",
    )
    repeats: Whole = Field(1, ge=1, le=MOST_REPEATS, description="times each text is asked, for stability")
    ladder: Text = Field(None, description="a local model that is evaluated in every precision, too")
    resume: Whole | None = Field(None, description="id of an evaluation that was broken off; the rest is then its own")
    batched: bool = Field(DEFAULT_MODE.batched, description="local models take many texts at once, after a sample")
    verdict_only: bool = Field(DEFAULT_MODE.verdict_only, description="verdict and probabilities, no explanation")

    @property
    def mode(self) -> AnswerMode:
        """How the texts are answered."""
        return AnswerMode(self.batched, self.verdict_only)


@dataclass(frozen=True)
class EvaluationSpec:
    """Labelled texts of a task, the candidates by their text form, and how they run. repeats: 1 to 100 of each text."""

    task: Task
    examples: Sequence[Example]
    candidates: Sequence[str]
    settings: RunSettings
    repeats: int = 1
    mode: AnswerMode = DEFAULT_MODE

    @property
    def chosen(self) -> list[str]:
        """Each candidate once, in order."""
        return list(dict.fromkeys(self.candidates))

    def checked(self, settings: Settings) -> HeldOut:
        """The texts that count. Raises InputError, and TooMuch above max_answers (texts × repeats × candidates)."""
        if not self.chosen:
            raise InputError("No candidate is selected.", "Choose at least one.")
        if not 1 <= self.repeats <= MOST_REPEATS:
            raise InputError(f"{self.repeats} repeats are asked.", f"Use 1 to {MOST_REPEATS}.")
        if self.mode.verdict_only and self.settings.generation.temperature > 0:
            raise InputError("A verdict alone is read without sampling.", "Set the temperature to 0.")
        held_out = hold_out(
            self.task, self.examples, self.chosen, EncoderStore(settings, self.settings.connection.owner)
        )
        if not held_out.texts:
            raise InputError("There is no text to score.", "Give labelled texts that are not examples to learn from.")
        unknown = next((text for text in held_out.texts if text.label not in self.task.label_ids), None)
        if unknown is not None:
            raise InputError(
                f"“{unknown.label}” is no label of the task.", f"Labels: {', '.join(self.task.label_ids)}."
            )
        check_answers(len(held_out.texts) * self.repeats * len(self.chosen), settings)
        return held_out


def check_answers(answers: int, settings: Settings) -> None:
    """Raise TooMuch above what is answered in one go."""
    most = settings.max_answers
    if most is not None and answers > most:
        raise TooMuch(f"That would be {answers:,} answers; {most:,} are made here at once.", "Use fewer texts.")
