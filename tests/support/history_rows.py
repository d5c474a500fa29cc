"""An evaluation in a history, and rows for it. Test code only."""

from llmops.core.run import Run
from llmops.history.store import Row


def row(place=0, candidate="embedded/decoder@bf16", text="t", said="Positive", **more):
    run = Run(candidate, text=said, label="a", probabilities={"a": 0.9, "b": 0.1}, **more)
    failed = run.error is not None
    return Row(candidate, place, 0, text, "en", "a", None if failed else "a", False, failed, "", run)


def begin(history, **changes):
    given = {"task_id": "t", "task_name": "T", "labels": ["a", "b"], "data_hash": "h", "candidates": ["c"]}
    return history.begin(**{**given, "settings": {"seed": 0}, "left_out": 2, **changes})
