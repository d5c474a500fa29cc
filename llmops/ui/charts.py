"""Plans and probes as HTML: bars, tables, a heat map. A number stands by every mark; foreign text is escaped."""

from collections.abc import Sequence
from html import escape as _e

from llmops.dry_run import DryRun
from llmops.format import count, rate, seconds, size
from llmops.planner import Plan, Verdict
from llmops.probes.context import Cell, Ended
from llmops.probes.load import LoadPoint
from llmops.report.tables import row, table

_PARTS = (("weights", "Weights"), ("cache", "KV cache"), ("work", "Workspace"), ("over", "Overhead"))


def plan(made: Plan) -> str:
    """The needs as one stacked bar against each GPU's line, and the verdicts as a table."""
    parts = (made.weights_bytes, made.kv_cache_bytes, made.workspace_bytes, made.overhead_bytes)
    legend = "".join(
        f'<span><i class="lo-part lo-{key}"></i>{name} {size(value)}</span>'
        for (key, name), value in zip(_PARTS, parts, strict=True)
    )
    notes = "".join(f"<li>{_e(note)}</li>" for note in made.notes)
    rows = "".join(_gpu(verdict, parts, made.peak_bytes) for verdict in made.gpus)
    title = f"{made.model} in {made.precision}, {made.context:,} tokens, {made.requests} at once"
    return (
        f'<p class="lo-lead"><b>{_e(title)}: {size(made.peak_bytes)}</b> (estimated)</p>'
        f'<p class="lo-keys">{legend}<span><i class="lo-line"></i>what the GPU has</span></p>'
        f'<ul class="lo-notes">{notes}</ul><div class="lo-gpus">{rows}</div>{_verdicts(made)}{_recorded(made)}'
    )


def _gpu(verdict: Verdict, parts: Sequence[int], peak: int) -> str:
    scale = max(peak, verdict.usable_bytes) * 1.02
    bars = "".join(
        f'<span class="lo-part lo-{key}" style="width:{100 * value / scale:.2f}%"></span>'
        for (key, _), value in zip(_PARTS, parts, strict=True)
    )
    line = f'<span class="lo-limit" style="left:{100 * verdict.usable_bytes / scale:.2f}%"></span>'
    word = "fits" if verdict.fits else "does not fit"
    return (
        f'<div class="lo-gpu"><span>{_e(verdict.name)}</span><span class="lo-stack">{bars}{line}</span>'
        f'<span class="{"lo-yes" if verdict.fits else "lo-no"}">{word} in {size(verdict.usable_bytes)}</span></div>'
    )


def _verdicts(made: Plan) -> str:
    titles = ("GPU", "Fits", "Requests", "Context", "TTFT", "Decode", "USD / 1,000", "Wh / 1,000", "What would help")
    rows = "".join(
        row(
            verdict.name,
            (
                "yes" if verdict.fits else "no",
                count(verdict.max_requests),
                count(verdict.max_context),
                seconds(verdict.predicted.ttft_s) if verdict.fits else "",
                rate(verdict.predicted.decode_tokens_per_s, "tok/s") if verdict.fits else "",
                _short(verdict.predicted.usd_per_1000) if verdict.fits else "",
                _short(verdict.predicted.wh_per_1000) if verdict.fits else "",
                "; ".join(part for part in (verdict.why_not, verdict.remedy, verdict.note) if part),
            ),
        )
        for verdict in made.gpus
    )
    return table(titles, rows) + (
        '<p class="lo-legend">All estimated. Times are eager transformers\' at batch 1; energy is the GPU at its TDP. '
        "Prices are approximate and dated in the catalogue.</p>"
    )


