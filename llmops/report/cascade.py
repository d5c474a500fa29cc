"""A cascade's simulation as HTML: curves over the threshold, the choice by halves, and the figures as a table."""

from collections.abc import Callable, Sequence
from html import escape as _e

from llmops.core.format import money, percent, seconds
from llmops.decision.cascade import Point, Simulation
from llmops.report.svg import Axis, Plot, key, percent_axis
from llmops.report.svg import Point as Mark
from llmops.report.tables import more, row, sentences, table
from llmops.report.ticks import even_ticks, fitted

_LINES = 21  # of the table


def cascade(made: Simulation, sign: str) -> str:
    """Everything: what was chosen, four plots, the table."""
    shares = _plot(made, percent_axis("share of the texts"), _SHARES)
    others = "".join(_figure(made, *one) for one in _others(sign))
    return (
        f'{_choice(made, sign)}<div class="lo-plots">'
        f"<figure>{key([name for name, _ in _SHARES])}{shares}</figure>{others}</div>"
        f"{more('The curve as a table', _table(made, sign))}"
    )


_SHARES: Sequence[tuple[str, Callable[[Point], float | None]]] = (
    ("accuracy", lambda one: one.accuracy),
    ("macro-F1", lambda one: one.macro_f1),
    ("handed on to the second", lambda one: one.asked),
    ("sent elsewhere", lambda one: one.leaving),
)


def _others(sign: str) -> tuple[tuple[str, Callable[[Point], float | None], Callable[[float], str]], ...]:
    return (
        ("cost of 1,000", lambda one: one.cost_per_1000, lambda amount: money(amount, sign)),
        ("p95 latency", lambda one: one.p95_s, seconds),
        ("energy of 1,000, Wh", lambda one: one.wh_per_1000, lambda value: f"{value:.3g}"),
    )


def _figure(
    made: Simulation, name: str, figure: Callable[[Point], float | None], written: Callable[[float], str]
) -> str:
    known = [value for one in made.points if (value := figure(one)) is not None]
    if not known:
        return f"<figure><figcaption>{_e(name)}: not known</figcaption></figure>"
    return f"<figure>{_plot(made, fitted(name, known, written, may_log=False), ((name, figure),))}</figure>"


def _plot(made: Simulation, upwards: Axis, lines: Sequence[tuple[str, Callable[[Point], float | None]]]) -> str:
    inner = [one.threshold for one in made.points[1:-1]] or [0.0, 1.0]
    low, high = min(inner), max(inner)
    low, high = (low, high) if high - low > 1e-6 else (0.0, 1.0)
    across = Axis("threshold", low, high, tuple(even_ticks(low, high)), lambda value: f"{value:.4g}")
    plot = Plot(f"{upwards.name} by threshold, {made.first} then {made.second}", across, upwards)
    shown = [one for one in made.points if low <= one.threshold <= high]
    for number, (name, figure) in enumerate(lines):
        points = [(one.threshold, value) for one in shown if (value := figure(one)) is not None]
        if points:
            plot.line(points, number, name)
    if made.choice is not None and low <= made.choice.threshold <= high:
        threshold = made.choice.threshold
        plot.guide([(threshold, upwards.low), (threshold, upwards.high)])
        best = min(shown, key=lambda one: abs(one.threshold - threshold))
        for number, (name, figure) in enumerate(lines):
            value = figure(best)
            if value is not None:
                said = f"{name} at {best.threshold:.6g}: {upwards.written(value)}"
                plot.points([Mark(best.threshold, value, said, 4.5)], number)
    return plot.svg


def _choice(made: Simulation, sign: str) -> str:
    note = f" {made.left_out:,} more only one of the two has tried." if made.left_out else ""
    if made.choice is None:
        why = f'<p class="lo-lead" role="status"><b>{_e(made.why_not)}</b></p>'
        return why + sentences([f"{made.texts:,} texts.{note}"])
    ours, others = made.choice.texts
    body = _row(f"chosen on {ours:,} texts", made.choice.chosen_on, sign)
    body += _row(f"reported on the other {others:,}", made.choice.reported_on, sign)
    head = f'<b translate="no">{_e(made.candidate)}</b>'
    halves = "The second line is the honest one: those texts had no part in choosing."
    if made.timed < made.texts:
        halves += f" Times are of the {made.timed:,} texts that ran alone through both."
    return f'<p class="lo-lead" role="status">{head}</p>{table(_TITLES, body)}{sentences([halves + note])}'


_TITLES = ("", "Threshold", "Accuracy", "Macro-F1", "Handed on", "Sent elsewhere", "Mean", "p95", "Per 1,000", "Wh")


def _table(made: Simulation, sign: str) -> str:
    step = max(1, (len(made.points) - 1) // (_LINES - 1))
    shown = [*made.points[:-1:step], made.points[-1]]
    return table(_TITLES, "".join(_row("", one, sign) for one in shown))


def _row(name: str, one: Point, sign: str) -> str:
    return row(
        name,
        (
            f"{one.threshold:.6g}",
            percent(one.accuracy),
            percent(one.macro_f1),
            percent(one.asked),
            percent(one.leaving),
            seconds(one.mean_s),
            seconds(one.p95_s),
            money(one.cost_per_1000, sign),
            "" if one.wh_per_1000 is None else f"{one.wh_per_1000:.3g}",
        ),
    )
