"""Learning curves: an encoder's accuracy against the examples it learnt from, beside what decoders reach with none."""

from dataclasses import dataclass

from llmops.history.repository import HistoryRecord, Repository


@dataclass(frozen=True)
class CurvePoint:
    """One training: k examples a class, drawn with a seed; accuracy and macro-F1 on the held-out texts."""

    k: int
    seed: int
    accuracy: float
    macro_f1: float
    train_s: float


@dataclass(frozen=True, kw_only=True)
class Curve(HistoryRecord):
    """Points of one base encoder and method. lines: candidate → its accuracy on the same texts without any example."""

    data_hash: str
    base: str
    method: str
    points: tuple[CurvePoint, ...]
    lines: dict[str, float]


class Curves(Repository[Curve]):
    """The learning curves."""

    record = Curve
    table = "curves"
    noun = "learning curve"
    json_columns = ("settings", "versions", "points", "lines")
    identity = ("created", "machine", "base")