def _recorded(made: Plan) -> str:
    """Dry runs of the same model and precision that were measured, with hardware and date."""
    if not made.measured:
        return ""
    titles = ("Recorded dry run", "Weights", "Predicted", "Peak", "Predicted", "Prefill", "Decode")
    rows = "".join(
        row(
            f"{one.hardware}, {one.date}",
            (
                size(one.weights_bytes),
                size(one.predicted_weights_bytes),
                size(one.peak_bytes),
                size(one.predicted_peak_bytes),
                rate(one.prefill_tokens_per_s, "tok/s"),
                rate(one.decode_tokens_per_s, "tok/s"),
            ),
        )
        for one in made.measured
    )
    return table(titles, rows)


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def dry_run(made: DryRun) -> str:
    """Predicted and measured side by side, and the whole where a slice was measured."""
    whole = made.layers != made.of_layers
    titles = ["", "Predicted", "Measured", "Gap", *(["All layers (estimated)"] if whole else [])]
    figures = (
        ("Weights", lambda one: size(one.weights_bytes), "weights_bytes"),
        ("KV cache", lambda one: size(one.kv_cache_bytes), "kv_cache_bytes"),
        ("Peak, weights included", lambda one: size(one.peak_bytes), "peak_bytes"),
        ("Load", lambda one: seconds(one.load_s), ""),
        ("TTFT", lambda one: seconds(one.ttft_s), ""),
        ("Prefill", lambda one: rate(one.prefill_tokens_per_s, "tok/s"), ""),
        ("Decode", lambda one: rate(one.decode_tokens_per_s, "tok/s"), ""),
    )
    rows = "".join(
        row(
            name,
            (
                written(made.predicted),
                written(made.measured),
                _gap(made.gaps.get(key)),
                *([written(made.whole)] if whole else []),
            ),
        )
        for name, written, key in figures
    )
    notes = "".join(f"<li>{_e(note)}</li>" for note in made.notes)
    title = f"{made.model} in {made.precision}: {made.layers} of {made.of_layers} layers on {made.device}"
    tokens = f"{made.prompt_tokens} tokens in, {made.new_tokens} out"
    return (
        f'<p class="lo-lead"><b>{_e(title)}</b>, random weights, {tokens}</p>'
        f'{table(titles, rows)}<ul class="lo-notes">{notes}</ul>'
    )


def _gap(value: float | None) -> str:
    return "" if value is None else f"{value:+.1%}"


def load(points: Sequence[LoadPoint]) -> str:
    """The levels as a table."""
    titles = (
        "Load", "Requests", "Failed", "Requests/s", "Tokens/s", "Good/s",
        "TTFT p50", "TTFT p90", "TTFT p99", "TPOT p50", "TPOT p99", "Memory a request more",
    )  # fmt: skip
    rows = "".join(_load_row(point) for point in points)
    errors = "".join(f"<li>{_e(error)}</li>" for point in points for error in point.errors)
    note = '<p class="lo-legend">Client-measured. p99 of fewer than 100 requests is near the slowest one.</p>'
    return table(titles, rows) + f'<ul class="lo-notes">{errors}</ul>' + note if points else ""


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
            *(seconds(tpot.get(p)) for p in ("p50", "p99")),
            size(point.memory_per_request_bytes),
        ),
    )


def heat(cells: Sequence[Cell], ended: Ended | None) -> str:
    """Right and wrong by length (rows) and depth (columns), with what the length costs beside it."""
    if not cells:
        return _ended(ended)
    depths = sorted({cell.depth for cell in cells})
    titles = ("Tokens", *(f"{depth:.0%}" for depth in depths), "TTFT or E2E", "Decode", "KV cache")
    rows = ""
    for length in dict.fromkeys(cell.length for cell in cells):
        same = {cell.depth: cell for cell in cells if cell.length == length}
        last = list(same.values())[-1]
        marks = "".join(_mark(same.get(depth)) for depth in depths)
        costs = (seconds(last.ttft_s or last.e2e_s), rate(last.decode_tokens_per_s, "tok/s"), size(last.kv_cache_bytes))
        tail = "".join(f"<td>{_e(cost)}</td>" for cost in costs)
        rows += f'<tr><th scope="row">{count(last.prompt_tokens or length)}</th>{marks}{tail}</tr>'
    return table(titles, rows) + _ended(ended)


def _mark(cell: Cell | None) -> str:
    if cell is None:
        return "<td></td>"
    word = "right" if cell.right else cell.label or "unparsed"
    return f'<td class="{"lo-right" if cell.right else "lo-wrong"}">{"✓" if cell.right else "✗"} {_e(word)}</td>'


def _ended(ended: Ended | None) -> str:
    if ended is None:
        return ""
    return f'<div class="lo-error" role="status"><b>Ended at {ended.length:,} tokens.</b> {_e(ended.message)}</div>'
