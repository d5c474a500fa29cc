"""The decision report as HTML: verdict, Pareto plot, every candidate's figures and why it is out."""

from collections.abc import Callable, Sequence
from html import escape as _e

from llmops.core.format import money, percent, seconds, size
from llmops.decision.decide import value, written
from llmops.decision.decision_report import DecisionReport
from llmops.decision.figures import CandidateFigures
from llmops.report.axis import fitted
from llmops.report.chart import figure
from llmops.report.plot import BROAD, Mark, Plot, Series
from llmops.report.spending import break_even, costs, energies
from llmops.report.tables import row, sentences, table

_AXES = {
    "cost": "cost of 1,000 requests",
    "latency": "p95 latency",
    "energy": "energy of 1,000 requests",
    "memory": "memory on this machine",
}


def whole(report: DecisionReport) -> str:
    """All of it, for a report."""
    return (
        f"{verdict(report)}{pareto(report)}{candidates(report)}<h3>Cost</h3>{costs(report)}{break_even(report)}"
        f"<h3>Energy</h3>{energies(report)}"
    )


def verdict(report: DecisionReport) -> str:
    """The choice and the sentences that lead to it."""
    choice = report.decision.choice
    head = f'<b translate="no">{_e(choice)}</b>' if choice else "<b>No candidate is left.</b>"
    lines = sentences(report.decision.verdict)
    return f'<div class="lo-choice" role="status"><p class="lo-lead">{head}</p>{lines}</div>'


def pareto(report: DecisionReport) -> str:
    """Macro-F1 against the chosen axis, each mark with its number in the table below; the front is joined."""
    axis = report.decision.axis
    known = [figures for figures in report.figures if value(figures, axis) is not None]
    if not known:
        return f'<p class="lo-lead">No candidate has a figure for {_AXES[axis]}.</p>'
    across = fitted(_AXES[axis], [value(figures, axis) or 0.0 for figures in known], _format(report, axis))
    edges = [edge for figures in known for edge in figures.macro_f1_interval]
    upwards = fitted("macro-F1", edges, lambda share: f"{100 * share:.0f} %", scale="linear")
    title = f"Macro-F1 against {_AXES[axis]}: {len(known)} candidates"
    intervals = tuple(
        tuple((value(figures, axis) or 0.0, edge) for edge in figures.macro_f1_interval) for figures in known
    )
    plot = Plot(title, across, upwards, _standings(report, known), guides=intervals, canvas=BROAD)
    note = "Upright lines: 95 % intervals. Numbers: see the table."
    return figure(plot, below=f'<p class="lo-legend">{note}</p>')


def _standings(report: DecisionReport, known: Sequence[CandidateFigures]) -> tuple[Series, ...]:
    """The front, joined; the candidates that others beat; those that a limit rules out."""
    front = [figures for figures in known if figures.candidate in report.decision.front]
    out = [figures for figures in known if figures not in front and _is_out(report, figures)]
    beaten = [figures for figures in known if figures not in front and figures not in out]
    line = tuple(sorted((value(figures, report.decision.axis) or 0.0, figures.macro_f1) for figures in front))
    series = (
        Series("on the front: nothing is better in both", 0, _marks(report, front), line),
        Series("beaten by another", 5, _marks(report, beaten), hollow=True),
        Series("ruled out by a limit", 6, _marks(report, out), hollow=True),
    )
    return tuple(standing for standing in series if standing.marks)


def _marks(report: DecisionReport, shown: Sequence[CandidateFigures]) -> tuple[Mark, ...]:
    """A numbered mark a candidate."""
    axis, numbers = report.decision.axis, numbered(report)
    return tuple(
        Mark(
            value(figures, axis) or 0.0,
            figures.macro_f1,
            f"{numbers[figures.candidate]}. {figures.candidate}: {percent(figures.macro_f1)}, {_at(report, figures)}",
            str(numbers[figures.candidate]),
            6,
        )
        for figures in shown
    )


def candidates(report: DecisionReport) -> str:
    """Every candidate's figures and where it stands; then what leaves the machine, and why a candidate is out."""
    numbers, sign = numbered(report), report.at.currency.sign
    titles = (
        "Candidate", "Standing", "Macro-F1", "95 %", "p95", "Memory here", "Per 1,000", "Wh per 1,000", "Licence",
        *(("Score",) if report.decision.scores else ()),
    )  # fmt: skip
    body = ""
    for figures in report.figures:
        low, high = figures.macro_f1_interval
        cells = (
            _standing(report, figures),
            percent(figures.macro_f1),
            f"{100 * low:.0f} to {100 * high:.0f}",
            seconds(figures.p95_s),
            size(figures.memory_bytes) if figures.here else "none",
            money(figures.cost_per_1000, sign),
            _wh(figures),
            ", ".join(figures.licences or ()),
            *((f"{report.decision.scores.get(figures.candidate, 0):.2f}",) if report.decision.scores else ()),
        )
        body += row(f"{numbers[figures.candidate]}. {figures.candidate}", cells)
    return table(titles, body) + _reasons_table(report)


def _reasons_table(report: DecisionReport) -> str:
    """A line a candidate: privacy, and each reason against it."""
    numbers = numbered(report)
    body = "".join(
        row(
            f"{numbers[figures.candidate]}. {figures.candidate}",
            (figures.privacy, " ".join(_reasons(report, figures)) or "within the limits"),
        )
        for figures in report.figures
    )
    return f'<div class="lo-reasons">{table(("Candidate", "What leaves the machine", "Limits"), body)}</div>'


def numbered(report: DecisionReport) -> dict[str, int]:
    """Candidate → its number in plots and tables."""
    return {figures.candidate: number for number, figures in enumerate(report.figures, 1)}


def _standing(report: DecisionReport, figures: CandidateFigures) -> str:
    if figures.candidate == report.decision.choice:
        return "the choice"
    if _is_out(report, figures):
        return "out"
    return "front" if figures.candidate in report.decision.front else ""


def _reasons(report: DecisionReport, figures: CandidateFigures) -> tuple[str, ...]:
    return next((out.reasons for out in report.decision.excluded if out.candidate == figures.candidate), ())


def _is_out(report: DecisionReport, figures: CandidateFigures) -> bool:
    return figures.candidate not in report.decision.kept


def _wh(figures: CandidateFigures) -> str:
    if figures.energy.wh is None:
        return ""
    low, high = (f"{end:.3g}" for end in figures.energy.wh)
    return low if low == high else f"{low} to {high}"


def _at(report: DecisionReport, figures: CandidateFigures) -> str:
    return written(figures, report.decision.axis, report.at.currency.sign)


def _format(report: DecisionReport, axis: str) -> Callable[[float], str]:
    sign = report.at.currency.sign
    ways: dict[str, Callable[[float], str]] = {
        "cost": lambda v: money(v, sign),
        "latency": seconds,
        "energy": lambda v: f"{v:.3g} Wh",
        "memory": size,
    }
    return ways[axis]
