"""The decision board as HTML: verdict, Pareto plot, every candidate's figures and why it is out."""

from collections.abc import Callable, Sequence
from html import escape as _e

from llmops.core.format import money, percent, seconds, size
from llmops.decision.board import Board
from llmops.decision.decide import value, written
from llmops.decision.figures import Figures
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


def whole(board: Board) -> str:
    """All of it, for a report."""
    return (
        f"{verdict(board)}{pareto(board)}{candidates(board)}<h3>Cost</h3>{costs(board)}{break_even(board)}"
        f"<h3>Energy</h3>{energies(board)}"
    )


def verdict(board: Board) -> str:
    """The choice and the sentences that lead to it."""
    choice = board.decision.choice
    head = f'<b translate="no">{_e(choice)}</b>' if choice else "<b>No candidate is left.</b>"
    lines = sentences(board.decision.verdict)
    return f'<div class="lo-choice" role="status"><p class="lo-lead">{head}</p>{lines}</div>'


def pareto(board: Board) -> str:
    """Macro-F1 against the chosen axis, each mark with its number in the table below; the front is joined."""
    axis = board.decision.axis
    known = [figures for figures in board.figures if value(figures, axis) is not None]
    if not known:
        return f'<p class="lo-lead">No candidate has a figure for {_AXES[axis]}.</p>'
    across = fitted(_AXES[axis], [value(figures, axis) or 0.0 for figures in known], _format(board, axis))
    edges = [edge for figures in known for edge in figures.macro_f1_interval]
    upwards = fitted("macro-F1", edges, lambda share: f"{100 * share:.0f} %", scale="linear")
    title = f"Macro-F1 against {_AXES[axis]}: {len(known)} candidates"
    intervals = tuple(
        tuple((value(figures, axis) or 0.0, edge) for edge in figures.macro_f1_interval) for figures in known
    )
    plot = Plot(title, across, upwards, _standings(board, known), guides=intervals, canvas=BROAD)
    note = "Upright lines: 95 % intervals. Numbers: see the table."
    return figure(plot, below=f'<p class="lo-legend">{note}</p>')


def _standings(board: Board, known: Sequence[Figures]) -> tuple[Series, ...]:
    """The front, joined; the candidates that others beat; those that a limit rules out."""
    front = [figures for figures in known if figures.candidate in board.decision.front]
    out = [figures for figures in known if figures not in front and _is_out(board, figures)]
    beaten = [figures for figures in known if figures not in front and figures not in out]
    line = tuple(sorted((value(figures, board.decision.axis) or 0.0, figures.macro_f1) for figures in front))
    series = (
        Series("on the front: nothing is better in both", 0, _marks(board, front), line),
        Series("beaten by another", 5, _marks(board, beaten), hollow=True),
        Series("ruled out by a limit", 6, _marks(board, out), hollow=True),
    )
    return tuple(standing for standing in series if standing.marks)


def _marks(board: Board, shown: Sequence[Figures]) -> tuple[Mark, ...]:
    """A numbered mark a candidate."""
    axis, numbers = board.decision.axis, numbered(board)
    return tuple(
        Mark(
            value(figures, axis) or 0.0,
            figures.macro_f1,
            f"{numbers[figures.candidate]}. {figures.candidate}: {percent(figures.macro_f1)}, {_at(board, figures)}",
            str(numbers[figures.candidate]),
            6,
        )
        for figures in shown
    )


def candidates(board: Board) -> str:
    """Every candidate's figures and where it stands; then what leaves the machine, and why a candidate is out."""
    numbers, sign = numbered(board), board.at.currency.sign
    titles = (
        "Candidate", "Standing", "Macro-F1", "95 %", "p95", "Memory here", "Per 1,000", "Wh per 1,000", "Licence",
        *(("Score",) if board.decision.scores else ()),
    )  # fmt: skip
    body = ""
    for figures in board.figures:
        low, high = figures.macro_f1_interval
        cells = (
            _standing(board, figures),
            percent(figures.macro_f1),
            f"{100 * low:.0f} to {100 * high:.0f}",
            seconds(figures.p95_s),
            size(figures.memory_bytes) if figures.here else "none",
            money(figures.cost_per_1000, sign),
            _wh(figures),
            ", ".join(figures.licences or ()),
            *((f"{board.decision.scores.get(figures.candidate, 0):.2f}",) if board.decision.scores else ()),
        )
        body += row(f"{numbers[figures.candidate]}. {figures.candidate}", cells)
    return table(titles, body) + _reasons_table(board)


def _reasons_table(board: Board) -> str:
    """A line a candidate: privacy, and each reason against it."""
    numbers = numbered(board)
    body = "".join(
        row(
            f"{numbers[figures.candidate]}. {figures.candidate}",
            (figures.privacy, " ".join(_reasons(board, figures)) or "within the limits"),
        )
        for figures in board.figures
    )
    return f'<div class="lo-reasons">{table(("Candidate", "What leaves the machine", "Limits"), body)}</div>'


def numbered(board: Board) -> dict[str, int]:
    """Candidate → its number in plots and tables."""
    return {figures.candidate: number for number, figures in enumerate(board.figures, 1)}


def _standing(board: Board, figures: Figures) -> str:
    if figures.candidate == board.decision.choice:
        return "the choice"
    if _is_out(board, figures):
        return "out"
    return "front" if figures.candidate in board.decision.front else ""


def _reasons(board: Board, figures: Figures) -> tuple[str, ...]:
    return next((out.reasons for out in board.decision.excluded if out.candidate == figures.candidate), ())


def _is_out(board: Board, figures: Figures) -> bool:
    return figures.candidate not in board.decision.kept


def _wh(figures: Figures) -> str:
    if figures.energy.wh is None:
        return ""
    low, high = (f"{end:.3g}" for end in figures.energy.wh)
    return low if low == high else f"{low} to {high}"


def _at(board: Board, figures: Figures) -> str:
    return written(figures, board.decision.axis, board.at.currency.sign)


def _format(board: Board, axis: str) -> Callable[[float], str]:
    sign = board.at.currency.sign
    ways: dict[str, Callable[[float], str]] = {
        "cost": lambda v: money(v, sign),
        "latency": seconds,
        "energy": lambda v: f"{v:.3g} Wh",
        "memory": size,
    }
    return ways[axis]
