"""Will it fit, and how fast? Weights, cache and workspace of a decoder against every GPU. Estimates, and marked so.

Pure arithmetic on a Shape and on catalogue rows; nothing is loaded. Units: bytes, seconds, tokens.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from llmops.catalog import Gpu, Measured, measured
from llmops.errors import InputError
from llmops.shape import Shape

PRECISIONS = ("fp32", "bf16", "fp16", "int8", "nf4")
_FULL_BYTES = {"fp32": 4, "bf16": 2, "fp16": 2, "int8": 2, "nf4": 2}
# Share of the published limits that plain PyTorch reaches: of bandwidth 0.72 (the middle of 0.7 to 0.75, fitted to the
# Qwen2.5 and bitsandbytes speed tables); of dense compute 0.5 in a long prefill (a usual figure, not fitted).
_BANDWIDTH_SHARE, _COMPUTE_SHARE = 0.72, 0.5
# Milliseconds a layer that eager decoding costs at batch 1 whatever the size (H100 rows, bitsandbytes 0.45 tables).
_LAYER_MS = {"fp32": 0.8, "bf16": 0.8, "fp16": 0.8, "nf4": 1.3, "int8": 2.55}
CONTEXT_BYTES = 512 * 2**20  # what a CUDA process takes beside torch's own allocations: 0.25 to 0.6 GiB
_MOST_TOKENS, _MOST_REQUESTS = 100_000_000, 1_000_000
_USEFUL_TOKENS = 1024  # a context shortened below it is no remedy
_LINEAR_CONSTANTS = 64 + 1024 + 4  # bytes an nf4 layer: two code books of 16 and 256 fp32 values, and an offset


@dataclass(frozen=True)
class Weights:
    """Bytes of the weights by kind."""

    embedding: int
    head: int
    linear: int
    constants: int
    experts: int
    small: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.embedding + self.head + self.linear + self.constants + self.experts + self.small


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
    weights: Weights
    kv_cache_bytes: int
    workspace_bytes: int
    overhead_bytes: int
    notes: tuple[str, ...]
    gpus: tuple[Verdict, ...]
    measured: tuple[Measured, ...] = ()

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


def weights(shape: Shape, precision: str) -> Weights:
    """Bytes of the weights by kind.

    What bitsandbytes replaces under transformers 5 are the linear layers but the output layer and, since they are fused
    3-D parameters, not the experts (bitsandbytes issue 1849). int8: one byte a weight and an fp32 scale an output
    row. nf4 with double quantization: half a byte, one byte for every 64 weights, four for every 64 · 256 (QLoRA,
    section 3), and code books. Everything else keeps 2 bytes (4 in fp32).
    """
    full = _FULL_BYTES[precision]
    linear, constants = shape.linear * full, 0
    if precision == "int8":
        linear, constants = shape.linear, 4 * shape.linear_rows
    elif precision == "nf4":
        linear = ceil(shape.linear / 2)
        constants = (
            ceil(shape.linear / 64) + 4 * ceil(shape.linear / (64 * 256)) + _LINEAR_CONSTANTS * shape.linear_count
        )
    return Weights(
        embedding=shape.embedding * full,
        head=shape.head * full,
        linear=linear,
        constants=constants,
        experts=shape.expert_params * full,
        small=shape.small * full,
    )


def kv_bytes(shape: Shape, precision: str, tokens: int) -> int:
    """Bytes of one sequence's cache: Shape.cache_bytes, 2 bytes a value (4 in fp32)."""
    return shape.cache_bytes(tokens, _FULL_BYTES[precision])


def workspace_bytes(shape: Shape, precision: str, prompt: int, requests: int = 1) -> int:
    """Bytes beside weights and cache at the worst moment, the prefill of one prompt.

    prompt · (3 · width + 4 · hidden) values: fitted to 18 published peaks of Qwen2.5 (0.5B to 14B, A100) with an error
    of 2.7 % at most; the feed-forward width of a mixture is experts a token times their width (not validated). Logits
    of the last token alone (generate keeps no others), in fp32 beside the model's own format, one row a request. nf4
    and int8 unpack one layer at a time: the largest, once.
    """
    size = _FULL_BYTES[precision]
    activations = prompt * (3 * shape.active_width + 4 * shape.hidden) * size
    logits = requests * shape.vocab * (4 + size)
    unpacked = 2 * shape.largest if precision in ("int8", "nf4") else 0
    return activations + logits + unpacked


