"""Records for a history, and rows of an evaluation. Test code only."""

from llmops.core.run import Run
from llmops.history.comparisons import ComparisonRecord
from llmops.history.curves import Curve
from llmops.history.evaluations import Evaluation, Row


def row(place=0, candidate="embedded/decoder@bf16", text="t", said="Positive", **more):
    run = Run(candidate, text=said, label="a", probabilities={"a": 0.9, "b": 0.1}, **more)
    failed = run.error is not None
    return Row(candidate, place, 0, text, "en", "a", None if failed else "a", False, failed, "", run)


def begin(history, labelled=None, **changes):
    """A new evaluation; its id."""
    given = {"task_id": "t", "task_name": "T", "labels": ("a", "b"), "data_hash": "h", "candidates": ("c",)}
    record = Evaluation(**{**given, "settings": {"seed": 0}, "left_out": 2, **changes})
    return history.evaluations.add_with_set(record, labelled) if labelled else history.evaluations.add(record)


def compare(history, text="text", candidates=("c", "d")):
    """A new comparison; its id."""
    given = {"task_id": "t", "task_name": "T", "settings": {"seed": 0}, "labels": {"a": "A"}}
    return history.comparisons.add(
        ComparisonRecord(source="page", text=text, language="en", candidates=candidates, **given)
    )


def draw(history, points, lines, data_hash="h"):
    """A new learning curve; its id."""
    given = {"task_id": "t", "task_name": "T", "settings": {}, "base": "base", "method": "few-shot"}
    return history.curves.add(Curve(data_hash=data_hash, points=tuple(points), lines=lines, **given))
