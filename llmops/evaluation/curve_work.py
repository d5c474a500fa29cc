"""A learning curve to be drawn and kept: on which texts, with which lines, under which names."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmops.core.task import Example, Task
from llmops.evaluation.curve import CurveSettings, zero_shot_lines
from llmops.evaluation.heldout import hold_out
from llmops.evaluation.metrics import measure
from llmops.history.curves import Curve, CurvePoint
from llmops.history.database import now
from llmops.history.sets import LabelledSet
from llmops.history.store import History


@dataclass(frozen=True)
class CurveWork:
    """A curve to be drawn: on the texts of a kept evaluation, whose decoders are its lines, or on the task's own."""

    history: History
    task: Task
    texts: tuple[Example, ...]
    blank: Curve

    @classmethod
    def of(cls, history: History, task: Task, evaluation: int | None, settings: CurveSettings) -> "CurveWork":
        """Raises HistoryError for an unknown evaluation or one whose texts were not kept, InputError."""
        lines: dict[str, float] = {}
        labelled = LabelledSet.of(task, hold_out(task, task.split("test"), []).texts)
        if evaluation is not None:
            labels = history.evaluations.get(evaluation).labels
            labelled = history.evaluations.labelled(evaluation)
            lines = zero_shot_lines(measure(history.evaluations.rows(evaluation), labels))
        blank = Curve(
            task_id=labelled.task.id,
            task_name=labelled.task.name,
            settings={"seeds": list(settings.seeds), "ks": list(settings.ks)},
            data_hash=labelled.hash,
            base=settings.base.strip(),
            method=settings.method,
            points=(),
            lines=lines,
        )
        return cls(history, labelled.task, labelled.texts, blank)

    def with_points(self, points: Sequence[CurvePoint]) -> Curve:
        """The curve so far."""
        return replace(self.blank, points=tuple(points))

    def keep(self, points: Sequence[CurvePoint]) -> Curve:
        """The curve as the history has it. Raises HistoryError."""
        number = self.history.curves.add(replace(self.blank, created=now(), points=tuple(points)))
        return self.history.curves.get(number)
