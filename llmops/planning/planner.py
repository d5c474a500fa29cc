"""Will it fit? Weights, cache and workspace of a decoder against every GPU. Estimates, and marked so.

Pure arithmetic on a Shape and on catalogue rows; nothing is loaded. Units: bytes, seconds, tokens.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from llmops.catalog.gpus import GpuSpec
from llmops.catalog.recorded_dry_runs import RecordedDryRun, recorded_dry_runs
from llmops.core.errors import InputError
from llmops.planning.roofline import PredictedSpeed, predict
from llmops.planning.settings import MOST_REQUESTS, PlanSettings
from llmops.sizing.memory import (
    CONTEXT_BYTES,
    PRECISIONS,
    WeightBytes,
    kv_bytes,
    largest_fitting,
    weight_bytes,
    workspace_bytes,
)
from llmops.sizing.shape import Shape

_USEFUL_TOKENS = 1024  # a context shortened below it is no remedy


@dataclass(frozen=True)
class GpuFit:
    """A GPU's answer. max_requests at the asked context, max_context (tokens) at the asked requests; 0: none.

    usd_hour: the catalogue's price, as of price_date.
    """

    name: str
    fits: bool
    usable_bytes: int
    max_requests: int
    max_context: int
    why_not: str
    remedy: str
    note: str
    predicted: PredictedSpeed
    usd_hour: float | None = None
    price_date: str = ""


@dataclass(frozen=True)
class Plan:
    """What a model needs: bytes, and every GPU's verdict. peak_bytes holds on a GPU, its context included.

    measured: recorded dry runs of the same model and precision.
    """

    model: str
    precision: str
    context: int
    requests: int
    new_tokens: int
    weights: WeightBytes
    kv_cache_bytes: int
    workspace_bytes: int
    overhead_bytes: int
    notes: tuple[str, ...]
    gpus: tuple[GpuFit, ...]
    measured: tuple[RecordedDryRun, ...] = ()

    @property
    def weights_bytes(self) -> int:
        """Weights in all."""
        return self.weights.total

    @property
    def peak_bytes(self) -> int:
        """Weights, cache, workspace and overhead."""
        return self.weights_bytes + self.kv_cache_bytes + self.workspace_bytes + self.overhead_bytes

    def to_json(self) -> dict[str, Any]:
        """Plain data; `predicted` maps a GPU's name to its figures, all estimated."""
        data = asdict(self)
        data |= {"weights_bytes": self.weights_bytes, "peak_bytes": self.peak_bytes, "source": "estimated"}
        data["predicted"] = {gpu.name: asdict(gpu.predicted) for gpu in self.gpus}
        return data


def plan(model: str, shape: Shape, asked: PlanSettings, gpus: Sequence[GpuSpec]) -> Plan:
    """What a model needs to run as it is asked to. Raises InputError for a context beyond the model's."""
    precision, context, requests = asked.precision, asked.context, asked.requests
    if context > shape.context:
        raise InputError(
            f"{model} reads {shape.context:,} tokens; {context:,} are asked.",
            f"Lower the context to {shape.context:,}, or choose a model with a longer one.",
        )
    new_tokens = min(asked.new_tokens, context - 1)
    prompt = context - new_tokens
    weights = weight_bytes(shape, precision)
    return Plan(
        model=model,
        precision=precision,
        context=context,
        requests=requests,
        new_tokens=new_tokens,
        weights=weights,
        kv_cache_bytes=requests * kv_bytes(shape, precision, context),
        workspace_bytes=workspace_bytes(shape, precision, prompt, requests),
        overhead_bytes=CONTEXT_BYTES,
        notes=_notes(shape, precision, weights),
        gpus=tuple(_gpu_fit(shape, precision, context, requests, new_tokens, gpu) for gpu in gpus),
        measured=tuple(row for row in recorded_dry_runs() if (row.model, row.precision) == (model, precision)),
    )