def predict(shape: Shape, precision: str, gpu: Gpu, prompt: int, new_tokens: int, requests: int) -> Predicted:
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
    read = _read_bytes(shape, precision, requests) + requests * kv_bytes(shape, precision, prompt + new_tokens // 2)
    step = max(read / bandwidth, 2 * shape.active * requests / flops, layers_s)
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
    all_of = weights(shape, precision)
    used = min(shape.experts, requests * shape.experts_per_token) / shape.experts if shape.experts else 0.0
    return (
        shape.output * _FULL_BYTES[precision] + all_of.linear + all_of.constants + all_of.small + used * all_of.experts
    )


def plan(
    model: str, shape: Shape, precision: str, context: int, requests: int, gpus: Sequence[Gpu], new_tokens: int = 128
) -> Plan:
    """What a model needs for `requests` at once, each with `context` tokens of prompt and answer together.

    Raises InputError for counts that make no sense and for a context beyond the model's.
    """
    _check(model, shape, precision, context, requests, new_tokens)
    new_tokens = min(new_tokens, context - 1)
    prompt = context - new_tokens
    held = weights(shape, precision)
    return Plan(
        model=model,
        precision=precision,
        context=context,
        requests=requests,
        new_tokens=new_tokens,
        weights=held,
        kv_cache_bytes=requests * kv_bytes(shape, precision, context),
        workspace_bytes=workspace_bytes(shape, precision, prompt, requests),
        overhead_bytes=CONTEXT_BYTES,
        notes=_notes(shape, precision, held),
        gpus=tuple(_verdict(shape, precision, context, requests, new_tokens, gpu) for gpu in gpus),
        measured=tuple(row for row in measured() if (row.model, row.precision) == (model, precision)),
    )


def _check(model: str, shape: Shape, precision: str, context: int, requests: int, new_tokens: int) -> None:
    if precision not in PRECISIONS:
        raise InputError(f"“{precision}” is no precision.", f"Use one of: {', '.join(PRECISIONS)}.")
    for name, value, most in (
        ("context", context, _MOST_TOKENS),
        ("requests", requests, _MOST_REQUESTS),
        ("new_tokens", new_tokens, _MOST_TOKENS),
    ):
        least = 2 if name == "context" else 1
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InputError(f"{name} is a whole number from {least} to {most:,}; it is {value!r}.", f"Correct {name}.")
    if context > shape.context:
        raise InputError(
            f"{model} reads {shape.context:,} tokens; {context:,} are asked.",
            f"Lower the context to {shape.context:,}, or choose a model with a longer one.",
        )


def _notes(shape: Shape, precision: str, held: Weights) -> tuple[str, ...]:
    notes = []
    if shape.experts and precision in ("int8", "nf4"):
        share = held.experts / held.total
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
    return weights(shape, precision).total + cache + work + CONTEXT_BYTES


def _verdict(shape: Shape, precision: str, context: int, requests: int, new_tokens: int, gpu: Gpu) -> Verdict:
    def fits(context: int, requests: int, precision: str = precision, devices: int = 1) -> bool:
        need = _need(shape, precision, context, requests, min(new_tokens, context - 1))
        return need + (devices - 1) * CONTEXT_BYTES <= devices * gpu.usable_bytes

    most_requests = largest(lambda n: fits(context, n), _MOST_REQUESTS)
    most_context = largest(lambda n: n < 2 or fits(n, requests), shape.context)
    most_context = most_context if most_context > 1 else 0
    ok = fits(context, requests)
    why_not = remedy = ""
    if not ok:
        need = _need(shape, precision, context, requests, new_tokens)
        why_not = f"needs {need / 1e9:.1f} GB, {gpu.usable_bytes / 1e9:.1f} GB are usable"
        remedy = _remedy(fits, gpu, shape, precision, context, requests)
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


def _hardware_note(gpu: Gpu, precision: str) -> str:
    """What the hardware lacks. int8: bitsandbytes wants Turing's int8 units (7.5) for its fast way."""
    notes = []
    if precision in ("bf16", "nf4", "int8") and not gpu.bf16:
        notes.append("no bf16 in this hardware: fp16 is taken")
    if precision == "int8" and float(gpu.cc) < 7.5:
        notes.append("int8 works, but slowly: no int8 units")
    return "; ".join(notes)


def _remedy(
    fits: Any,  # noqa: ANN401  (context, requests, precision, devices) → bool
    gpu: Gpu,
    shape: Shape,
    precision: str,
    context: int,
    requests: int,
) -> str:
    """The nearest change that makes it fit: fewer requests, a shorter context, fewer bits, more GPUs; else two."""
    smaller = [one for one in ("bf16", "int8", "nf4") if PRECISIONS.index(one) > PRECISIONS.index(precision)]
    names = {one: "fp16" if one == "bf16" and not gpu.bf16 else one for one in smaller}
    for one, also in ((precision, ""), *((one, f"{names[one]} instead of {precision}, and ") for one in smaller)):
        if also and fits(context, requests, one):
            return also.removesuffix(", and ")
        if most := largest(lambda n, one=one: fits(context, n, one), requests):
            return f"{also}{most:,} request{'s' if most > 1 else ''} at once instead of {requests:,}"
        most = largest(lambda n, one=one: n < 2 or fits(n, requests, one), context)
        if most >= min(context, _USEFUL_TOKENS):
            return f"{also}a context of {most:,} instead of {context:,}"
    for one in (precision, *smaller[::-1][:1]):
        for devices in (2, 4, 8):
            if fits(context, requests, one, devices):
                also = "" if one == precision else f", in {one}"
                return f"{devices} of these GPUs (tensor parallel){also}"
    return "a smaller model, or hosted hardware"


def largest(fits: Any, most: int) -> int:  # noqa: ANN401  (int → bool)
    """The largest n up to `most` with fits(n), which holds up to some n and not beyond; 0 where not even 1 does."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
