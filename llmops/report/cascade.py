"""A cascade's simulation as HTML: curves over the threshold, the choice by halves, and the figures as a table."""

from collections.abc import Callable, Sequence
from html import escape as _e

from llmops.core.format import money, percent, seconds
from llmops.decision.cascade import Simulation, ThresholdPoint
from llmops.decision.cascade_check import QualityOnHalf
from llmops.report.axis import Axis, Written, fitted, percent_axis
from llmops.report.chart import figure
from llmops.report.plot import Mark, Plot, Series
from llmops.report.tables import Foreign, more, row, sentences, table

_LINES = 21  # of the table


Reading = Callable[[ThresholdPoint], float | None]


def cascade(simulation: Simulation, sign: str) -> str:
    """Everything: what was chosen, four plots, the table."""
    shares = figure(_plot(simulation, percent_axis("share of the texts"), _SHARES))
    others = "".join(_figure(simulation, *other) for other in _others(sign))
    return (
        f'{_choice(simulation, sign)}<div class="lo-plots">{shares}{others}</div>'
        f"{more('The curve as a table', _table(simulation, sign))}"
    )


_SHARES: Sequence[tuple[str, Reading]] = (
    ("accuracy", lambda point: point.accuracy),
    ("macro-F1", lambda point: point.macro_f1),
    ("handed on to the second", lambda point: point.asked),
    ("sent elsewhere", lambda point: point.leaving),
)


def _others(sign: str) -> tuple[tuple[str, Reading, Written], ...]:
    return (
        ("cost of 1,000", lambda point: point.cost_per_1000, lambda amount: money(amount, sign)),
        ("p95 latency", lambda point: point.p95_s, seconds),
        ("energy of 1,000, Wh", lambda point: point.wh_per_1000, lambda value: f"{value:.3g}"),
    )


def _figure(simulation: Simulation, name: str, reading: Reading, written: Written) -> str:
    known = [value for point in simulation.points if (value := reading(point)) is not None]
    if not known:
        return f"<figure><figcaption>{_e(name)}: not known</figcaption></figure>"
    upwards = fitted(name, known, written, scale="linear")
    return figure(_plot(simulation, upwards, ((name, reading),)), has_key=False)


def _plot(simulation: Simulation, upwards: Axis, readings: Sequence[tuple[str, Reading]]) -> Plot:
    """A dashed line a reading; at the chosen threshold, where there is one, a mark on each and an upright line."""
    inner = [point.threshold for point in simulation.points[1:-1]] or [0.0, 1.0]
    low, high = min(inner), max(inner)
    low, high = (low, high) if high - low > 1e-6 else (0.0, 1.0)
    across = fitted("threshold", (low, high), lambda value: f"{value:.4g}", scale="linear")
    shown = [point for point in simulation.points if low <= point.threshold <= high]
    series, guides = [_line(name, look, reading, shown) for look, (name, reading) in enumerate(readings)], []
    if simulation.choice is not None and low <= simulation.choice.threshold <= high:
        threshold = simulation.choice.threshold
        guides.append(((threshold, upwards.low), (threshold, upwards.high)))
        best = min(shown, key=lambda point: abs(point.threshold - threshold))
        series += [_chosen(name, look, reading(best), best, upwards) for look, (name, reading) in enumerate(readings)]
    title = f"{upwards.name} by threshold, {simulation.first} then {simulation.second}"
    return Plot(title, across, upwards, tuple(series), guides=tuple(guides))


def _line(name: str, look: int, reading: Reading, shown: Sequence[ThresholdPoint]) -> Series:
    points = tuple((point.threshold, value) for point in shown if (value := reading(point)) is not None)
    return Series(name, look, line=points)


def _chosen(name: str, look: int, value: float | None, best: ThresholdPoint, upwards: Axis) -> Series:
    if value is None:
        return Series("", look)
    title = f"{name} at {best.threshold:.6g}: {upwards.written(value)}"
    return Series("", look, (Mark(best.threshold, value, title, radius=4.5),))


def _choice(simulation: Simulation, sign: str) -> str:
    note = f" {simulation.left_out:,} more only one of the two has tried." if simulation.left_out else ""
    if simulation.choice is None:
        why = f'<p class="lo-lead" role="status"><b>{_e(simulation.why_not)}</b></p>'
        return why + sentences([f"{simulation.texts:,} texts.{note}"])
    ours, others = simulation.choice.texts
    body = _row(f"chosen on {ours:,} texts", simulation.choice.chosen_on, sign)
    body += _row(f"reported on the other {others:,}", simulation.choice.reported_on, sign)
    head, check = f'<b translate="no">{_e(simulation.candidate)}</b>', simulation.choice.check
    alone = table(_ALONE, "".join(_quality(quality) for quality in check.qualities))
    halves = "The second line is the honest one: those texts had no part in choosing."
    if simulation.timed < simulation.texts:
        halves += f" Times are of the {simulation.timed:,} texts that ran alone through both."
    notes = sentences([*check.sentences, halves + note])
    return f'<p class="lo-lead" role="status">{head}</p>{table(_TITLES, body)}{alone}{notes}'


_ALONE = ("On the reported texts", "Accuracy", "95 %", "Macro-F1", "95 %")
_TITLES = ("", "Threshold", "Accuracy", "Macro-F1", "Handed on", "Sent elsewhere", "Mean", "p95", "Per 1,000", "Wh")


def _quality(quality: QualityOnHalf) -> str:
    spans = [
        f"{100 * low:.0f} to {100 * high:.0f}" for low, high in (quality.accuracy_interval, quality.macro_f1_interval)
    ]
    cells = (percent(quality.accuracy), spans[0], percent(quality.macro_f1), spans[1])
    return row(Foreign(quality.candidate), cells)


def _table(simulation: Simulation, sign: str) -> str:
    step = max(1, (len(simulation.points) - 1) // (_LINES - 1))
    shown = [*simulation.points[:-1:step], simulation.points[-1]]
    return table(_TITLES, "".join(_row("", point, sign) for point in shown))


def _row(name: str, point: ThresholdPoint, sign: str) -> str:
    return row(
        name,
        (
            f"{point.threshold:.6g}",
            percent(point.accuracy),
            percent(point.macro_f1),
            percent(point.asked),
            percent(point.leaving),
            seconds(point.mean_s),
            seconds(point.p95_s),
            money(point.cost_per_1000, sign),
            "" if point.wh_per_1000 is None else f"{point.wh_per_1000:.3g}",
        ),
    )
