"""GPU generations as a picture and a table: memory, bandwidth, what runs on each. From catalogue and planner.

Right of a dashed line a GPU holds that model; higher means quicker decoding, which reads all weights for every token.
"""

from functools import cache
from html import escape as _e
from math import log

import gradio as gr

from llmops.catalog.architectures import Architecture, architectures
from llmops.catalog.gpus import GpuSpec, gpus
from llmops.core.format import rate, size
from llmops.planning import planner
from llmops.report.tables import table
from llmops.sizing import memory

_TOKENS = 4096  # of one request: what “runs” is told for
_REFERENCE = "meta-llama/Llama-3.1-8B-Instruct"
_STEPS = (
    ("8B nf4", _REFERENCE, "nf4"),
    ("8B bf16", _REFERENCE, "bf16"),
    ("32B nf4", "Qwen/Qwen3-32B", "nf4"),
    ("70B nf4", "meta-llama/Llama-3.1-70B-Instruct", "nf4"),
    ("70B bf16", "meta-llama/Llama-3.1-70B-Instruct", "bf16"),
)
# Okabe and Ito's colours, and a shape each, so that no one needs the colour.
_ARCHS = {
    "Volta": ("#999999", "M-6,-6h12v12h-12z"),
    "Turing": ("#cc79a7", "M0,-7.5L7.5,6H-7.5z"),
    "Ampere": ("#e69f00", "M0,-8L8,0L0,8L-8,0z"),
    "Ada": ("#56b4e9", "M0,7.5L7.5,-6H-7.5z"),
    "Hopper": ("#009e73", "M-2.5,-7h5v4.5h4.5v5h-4.5v4.5h-5v-4.5h-4.5v-5h4.5z"),
    "Blackwell": ("#0072b2", "M-7,0a7,7 0 1,0 14,0a7,7 0 1,0 -14,0z"),
}
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 900, 470, 66, 30, 34, 46
_MEMORY, _BANDWIDTH = (7.0, 230.0), (240.0, 9500.0)


def build() -> None:
    """Lay out the accordion."""
    with gr.Accordion("GPU generations, Turing to Blackwell: memory, bandwidth, and what runs", open=False):
        gr.HTML(picture() + figures(), padding=False, elem_id="generations")


def picture() -> str:
    """Every GPU by memory and bandwidth, both on logarithmic scales; exact numbers in each mark's title."""
    lines = "".join(_step(place, name, model, precision) for place, (name, model, precision) in enumerate(_STEPS))
    marks = "".join(
        _mark(gpu, place) for place, gpu in enumerate(sorted(gpus(), key=lambda one: (one.gb, one.bandwidth)))
    )
    title = "GPUs by memory and bandwidth"
    return (
        '<p class="lo-lead">Right of a dashed line a GPU holds that model with one request of 4,096 tokens (estimated).'
        " The higher a GPU stands, the quicker a decoder writes on it, because every token reads all weights once.</p>"
        f'<p class="lo-keys">{"".join(_key(name) for name in _ARCHS)}</p>'
        f'<div class="lo-picture" tabindex="0" role="group" aria-label="{title}">'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">{_axes()}{lines}{marks}</svg></div>'
    )


def _x(gigabytes: float) -> float:
    low, high = _MEMORY
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * log(gigabytes / low) / log(high / low)


def _y(bandwidth: float) -> float:
    low, high = _BANDWIDTH
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * log(bandwidth / low) / log(high / low)


def _axes() -> str:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    ticks = "".join(
        f'<line class="lo-axis" x1="{_x(at):.0f}" x2="{_x(at):.0f}" y1="{_TOP}" y2="{bottom}"/>'
        f'<text x="{_x(at):.0f}" y="{bottom + 17}" text-anchor="middle">{at} GB</text>'
        for at in (8, 12, 16, 24, 32, 48, 80, 141, 192)
    )
    ticks += "".join(
        f'<line class="lo-axis" x1="{_LEFT}" x2="{right}" y1="{_y(at):.0f}" y2="{_y(at):.0f}"/>'
        f'<text x="{_LEFT - 6}" y="{_y(at) + 4:.0f}" text-anchor="end">{_bandwidth(at)}</text>'
        for at in (300, 500, 1000, 2000, 4000, 8000)
    )
    return ticks + (f'<text x="{_LEFT}" y="{_HEIGHT - 6}">Memory</text><text x="6" y="14">Bandwidth</text>')