def _notes(shape: Shape, precision: str, weights: WeightBytes) -> tuple[str, ...]:
    notes = []
    if shape.experts and precision in ("int8", "nf4"):
        share = weights.experts / weights.total
        notes.append(
            f"This is no {precision} model: bitsandbytes leaves the experts ({share:.0%} of the bytes) in 16 bits "
            "under transformers 5."
        )
    if shape.sliding_layers:
        notes.append(f"{shape.sliding_layers} of {shape.layers} layers keep the last {shape.window:,} tokens only.")
    if shape.state_layers:
        notes.append(
            f"{shape.state_layers} of {shape.layers} layers keep a state of one size instead of a growing cache."
        )
    return tuple(notes)


def _need(shape: Shape, precision: str, context: int, requests: int, new_tokens: int) -> int:
    """Bytes on a GPU, its context included."""
    cache = requests * kv_bytes(shape, precision, context)
    work = workspace_bytes(shape, precision, max(1, context - new_tokens), requests)
    return weight_bytes(shape, precision).total + cache + work + CONTEXT_BYTES


def _gpu_fit(shape: Shape, precision: str, context: int, requests: int, new_tokens: int, gpu: GpuSpec) -> GpuFit:
    def fits(context: int, requests: int, precision: str = precision, devices: int = 1) -> bool:
        need = _need(shape, precision, context, requests, min(new_tokens, context - 1))
        return need + (devices - 1) * CONTEXT_BYTES <= devices * gpu.usable_bytes

    most_requests = largest_fitting(lambda n: fits(context, n), MOST_REQUESTS)
    most_context = largest_fitting(lambda n: n < 2 or fits(n, requests), shape.context)
    most_context = most_context if most_context > 1 else 0
    ok = fits(context, requests)
    why_not = remedy = ""
    if not ok:
        need = _need(shape, precision, context, requests, new_tokens)
        why_not = f"needs {need / 1e9:.1f} GB, {gpu.usable_bytes / 1e9:.1f} GB are usable"
        remedy = _remedy(fits, gpu, precision, context, requests)
    note = _hardware_note(gpu, precision)
    predicted = predict(shape, precision, gpu, context - new_tokens, new_tokens, requests)
    return GpuFit(
        gpu.name,
        ok,
        gpu.usable_bytes,
        most_requests,
        most_context,
        why_not,
        remedy,
        note,
        predicted,
        gpu.usd_hour,
        gpu.price_date,
    )


def _hardware_note(gpu: GpuSpec, precision: str) -> str:
    """What the hardware lacks. int8: bitsandbytes wants Turing's int8 units (7.5) for its fast way."""
    notes = []
    if precision in ("bf16", "nf4", "int8") and not gpu.bf16:
        notes.append("no bf16 in this hardware: fp16 is taken")
    if precision == "int8" and float(gpu.cc) < 7.5:
        notes.append("int8 works, but slowly: no int8 units")
    return "; ".join(notes)


class _Fits(Protocol):
    def __call__(self, context: int, requests: int, precision: str = ..., devices: int = ...) -> bool: ...


def _remedy(fits: _Fits, gpu: GpuSpec, precision: str, context: int, requests: int) -> str:
    """The nearest change that makes it fit: fewer requests, a shorter context, fewer bits, more GPUs; else two."""

    def most_requests(option: str) -> int:
        return largest_fitting(lambda count: fits(context, count, option), requests)

    def longest_context(option: str) -> int:
        return largest_fitting(lambda tokens: tokens < 2 or fits(tokens, requests, option), context)

    smaller = [option for option in ("bf16", "int8", "nf4") if PRECISIONS.index(option) > PRECISIONS.index(precision)]
    names = {option: "fp16" if option == "bf16" and not gpu.bf16 else option for option in smaller}
    changes = [(option, f"{names[option]} instead of {precision}, and ") for option in smaller]
    for option, also in ((precision, ""), *changes):
        if also and fits(context, requests, option):
            return also.removesuffix(", and ")
        if fitting := most_requests(option):
            return f"{also}{fitting:,} request{'s' if fitting > 1 else ''} at once instead of {requests:,}"
        longest = longest_context(option)
        if longest >= min(context, _USEFUL_TOKENS):
            return f"{also}a context of {longest:,} instead of {context:,}"
    for option in (precision, *smaller[::-1][:1]):
        for devices in (2, 4, 8):
            if fits(context, requests, option, devices):
                also = "" if option == precision else f", in {option}"
                return f"{devices} of these GPUs (tensor parallel){also}"
    return "a smaller model, or hosted hardware"
