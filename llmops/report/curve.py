"""A learning curve as a plot, its sentences and its numbers."""

from html import escape as _e

from llmops.core.format import percent, seconds
from llmops.evaluation.curve import means, parity
from llmops.history.curves import Curve
from llmops.report.axis import doubling_axis, percent_axis
from llmops.report.chart import figure
from llmops.report.plot import BROAD, Mark, Plot, Series
from llmops.report.tables import more, row, sentences, table


def curve(learned: Curve) -> str:
    """Accuracy against examples a class (each doubling a step), a line across for each decoder, parity in words."""
    if not learned.points:
        return ""
    title = f"{learned.task_name}, {learned.created[:16].replace('T', ' ')} UTC, on {learned.machine}"
    recorded = '<span class="lo-recorded">recorded, not run here</span> ' if learned.origin else ""
    return (
        f'<p class="lo-lead">{recorded}<b>Learning curve</b>, {_e(title)}</p>'
        f"{figure(_plot(learned))}{sentences(_parity(learned))}{_numbers(learned)}"
    )


def _plot(learned: Curve) -> Plot:
    average = means(learned.points)
    x, name = doubling_axis("examples a class (k)", list(average)), f"{learned.base}, {learned.method}"
    levels = [
        Series(f"{decoder}: {percent(level)} with no example", look, line=((x.low, level), (x.high, level)))
        for look, (decoder, level) in enumerate(learned.lines.items(), 1)
    ]
    each = tuple(
        Mark(point.k, point.accuracy, f"k = {point.k}, seed {point.seed}: {percent(point.accuracy)}", radius=3)
        for point in learned.points
    )
    marks = tuple(Mark(k, value, f"k = {k}: {percent(value)} on average") for k, value in average.items())
    mean = Series(f"{name}: mean of {_seeds(learned)}", 0, marks, tuple(average.items()))
    series = (*levels, Series("", 0, each, hollow=True), mean)
    return Plot(f"Learning curve of {learned.base}", x, percent_axis("accuracy"), series, canvas=BROAD)


def _seeds(learned: Curve) -> str:
    number = len({point.seed for point in learned.points})
    return f"{number} seed{'s' if number > 1 else ''}"


def _parity(learned: Curve) -> list[str]:
    lines = []
    for name, k in parity(learned).items():
        level = percent(learned.lines[name])
        if k is None:
            most = max(point.k for point in learned.points)
            lines.append(f"Up to {most} examples a class it stays below {name} ({level}).")
        else:
            lines.append(f"{k} example{'s' if k > 1 else ''} a class reach {name} ({level}).")
    return lines


def _numbers(learned: Curve) -> str:
    body = ""
    for k, value in means(learned.points).items():
        points = [point for point in learned.points if point.k == k]
        low, high = min(point.accuracy for point in points), max(point.accuracy for point in points)
        trained = sum(point.train_s for point in points) / len(points)
        f1 = sum(point.macro_f1 for point in points) / len(points)
        span = f"{percent(low)} to {percent(high)}"
        body += row(str(k), (percent(value), span, percent(f1), seconds(trained)))
    return more(
        "Figures", table(("k", "Accuracy, mean", "Lowest to highest", "Macro-F1, mean", "Training, mean"), body)
    )
