"""A learning curve as a plot, its sentences and its numbers."""

from html import escape as _e

from llmops.core.format import percent, seconds
from llmops.evaluation.curve import means, parity
from llmops.history.curves import Curve
from llmops.report.svg import Axis, Plot, Point, key, percent_axis
from llmops.report.tables import more, row, sentences, table


def curve(made: Curve) -> str:
    """Accuracy against examples a class (each doubling a step), a line across for each decoder, parity in words."""
    if not made.points:
        return ""
    average = means(made.points)
    ks = list(average)
    high = max(ks[-1], ks[0] * 2)
    axis = Axis("examples a class (k)", ks[0], high, tuple(ks), lambda value: f"{value:g}", log2=True)
    plot = Plot(f"Learning curve of {made.base}", axis, percent_axis("accuracy"))
    names = [f"{made.base}, {made.method}: mean of {_seeds(made)}"]
    for number, (name, level) in enumerate(made.lines.items(), 1):
        plot.line([(ks[0], level), (high, level)], number, f"{name}: {percent(level)} with no example")
        names.append(f"{name}: {percent(level)} with no example")
    plot.line([(k, accuracy) for k, accuracy in average.items()], 0)
    each = [Point(p.k, p.accuracy, f"k = {p.k}, seed {p.seed}: {percent(p.accuracy)}", 3) for p in made.points]
    plot.points(each, 0, hollow=True)
    plot.points([Point(k, value, f"k = {k}: {percent(value)} on average") for k, value in average.items()], 0)
    title = f"{made.task_name}, {made.created[:16].replace('T', ' ')} UTC, on {made.machine}"
    recorded = '<span class="lo-recorded">recorded, not run here</span> ' if made.origin else ""
    return (
        f'<p class="lo-lead">{recorded}<b>Learning curve</b>, {_e(title)}</p>'
        f'<figure class="lo-wide">{plot.svg}{key(names)}</figure>{sentences(_parity(made))}{_numbers(made)}'
    )


def _seeds(made: Curve) -> str:
    number = len({point.seed for point in made.points})
    return f"{number} seed{'s' if number > 1 else ''}"


def _parity(made: Curve) -> list[str]:
    lines = []
    for name, k in parity(made).items():
        level = percent(made.lines[name])
        if k is None:
            lines.append(
                f"Up to {max(point.k for point in made.points)} examples a class it stays below {name} ({level})."
            )
        else:
            lines.append(f"{k} example{'s' if k > 1 else ''} a class reach {name} ({level}).")
    return lines


def _numbers(made: Curve) -> str:
    average = means(made.points)
    body = ""
    for k, value in average.items():
        found = [point for point in made.points if point.k == k]
        low, high = min(point.accuracy for point in found), max(point.accuracy for point in found)
        trained = sum(point.train_s for point in found) / len(found)
        f1 = sum(point.macro_f1 for point in found) / len(found)
        span = f"{percent(low)} to {percent(high)}"
        body += row(str(k), (percent(value), span, percent(f1), seconds(trained)))
    return more(
        "Figures", table(("k", "Accuracy, mean", "Lowest to highest", "Macro-F1, mean", "Training, mean"), body)
    )
