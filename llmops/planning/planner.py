"""Will it fit, and how fast? Weights, cache and workspace of a decoder against every GPU. Estimates, and marked so.

Pure arithmetic on a Shape and on catalogue rows; nothing is loaded. Units: bytes, seconds, tokens.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from llmops.catalog.gpus import GpuSpec
from llmops.catalog.recorded_dry_runs import RecordedDryRun, recorded_dry_runs
from llmops.core.errors import InputError
from llmops.planning.settings import MOST_REQUESTS, PlanSettings
from llmops.sizing.memory import (
    CONTEXT_BYTES,
    FULL_BYTES,
    PRECISIONS,
    WeightBytes,
    kv_bytes,
    largest_fitting,
    weight_bytes,
    workspace_bytes,
)
from llmops.sizing.shape import Shape

# Share of the published limits that plain PyTorch reaches: of bandwidth 0.72 (the middle of 0.7 to 0.75, fitted to the
# Qwen2.5 and bitsandbytes speed tables); of dense compute 0.5 in a long prefill (a usual figure, not fitted).
_BANDWIDTH_SHARE, _COMPUTE_SHARE = 0.72, 0.5
# Milliseconds a layer that eager decoding costs at batch 1 whatever the size (H100 rows, bitsandbytes 0.45 tables).
_LAYER_MS = {"fp32": 0.8, "bf16": 0.8, "fp16": 0.8, "nf4": 1.3, "int8": 2.55}
_USEFUL_TOKENS = 1024  # a context shortened below it is no remedy


@dataclass(frozen=True)
class Predicted:
    """Estimated speed, price and energy on one GPU; None where the catalogue lacks what it takes.

    decode_tokens_per_s: of one request; throughput_tokens_per_s: of all together. Price in USD and energy in Wh are for
    1,000 requests, energy as if the GPU drew its TDP throughout: an upper bound, of the GPU alone.
    """

    ttft_s: float
    decode_tokens_per_s: float
    throughput_tokens_per_s: float
    usd_per_1000: float | None
    wh_per_1000: float


@dataclass(frozen=True)
class Verdict:
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
    predicted: Predicted
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
    gpus: tuple[Verdict, ...]
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
        data["predicted"] = {verdict.name: asdict(verdict.predicted) for verdict in self.gpus}
        return data


def predict(shape: Shape, precision: str, gpu: GpuSpec, prompt: int, new_tokens: int, requests: int) -> Predicted:
    """Estimated times on a GPU by the roofline.

    Prefill: the slower of compute (2 · active parameters · prompt, and for attention 4 · pairs of tokens that see each
    other · heads · head size) and eager execution's cost a layer. Decode, one step for all requests: the slowest of
    reading what a token touches (weights and caches) at 0.72 of the bandwidth, computing it, and the cost a layer,
    which eager execution has whatever the size. Eager figures: transformers' generate; vLLM is 1.9 to 6.6 times faster
    at batch 1 (Qwen2.5 speed tables).
    """
    flops = gpu.tflops * 1e12 * _COMPUTE_SHARE * (0.5 if precision == "fp32" else 1.0)
    bandwidth = gpu.bandwidth * 1e9 * _BANDWIDTH_SHARE
    layers_s = shape.layers * (gpu.layer_ms or {}).get(precision, _LAYER_MS[precision]) / 1000
    attention = 4 * shape.attended(prompt) * shape.width
    ttft = max((2 * shape.active * prompt + attention) / flops, layers_s)
    read_bytes = _read_bytes(shape, precision, requests) + requests * kv_bytes(
        shape, precision, prompt + new_tokens // 2
    )
    step = max(read_bytes / bandwidth, 2 * shape.active * requests / flops, layers_s)
    batch_s = requests * ttft + max(0, new_tokens - 1) * step
    hours = 1000 / requests * batch_s / 3600
    return Predicted(
        ttft_s=ttft,
        decode_tokens_per_s=1 / step,
        throughput_tokens_per_s=requests * new_tokens / batch_s,
        usd_per_1000=None if gpu.usd_hour is None else hours * gpu.usd_hour,
        wh_per_1000=hours * gpu.tdp,
    )


def _read_bytes(shape: Shape, precision: str, requests: int) -> float:
    """Bytes of weights that a decode step reads: all but the embedding's table, and of experts those that are used."""
    all_of = weight_bytes(shape, precision)
    used = min(shape.experts, requests * shape.experts_per_token) / shape.experts if shape.experts else 0.0
    return (
        shape.output * FULL_BYTES[precision] + all_of.linear + all_of.constants + all_of.small + used * all_of.experts
    )


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
        gpus=tuple(_verdict(shape, precision, context, requests, new_tokens, gpu) for gpu in gpus),
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


def _verdict(shape: Shape, precision: str, context: int, requests: int, new_tokens: int, gpu: GpuSpec) -> Verdict:
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
    return Verdict(
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
