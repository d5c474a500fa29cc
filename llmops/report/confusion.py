"""What was said of what is true: few labels as a matrix of numbers, many as the most confused pairs and a heat map."""

from collections.abc import Sequence
from html import escape as _e

from llmops.core.format import count, percent
from llmops.evaluation.metrics import Metrics
from llmops.report.tables import Foreign, head, row, table

FEW = 12  # labels, up to which the matrix is a table of numbers, and labels stand in the task's order
_MOST_PAIRS = 15  # a candidate
_CELL, _LETTER, _LONGEST = 13, 6.2, 28  # of the heat map: pixels a cell, pixels and number of letters of a name
_NONE = "(none)"


def confusions(measured: Sequence[Metrics], labels: Sequence[str]) -> str:
    """All candidates'. Of many labels the pairs come first."""
    if len(labels) <= FEW:
        return f'<div class="lo-matrices">{"".join(_matrix(metrics, labels) for metrics in measured)}</div>'
    return _pairs(measured) + "".join(_heat_map(metrics, labels) for metrics in measured)


def confused_pairs(metrics: Metrics) -> list[tuple[str, str, int, float]]:
    """(true label, said label or "(none)", texts, share of the true label's texts), the most frequent first."""
    pairs = [
        (true, said, number, number / sum(line.values()))
        for true, line in metrics.confusion.items()
        for said, number in line.items()
        if said != true and number
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], -pair[3]))


def _pairs(measured: Sequence[Metrics]) -> str:
    titles = ("Candidate", "True label", "Said instead", "Texts", "Of the label's texts")
    body, left = "", 0
    for metrics in measured:
        pairs = confused_pairs(metrics)
        left += len(pairs[_MOST_PAIRS:])
        for true, said, number, share in pairs[:_MOST_PAIRS]:
            cells = (Foreign(true), said if said == _NONE else Foreign(said), count(number), percent(share))
            body += row(Foreign(metrics.candidate), cells)
    if not body:
        return ""
    end = f'<p class="lo-legend">And {left:,} more pairs.</p>' if left else ""
    return table(titles, body) + end


def _matrix(metrics: Metrics, labels: Sequence[str]) -> str:
    columns = [
        *map(Foreign, labels),
        *([_NONE] if any(_NONE in line for line in metrics.confusion.values()) else []),
    ]
    header = "".join(head(name, "col") for name in columns)
    lines = "".join(
        f"<tr>{head(Foreign(name), 'row')}"
        + "".join(_cell(line.get(column, 0), name == column) for column in columns)
        + "</tr>"
        for name, line in metrics.confusion.items()
    )
    inner = f"<caption>{_caption(metrics)}</caption><thead><tr><td></td>{header}</tr></thead><tbody>{lines}</tbody>"
    return f'<div class="lo-scroll" tabindex="0"><table class="lo-models lo-confusion">{inner}</table></div>'


def _caption(metrics: Metrics) -> str:
    return f"{_e(metrics.candidate)}: true (rows) and said (columns)"


def _cell(number: int, right: bool) -> str:
    return f'<td class="{"lo-right" if right else "lo-wrong" if number else ""}">{number}</td>'


def _heat_map(metrics: Metrics, labels: Sequence[str]) -> str:
    """A square a pair that occurs, the darker the larger its share of the true label's texts; figures at the mouse."""
    columns = [*labels, *([_NONE] if any(_NONE in line for line in metrics.confusion.values()) else [])]
    rows = [label for label in labels if label in metrics.confusion]
    margin = round(_LETTER * min(_LONGEST, max(map(len, columns)))) + 8
    width, height = margin + _CELL * len(columns) + 4, margin + _CELL * len(rows) + 4
    names = [
        *(_name(name, margin - 4, margin + _CELL * y + 10, "end", 0) for y, name in enumerate(rows)),
        *(_name(name, margin + _CELL * x + 10, margin - 4, "start", -90) for x, name in enumerate(columns)),
    ]
    squares = [
        _square(margin + _CELL * x, margin + _CELL * y, (true, said), metrics.confusion[true])
        for y, true in enumerate(rows)
        for x, said in enumerate(columns)
        if metrics.confusion[true].get(said)
    ]
    drawn = (
        f'<svg class="lo-heat" viewBox="0 0 {width} {height}" width="{width}" height="{height}" aria-hidden="true" '
        f'translate="no" font-size="10.5" fill="currentColor">{"".join((*names, *squares))}</svg>'
    )
    caption = f'<figcaption class="lo-legend">{_caption(metrics)}</figcaption>'
    return f'<figure style="margin:12px 0">{caption}<div class="lo-scroll" tabindex="0">{drawn}</div></figure>'


def _name(name: str, x: float, y: float, anchor: str, turn: int) -> str:
    short = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
    turned = f' transform="rotate({turn} {x} {y})"' if turn else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{turned}>{_e(short)}<title>{_e(name)}</title></text>'


def _square(x: int, y: int, pair: tuple[str, str], line: dict[str, int]) -> str:
    true, said = pair
    share = line[said] / sum(line.values())
    colour = "#0072b2" if true == said else "#d55e00"
    title = f"{true} → {said}: {line[said]} ({100 * share:.0f} %)"
    return (
        f'<rect x="{x}" y="{y}" width="{_CELL - 1}" height="{_CELL - 1}" fill="{colour}" '
        f'fill-opacity="{0.2 + 0.8 * share:.2f}"><title>{_e(title)}</title></rect>'
    )
