"""Plans and dry runs as HTML: bars, curves, tables. A number stands by every mark; foreign text is escaped."""

from collections.abc import Sequence
from html import escape as _e

from llmops.core.format import count, rate, seconds, size
from llmops.planning import planner
from llmops.planning.dry_run import DryRun
from llmops.planning.planner import Plan, Verdict
from llmops.report.tables import row, table
from llmops.sizing.shape import Shape
from llmops.ui.lines import Limit, Series
from llmops.ui.lines import chart as lines

_CURVE_POINTS, _TABLE_POINTS = 24, 6
_NEAR = 0.07  # GPUs whose memory differs by less share a line

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


def memory(made: Plan, shape: Shape) -> str:
    """Memory against context for each precision, up to twice the asked one, with the GPUs' lines; and as a table."""
    most = min(shape.context, max(2 * made.context, 2048))
    precisions = [*(() if made.precision in ("bf16", "int8", "nf4") else (made.precision,)), "bf16", "int8", "nf4"]

    def curve(precision: str, points: int) -> list[tuple[int, int]]:
        steps = dict.fromkeys(max(2, most * step // points) for step in range(1, points + 1))
        return [
            (n, planner.plan(made.model, shape, precision, n, made.requests, (), made.new_tokens).peak_bytes)
            for n in steps
        ]

    series = [Series(one, tuple((n, need / 1e9) for n, need in curve(one, _CURVE_POINTS))) for one in precisions]
    title = f"Memory by context, {made.requests} at once"
    drawn = lines(title, ("context, tokens", "GB"), series, (_tokens, _short), _levels(made))
    columns = [curve(one, _TABLE_POINTS) for one in precisions]
    rows = "".join(
        row(count(n), tuple(size(column[index][1]) for column in columns)) for index, (n, _) in enumerate(columns[0])
    )
    return drawn + f"<details><summary>As a table</summary>{table(('Context', *precisions), rows)}</details>"


def _levels(made: Plan) -> list[Limit]:
    """A line for each size of GPU."""
    groups: list[list[Verdict]] = []
    for verdict in sorted(made.gpus, key=lambda one: one.usable_bytes):
        if groups and verdict.usable_bytes < groups[-1][0].usable_bytes * (1 + _NEAR):
            groups[-1].append(verdict)
        else:
            groups.append([verdict])
    names = [", ".join(one.name for one in group[:2]) if len(group) < 3 else "" for group in groups]
    return [
        Limit(name or f"{group[0].name} and {len(group) - 1} more", group[0].usable_bytes / 1e9)
        for name, group in zip(names, groups, strict=True)
    ]


def _tokens(value: float) -> str:
    return f"{value:,.0f}"


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
    titles = (
        "GPU", "USD / h", "Fits", "Requests", "Context", "TTFT", "Decode", "USD / 1,000", "Wh / 1,000",
        "What would help",
    )  # fmt: skip
    rows = "".join(
        row(
            verdict.name,
            (
                "" if verdict.usd_hour is None else f"{verdict.usd_hour:.2f} ({verdict.price_date})",
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
        "Prices are approximate, of the month beside them, and differ by seller.</p>"
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
