"""Plans and dry runs as HTML: bars, curves, tables. A number stands by every mark; foreign text is escaped."""

from collections.abc import Callable, Sequence
from html import escape as _e

from llmops.core.format import count, rate, seconds, size
from llmops.planning import planner
from llmops.planning.dry_run_record import DryRun, DryRunFigures
from llmops.planning.planner import GpuFit, Plan
from llmops.planning.settings import PlanSettings
from llmops.report.axis import Axis, number
from llmops.report.chart import line_chart
from llmops.report.plot import NAMED, Limit, joined
from llmops.report.tables import row, table
from llmops.sizing.shape import Shape

_CURVE_POINTS, _TABLE_POINTS = 24, 6
_NEAR = 0.07  # GPUs whose memory differs by less share a line

_PARTS = (("weights", "Weights"), ("cache", "KV cache"), ("work", "Workspace"), ("over", "Overhead"))


def planned(plan: Plan) -> str:
    """The needs as one stacked bar against each GPU's line, and the verdicts as a table."""
    parts = (plan.weights_bytes, plan.kv_cache_bytes, plan.workspace_bytes, plan.overhead_bytes)
    legend = "".join(
        f'<span><i class="lo-part lo-{key}"></i>{name} {size(value)}</span>'
        for (key, name), value in zip(_PARTS, parts, strict=True)
    )
    notes = "".join(f"<li>{_e(note)}</li>" for note in plan.notes)
    rows = "".join(_gpu(gpu, parts, plan.peak_bytes) for gpu in plan.gpus)
    title = f"{plan.model} in {plan.precision}, {plan.context:,} tokens, {plan.requests} at once"
    return (
        f'<p class="lo-lead"><b>{_e(title)}: {size(plan.peak_bytes)}</b> (estimated)</p>'
        f'<p class="lo-keys">{legend}<span><i class="lo-line"></i>what the GPU has</span></p>'
        f'<ul class="lo-notes">{notes}</ul><div class="lo-gpus">{rows}</div>{_gpu_table(plan)}{_recorded(plan)}'
    )


