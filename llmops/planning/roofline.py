"""How fast a decoder would be on a GPU: estimated times, price and energy by the roofline. Nothing is loaded.

Units: seconds, tokens, USD, Wh.
"""

from dataclasses import dataclass

from llmops.catalog.gpus import GpuSpec
from llmops.sizing.memory import FULL_BYTES, kv_bytes, weight_bytes
from llmops.sizing.shape import Shape

# Share of the published limits that plain PyTorch reaches: of bandwidth 0.72 (the middle of 0.7 to 0.75, fitted to the
# Qwen2.5 and bitsandbytes speed tables); of dense compute 0.5 in a long prefill (a usual figure, not fitted).
_BANDWIDTH_SHARE, _COMPUTE_SHARE = 0.72, 0.5
# Milliseconds a layer that eager decoding costs at batch 1 whatever the size (H100 rows, bitsandbytes 0.45 tables).
_LAYER_MS = {"fp32": 0.8, "bf16": 0.8, "fp16": 0.8, "nf4": 1.3, "int8": 2.55}


@dataclass(frozen=True)
class PredictedSpeed:
    """Estimated speed, price and energy on one GPU; None where the catalogue lacks what it takes.

    decode_tokens_per_s: of one request; throughput_tokens_per_s: of all together. Price in USD and energy in Wh are for
    1,000 requests, energy as if the GPU drew its TDP throughout: an upper bound, of the GPU alone.
    """

    ttft_s: float
    decode_tokens_per_s: float
    throughput_tokens_per_s: float
    usd_per_1000: float | None
    wh_per_1000: float


def predict(shape: Shape, precision: str, gpu: GpuSpec, prompt: int, new_tokens: int, requests: int) -> PredictedSpeed:
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
    return PredictedSpeed(
        ttft_s=ttft,
        decode_tokens_per_s=1 / step,
        throughput_tokens_per_s=requests * new_tokens / batch_s,
        usd_per_1000=None if gpu.usd_hour is None else hours * gpu.usd_hour,
        wh_per_1000=hours * gpu.tdp,
    )


def _read_bytes(shape: Shape, precision: str, requests: int) -> float:
    """Bytes of weights that a decode step reads: all but the embedding's table, and of experts those that are used."""
    weights = weight_bytes(shape, precision)
    used = min(shape.experts, requests * shape.experts_per_token) / shape.experts if shape.experts else 0.0
    return (
        shape.output * FULL_BYTES[precision]
        + weights.linear
        + weights.constants
        + weights.small
        + used * weights.experts
    )
