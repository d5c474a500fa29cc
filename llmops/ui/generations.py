"""GPU generations as a picture and a table: memory, bandwidth, what runs on each. From catalogue and planner.

Right of a dashed line a GPU holds that model; higher means quicker decoding, which reads all weights for every token.
"""

from functools import cache
from html import escape as _e

import gradio as gr

from llmops.catalog.architectures import Architecture, architectures
from llmops.catalog.gpus import GpuSpec, gpus
from llmops.core.format import rate, size
from llmops.planning import planner
from llmops.planning.roofline import predict
from llmops.planning.settings import PlanSettings
from llmops.report.axis import fitted
from llmops.report.chart import figure
from llmops.report.plot import Canvas, Limit, Mark, Plot, Series
from llmops.report.tables import Foreign, table
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
# Each with the colour and shape that a plot gives to its number.
_ARCHS = {"Blackwell": 0, "Hopper": 2, "Turing": 3, "Ampere": 4, "Ada": 5, "Volta": 6}
_CANVAS = Canvas(820, 460, scrolls=True)


def build() -> None:
    """Lay out the accordion."""
    with gr.Accordion("GPU generations, Turing to Blackwell: memory, bandwidth, and what runs", open=False):
        gr.HTML(picture() + figures(), padding=False, elem_id="generations")


def picture() -> str:
    """Every GPU by memory and bandwidth, both on logarithmic scales; exact numbers in each mark's title."""
    limits = tuple(_step(name, model, precision) for name, model, precision in _STEPS)
    gigabytes = [*(gpu.gb for gpu in gpus()), *(limit.at for limit in limits)]
    x = fitted("Memory", gigabytes, lambda value: f"{value:g} GB", "logarithmic")
    y = fitted("Bandwidth", [gpu.bandwidth for gpu in gpus()], _bandwidth, "logarithmic")
    series = tuple(Series(Foreign(arch), look, _marks(arch)) for arch, look in _ARCHS.items())
    plot = Plot("GPUs by memory and bandwidth", x, y, series, limits, canvas=_CANVAS)
    return (
        '<p class="lo-lead">Right of a dashed line a GPU holds that model with one request of 4,096 tokens (estimated).'
        " The higher a GPU stands, the quicker a decoder writes on it, because every token reads all weights once.</p>"
        f"{figure(plot)}"
    )


def _step(name: str, model: str, precision: str) -> Limit:
    """The line from which on a model fits: memory as sold of which 94 % are usable, as the catalogue reckons."""
    return Limit(Foreign(name), _need(_architecture(model), precision) / 0.94 / 2**30, upright=True)


def _marks(arch: str) -> tuple[Mark, ...]:
    """A named mark for each GPU of a generation."""
    return tuple(
        Mark(
            gpu.gb,
            gpu.bandwidth,
            f"{gpu.name}: {gpu.gb:g} GB of memory, {_bandwidth(gpu.bandwidth)}, {gpu.arch} {gpu.year}",
            Foreign(gpu.name),
            6.5,
        )
        for gpu in gpus()
        if gpu.arch == arch
    )


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
    eager = predict(reference.shape, "nf4", gpu, _TOKENS - 128, 128, 1).decode_tokens_per_s
    return rate(limit, "tok/s"), rate(min(eager, limit), "tok/s")


@cache
def _architecture(model: str) -> Architecture:
    return next(architecture for architecture in architectures() if architecture.id == model)


@cache
def _needs(precision: str) -> tuple[tuple[Architecture, int], ...]:
    """Every architecture that reads so many tokens, smallest first, with its bytes on a GPU."""
    known = [architecture for architecture in architectures() if architecture.shape.context >= _TOKENS]
    known.sort(key=lambda architecture: architecture.params)
    return tuple((architecture, _need(architecture, precision)) for architecture in known)


def _need(architecture: Architecture, precision: str) -> int:
    asked = PlanSettings.read({"precision": precision, "context": _TOKENS})
    return planner.plan(architecture.id, architecture.shape, asked, ()).peak_bytes


def _largest(usable_bytes: int, precision: str) -> str:
    fitting = [(architecture, need) for architecture, need in _needs(precision) if need <= usable_bytes]
    if not fitting:
        return ""
    largest, need = fitting[-1]
    return f'<span translate="no">{_e(largest.id.rpartition("/")[2].removesuffix("-Instruct"))}</span> ({size(need)})'