def memory(plan: Plan, shape: Shape) -> str:
    """Memory against context for each precision, up to twice the asked one, with the GPUs' lines; and as a table."""
    most = min(shape.context, max(2 * plan.context, 2048))
    precisions = [*(() if plan.precision in ("bf16", "int8", "nf4") else (plan.precision,)), "bf16", "int8", "nf4"]

    def needs(precision: str, points: int) -> list[tuple[int, int]]:
        steps = dict.fromkeys(max(2, most * step // points) for step in range(1, points + 1))
        asked = {"precision": precision, "requests": plan.requests, "new_tokens": plan.new_tokens}
        settings = [PlanSettings.read({**asked, "context": context}) for context in steps]
        return [(each.context, planner.plan(plan.model, shape, each, ()).peak_bytes) for each in settings]

    series = [
        joined(precision, look, [(n, need / 1e9) for n, need in needs(precision, _CURVE_POINTS)])
        for look, precision in enumerate(precisions)
    ]
    title = f"Memory by context, {plan.requests} at once"
    drawn = line_chart(title, ("context, tokens", "GB"), (_tokens, number), series, _levels(plan), NAMED)
    columns = [needs(precision, _TABLE_POINTS) for precision in precisions]
    rows = "".join(
        row(count(n), tuple(size(column[index][1]) for column in columns)) for index, (n, _) in enumerate(columns[0])
    )
    return drawn + f"<details><summary>As a table</summary>{table(('Context', *precisions), rows)}</details>"


def _levels(plan: Plan) -> list[Limit]:
    """A line for each size of GPU."""
    groups: list[list[GpuFit]] = []
    for gpu in sorted(plan.gpus, key=lambda gpu: gpu.usable_bytes):
        if groups and gpu.usable_bytes < groups[-1][0].usable_bytes * (1 + _NEAR):
            groups[-1].append(gpu)
        else:
            groups.append([gpu])
    names = [", ".join(gpu.name for gpu in group) if len(group) < 3 else "" for group in groups]
    return [
        Limit(name or f"{group[0].name} and {len(group) - 1} more", group[0].usable_bytes / 1e9)
        for name, group in zip(names, groups, strict=True)
    ]


def _tokens(value: float) -> str:
    return f"{value:,.0f}"


def _gpu(gpu: GpuFit, parts: Sequence[int], peak: int) -> str:
    scale = Axis("", 0, max(peak, gpu.usable_bytes) * 1.02)
    bars = "".join(
        f'<span class="lo-part lo-{key}" style="width:{100 * scale.share(value):.2f}%"></span>'
        for (key, _), value in zip(_PARTS, parts, strict=True)
    )
    line = f'<span class="lo-limit" style="left:{100 * scale.share(gpu.usable_bytes):.2f}%"></span>'
    word = "fits" if gpu.fits else "does not fit"
    return (
        f'<div class="lo-gpu"><span>{_e(gpu.name)}</span><span class="lo-stack">{bars}{line}</span>'
        f'<span class="{"lo-yes" if gpu.fits else "lo-no"}">{word} in {size(gpu.usable_bytes)}</span></div>'
    )


def _gpu_table(plan: Plan) -> str:
    titles = (
        "GPU", "USD / h", "Fits", "Requests", "Context", "TTFT", "Decode", "USD / 1,000", "Wh / 1,000",
        "What would help",
    )  # fmt: skip
    rows = "".join(
        row(
            gpu.name,
            (
                "" if gpu.usd_hour is None else f"{gpu.usd_hour:.2f} ({gpu.price_date})",
                "yes" if gpu.fits else "no",
                count(gpu.max_requests),
                count(gpu.max_context),
                seconds(gpu.predicted.ttft_s) if gpu.fits else "",
                rate(gpu.predicted.decode_tokens_per_s, "tok/s") if gpu.fits else "",
                _figure(gpu.predicted.usd_per_1000) if gpu.fits else "",
                _figure(gpu.predicted.wh_per_1000) if gpu.fits else "",
                "; ".join(part for part in (gpu.why_not, gpu.remedy, gpu.note) if part),
            ),
        )
        for gpu in plan.gpus
    )
    return table(titles, rows) + (
        '<p class="lo-legend">All estimated. Times are eager transformers\' at batch 1; energy is the GPU at its TDP. '
        "Prices are approximate, of the month beside them, and differ by seller.</p>"
    )


def _recorded(plan: Plan) -> str:
    """Dry runs of the same model and precision that were measured, with hardware and date."""
    if not plan.measured:
        return ""
    titles = ("Recorded dry run", "Weights", "Predicted", "Peak", "Predicted", "Prefill", "Decode")
    rows = "".join(
        row(
            f"{trial.hardware}, {trial.date}",
            (
                size(trial.weights_bytes),
                size(trial.predicted_weights_bytes),
                size(trial.peak_bytes),
                size(trial.predicted_peak_bytes),
                rate(trial.prefill_tokens_per_s, "tok/s"),
                rate(trial.decode_tokens_per_s, "tok/s"),
            ),
        )
        for trial in plan.measured
    )
    return table(titles, rows)


def _figure(value: float | None) -> str:
    return "" if value is None else number(value)


def dry_run(trial: DryRun) -> str:
    """Predicted and measured side by side, and the whole where a slice was measured."""
    whole = trial.layers != trial.of_layers
    titles = ["", "Predicted", "Measured", "Gap", *(["All layers (estimated)"] if whole else [])]
    readings: tuple[tuple[str, Callable[[DryRunFigures], str], str], ...] = (
        ("Weights", lambda figures: size(figures.weights_bytes), "weights_bytes"),
        ("KV cache", lambda figures: size(figures.kv_cache_bytes), "kv_cache_bytes"),
        ("Peak, weights included", lambda figures: size(figures.peak_bytes), "peak_bytes"),
        ("Load", lambda figures: seconds(figures.load_s), ""),
        ("TTFT", lambda figures: seconds(figures.ttft_s), ""),
        ("Prefill", lambda figures: rate(figures.prefill_tokens_per_s, "tok/s"), ""),
        ("Decode", lambda figures: rate(figures.decode_tokens_per_s, "tok/s"), ""),
    )
    rows = "".join(
        row(
            name,
            (
                written(trial.predicted),
                written(trial.measured),
                _gap(trial.gaps.get(key)),
                *([written(trial.whole)] if whole else []),
            ),
        )
        for name, written, key in readings
    )
    notes = "".join(f"<li>{_e(note)}</li>" for note in trial.notes)
    title = f"{trial.model} in {trial.precision}: {trial.layers} of {trial.of_layers} layers on {trial.device}"
    tokens = f"{trial.prompt_tokens} tokens in, {trial.new_tokens} out"
    return (
        f'<p class="lo-lead"><b>{_e(title)}</b>, random weights, {tokens}</p>'
        f'{table(titles, rows)}<ul class="lo-notes">{notes}</ul>'
    )


def _gap(value: float | None) -> str:
    return "" if value is None else f"{value:+.1%}"