def _step(place: int, name: str, model: str, precision: str) -> str:
    """The line from which on a model fits: memory as sold of which 94 % are usable, as the catalogue reckons."""
    need = _need(_architecture(model), precision) / 0.94 / 2**30
    at, top = _x(need), _TOP - 6 + 13 * (place % 2)
    return (
        f'<line class="lo-fits" x1="{at:.0f}" x2="{at:.0f}" y1="{top}" y2="{_HEIGHT - _BOTTOM}"/>'
        f'<text x="{at:.0f}" y="{top - 4}" text-anchor="middle" translate="no">{name}</text>'
    )


def _mark(gpu: GpuSpec, place: int) -> str:
    colour, shape = _ARCHS[gpu.arch]
    words = f"{gpu.name}: {gpu.gb:g} GB of memory, {_bandwidth(gpu.bandwidth)}, {gpu.arch} {gpu.year}"
    left = place % 2 == 0
    anchor, shift = ("end", -11) if left else ("start", 11)
    return (
        f'<g transform="translate({_x(gpu.gb):.0f},{_y(gpu.bandwidth):.0f})"><title>{_e(words)}</title>'
        f'<path d="{shape}" fill="{colour}" stroke="var(--background-fill-primary)"/>'
        f'<text x="{shift}" y="4" text-anchor="{anchor}" translate="no">{_e(gpu.name)}</text></g>'
    )


def _key(name: str) -> str:
    colour, shape = _ARCHS[name]
    path = f'<path d="{shape}" fill="{colour}"/>'
    svg = f'<svg width="18" height="18" viewBox="-9 -9 18 18" aria-hidden="true">{path}</svg>'
    return f'<span translate="no">{svg}{name}</span>'


def _bandwidth(value: float) -> str:
    return f"{value / 1000:g} TB/s" if value >= 1000 else f"{value:g} GB/s"


def figures() -> str:
    """The same as a table, with the largest model that runs and how fast the usual one would."""
    titles = (
        "GPU",
        "Generation",
        "Year",
        "Memory",
        "Bandwidth",
        "bf16",
        "Largest in bf16",
        "Largest in nf4",
        "8B nf4, limit",
        "8B nf4, eager",
    )
    rows = "".join(
        f'<tr><th scope="row" translate="no">{_e(gpu.name)}</th>'
        + "".join(f"<td>{cell}</td>" for cell in _cells(gpu))
        + "</tr>"
        for gpu in gpus()
    )
    return table(titles, rows) + (
        '<p class="lo-legend">What runs, and how fast, is estimated: models of the catalogue, one request of 4,096 '
        "tokens, eager transformers. Limit: bandwidth by bytes of the weights; good servers come near it, eager "
        "transformers at one request do not. Without bf16 in the hardware, fp16 is taken.</p>"
    )


def _cells(gpu: GpuSpec) -> tuple[str, ...]:
    """Cells as HTML."""
    plain = (
        gpu.arch,
        str(gpu.year),
        f"{gpu.gb:g} GB",
        _bandwidth(gpu.bandwidth),
        "yes" if gpu.bf16 else "no",
    )
    largest = (_largest(gpu.usable_bytes, precision) for precision in ("bf16", "nf4"))
    return (*(_e(cell) for cell in plain), *largest, *_speeds(gpu))


def _speeds(gpu: GpuSpec) -> tuple[str, str]:
    """Tokens a second of the usual model in nf4: what bandwidth allows, reading all weights once, and eagerly."""
    reference = _architecture(_REFERENCE)
    if _need(reference, "nf4") > gpu.usable_bytes:
        return "", ""
    limit = gpu.bandwidth * 1e9 / memory.weight_bytes(reference.shape, "nf4").total
    eager = planner.predict(reference.shape, "nf4", gpu, _TOKENS - 128, 128, 1).decode_tokens_per_s
    return rate(limit, "tok/s"), rate(min(eager, limit), "tok/s")


@cache
def _architecture(model: str) -> Architecture:
    return next(one for one in architectures() if one.id == model)


@cache
def _needs(precision: str) -> tuple[tuple[Architecture, int], ...]:
    """Every architecture that reads so many tokens, smallest first, with its bytes on a GPU."""
    known = [one for one in architectures() if one.shape.context >= _TOKENS]
    return tuple((one, _need(one, precision)) for one in sorted(known, key=lambda one: one.params))


def _need(architecture: Architecture, precision: str) -> int:
    return planner.plan(architecture.id, architecture.shape, precision, _TOKENS, 1, ()).peak_bytes


def _largest(usable_bytes: int, precision: str) -> str:
    held = [(one, need) for one, need in _needs(precision) if need <= usable_bytes]
    if not held:
        return ""
    one, need = held[-1]
    return f'<span translate="no">{_e(one.id.rpartition("/")[2].removesuffix("-Instruct"))}</span> ({size(need)})'
