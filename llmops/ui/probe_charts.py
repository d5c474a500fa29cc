"""Probes as HTML: tables, a heat map, line charts. A number stands by every mark; foreign text is escaped."""

from collections.abc import Callable, Iterable, Sequence
from html import escape as _e
from statistics import median

from llmops.core.format import count, rate, seconds, size
from llmops.probes.context import Cell, EndedEarly
from llmops.probes.load import LoadPoint
from llmops.report.axis import number
from llmops.report.chart import line_chart
from llmops.report.plot import joined
from llmops.report.tables import row, table


def load(points: Sequence[LoadPoint]) -> str:
    """The levels as a table."""
    if not points:
        return ""
    titles = (
        "Level", "Requests", "Failed", "Requests/s", "Tokens/s", "Good/s", "TTFT p50", "TTFT p90", "TTFT p99",
        "TPOT p50", "TPOT p90", "TPOT p99", "Memory a request more",
    )  # fmt: skip
    rows = "".join(_load_row(point) for point in points)
    errors = dict.fromkeys(error for point in points for error in point.errors)
    notes = "".join(f"<li>{_e(error)}</li>" for error in errors)
    good = f"Good: TTFT up to {seconds(points[0].slo_ttft_s)}, TPOT up to {seconds(points[0].slo_tpot_s)}."
    legend = f'<p class="lo-legend">{good} Client-measured. p99 of fewer than 100 requests is near the slowest one.</p>'
    return table(titles, rows) + (f'<ul class="lo-notes">{notes}</ul>' if notes else "") + legend


def latency(points: Sequence[LoadPoint]) -> str:
    """Latency against throughput, a point a level."""
    figures: tuple[tuple[str, Callable[[LoadPoint], dict[str, float] | None], str], ...] = (
        ("E2E p50", lambda point: point.e2e_s, "p50"),
        ("E2E p90", lambda point: point.e2e_s, "p90"),
        ("TTFT p50", lambda point: point.ttft_s, "p50"),
        ("TTFT p90", lambda point: point.ttft_s, "p90"),
    )
    series = []
    for look, (name, read, share) in enumerate(figures):
        known = [(point, times[share]) for point in points if (times := read(point))]
        labels = [f"{point.users or point.rate:g}" for point, _ in known] if name == "E2E p90" else ()
        series.append(joined(name, look, [(point.requests_per_s, value) for point, value in known], labels))
    axes = ("requests a second", "seconds")
    return line_chart("Latency against throughput", axes, (number, number), series)


def _load_row(point: LoadPoint) -> str:
    ttft, tpot = point.ttft_s or {}, point.tpot_s or {}
    people = f"{point.users} user{'s' if point.users != 1 else ''}"
    name = people if point.users else f"{point.rate:g} a second"
    return row(
        name + (" (stopped)" if point.stopped else ""),
        (
            count(point.requests),
            count(point.failures),
            f"{point.requests_per_s:.3g}",
            f"{point.output_tokens_per_s:.3g}",
            f"{point.goodput_per_s:.3g}",
            *(seconds(ttft.get(p)) for p in ("p50", "p90", "p99")),
            *(seconds(tpot.get(p)) for p in ("p50", "p90", "p99")),
            size(point.memory_per_request_bytes),
        ),
    )


def heat(cells: Sequence[Cell], ended: EndedEarly | None) -> str:
    """Right and wrong by length (rows) and depth (columns), with what the length costs beside it."""
    if not cells:
        return _ended(ended)
    depths = sorted({cell.depth for cell in cells})
    titles = ("Tokens", *(f"{depth:.0%}" for depth in depths), "TTFT or E2E", "Decode", "KV cache")
    rows = ""
    for length in dict.fromkeys(cell.length for cell in cells):
        same = {cell.depth: cell for cell in cells if cell.length == length}
        first = _middle(cell.ttft_s if cell.ttft_s is not None else cell.e2e_s for cell in same.values())
        decode = _middle(cell.decode_tokens_per_s for cell in same.values())
        kept = _middle(cell.kv_cache_bytes for cell in same.values())
        marks = "".join(_mark(same.get(depth)) for depth in depths)
        costs = (seconds(first), rate(decode, "tok/s"), size(kept))
        tail = "".join(f"<td>{_e(cost)}</td>" for cost in costs)
        rows += f'<tr><th scope="row">{count(_read(same.values(), length))}</th>{marks}{tail}</tr>'
    return table(titles, rows) + _ended(ended)


def times(cells: Sequence[Cell]) -> str:
    """Median TTFT and E2E over the depths of each length."""
    lengths = {length: [cell for cell in cells if cell.length == length] for length in {cell.length for cell in cells}}
    series = []
    for look, name in enumerate(("ttft_s", "e2e_s")):
        middles = [
            (_read(same, length), _middle(getattr(cell, name) for cell in same)) for length, same in lengths.items()
        ]
        points = sorted((float(tokens), value) for tokens, value in middles if value is not None)
        series.append(joined(name.removesuffix("_s").upper(), look, points))
    return line_chart("Time by length", ("prompt tokens", "seconds"), (_tokens, number), series)


def _read(same: Iterable[Cell], length: int) -> int:
    """Tokens that the prompts of one length had; what was aimed at where nobody counted."""
    return int(_middle(cell.prompt_tokens for cell in same) or length)


def _middle(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _mark(cell: Cell | None) -> str:
    if cell is None:
        return "<td></td>"
    word = "right" if cell.right else cell.label or "unparsed"
    return f'<td class="{"lo-right" if cell.right else "lo-wrong"}">{"✓" if cell.right else "✗"} {_e(word)}</td>'


def _ended(ended: EndedEarly | None) -> str:
    if ended is None:
        return ""
    return f'<div class="lo-error" role="status"><b>Ended at {ended.length:,} tokens.</b> {_e(ended.message)}</div>'


def _tokens(value: float) -> str:
    return f"{value:,.0f}"
