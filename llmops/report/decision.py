"""The decision board as HTML: verdict, Pareto plot, every candidate's figures and why it is out."""

from collections.abc import Callable
from html import escape as _e

from llmops.core.format import money, percent, seconds, size
from llmops.decision.board import Board
from llmops.decision.decide import value, written
from llmops.decision.figures import Figures
from llmops.report.spending import break_even, costs, energies
from llmops.report.svg import Plot, Point
from llmops.report.tables import row, sentences, table
from llmops.report.ticks import fitted

_FRONT, _OTHERS, _OUT = 0, 5, 6  # places among svg.COLOURS
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
    axis, numbers = board.decision.axis, numbered(board)
    placed = [one for one in board.figures if value(one, axis) is not None]
    if not placed:
        return f'<p class="lo-lead">No candidate has a figure for {_AXES[axis]}.</p>'
    across = fitted(_AXES[axis], [value(one, axis) or 0.0 for one in placed], _format(board, axis))
    edges = [edge for one in placed for edge in one.macro_f1_interval]
    upwards = fitted("macro-F1", edges, lambda share: f"{100 * share:.0f} %", may_log=False)
    plot = Plot(f"Macro-F1 against {_AXES[axis]}: {len(placed)} candidates", across, upwards)
    front = [one for one in placed if one.candidate in board.decision.front]
    plot.line(sorted((value(one, axis) or 0.0, one.macro_f1) for one in front), _FRONT, "the front", thin=True)
    for one in placed:
        x = value(one, axis) or 0.0
        plot.guide([(x, one.macro_f1_interval[0]), (x, one.macro_f1_interval[1])])
        colour = _FRONT if one in front else _OUT if _is_out(board, one) else _OTHERS
        said = f"{numbers[one.candidate]}. {one.candidate}: {percent(one.macro_f1)}, {_at(board, one)}"
        plot.points([Point(x, one.macro_f1, said, 6)], colour, hollow=colour != _FRONT)
        plot.words(x, one.macro_f1, str(numbers[one.candidate]))
    legend = _key(any(_is_out(board, one) for one in placed), len(front) < len(placed))
    return f'<figure class="lo-wide">{plot.svg}<figcaption>{legend}</figcaption></figure>'


def _key(some_out: bool, some_beaten: bool) -> str:
    words = ["Filled: on the front, nothing is better in both."]
    words += ["Light ring: beaten by another."] if some_beaten else []
    words += ["Grey ring: ruled out by a limit."] if some_out else []
    return " ".join([*words, "Upright lines: 95 % intervals. Numbers: see the table."])


def candidates(board: Board) -> str:
    """Every candidate's figures and where it stands; then what leaves the machine, and why a candidate is out."""
    numbers, sign = numbered(board), board.at.currency.sign
    titles = (
        "Candidate", "Standing", "Macro-F1", "95 %", "p95", "Memory here", "Per 1,000", "Wh per 1,000", "Licence",
        *(("Score",) if board.decision.scores else ()),
    )  # fmt: skip
    body = ""
    for one in board.figures:
        low, high = one.macro_f1_interval
        cells = (
            _standing(board, one),
            percent(one.macro_f1),
            f"{100 * low:.0f} to {100 * high:.0f}",
            seconds(one.p95_s),
            size(one.memory_bytes) if one.here else "none",
            money(one.cost_per_1000, sign),
            _wh(one),
            ", ".join(one.licences or ()),
            *((f"{board.decision.scores.get(one.candidate, 0):.2f}",) if board.decision.scores else ()),
        )
        body += row(f"{numbers[one.candidate]}. {one.candidate}", cells)
    return table(titles, body) + _reasons_table(board)


def _reasons_table(board: Board) -> str:
    """A line a candidate: privacy, and each reason against it."""
    numbers = numbered(board)
    body = "".join(
        row(
            f"{numbers[one.candidate]}. {one.candidate}",
            (one.privacy, " ".join(_reasons(board, one)) or "within the limits"),
        )
        for one in board.figures
    )
    return f'<div class="lo-reasons">{table(("Candidate", "What leaves the machine", "Limits"), body)}</div>'


def numbered(board: Board) -> dict[str, int]:
    """Candidate → its number in plots and tables."""
    return {one.candidate: number for number, one in enumerate(board.figures, 1)}


def _standing(board: Board, one: Figures) -> str:
    if one.candidate == board.decision.choice:
        return "the choice"
    if _is_out(board, one):
        return "out"
    return "front" if one.candidate in board.decision.front else ""


def _reasons(board: Board, one: Figures) -> tuple[str, ...]:
    return next((out.reasons for out in board.decision.excluded if out.candidate == one.candidate), ())


def _is_out(board: Board, one: Figures) -> bool:
    return one.candidate not in board.decision.kept


def _wh(one: Figures) -> str:
    if one.energy.wh is None:
        return ""
    low, high = (f"{end:.3g}" for end in one.energy.wh)
    return low if low == high else f"{low} to {high}"


def _at(board: Board, one: Figures) -> str:
    return written(one, board.decision.axis, board.at.currency.sign)


def _format(board: Board, axis: str) -> Callable[[float], str]:
    sign = board.at.currency.sign
    ways: dict[str, Callable[[float], str]] = {
        "cost": lambda v: money(v, sign),
        "latency": seconds,
        "energy": lambda v: f"{v:.3g} Wh",
        "memory": size,
    }
    return ways[axis]
