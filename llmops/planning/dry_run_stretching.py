"""A slice's figures stretched to all layers: what is inside the layers grows, the rest stays."""

from dataclasses import dataclass

from llmops.planning.dry_run_measuring import LayerShares
from llmops.planning.dry_run_record import DryRunFigures
from llmops.sizing import memory
from llmops.sizing.shape import Shape


@dataclass(frozen=True)
class MeasuredSlice:
    """The layers that were measured; layer_bytes: of their weights, as loaded."""

    shape: Shape
    precision: str
    prompt_tokens: int
    layer_bytes: int
    layer_shares: LayerShares


def stretch(measured: DryRunFigures, part: MeasuredSlice, whole: Shape, tokens: int) -> DryRunFigures:
    """A slice's figures for every layer; tokens: what the cache holds at the end.

    Bytes grow as the plan's do, since layers may be of several kinds; seconds with the number of layers.
    """
    if part.shape.layers == whole.layers:
        return measured
    factor = whole.layers / part.shape.layers
    growth = _layer_bytes(whole, part.precision) / _layer_bytes(part.shape, part.precision)
    weights = int(measured.weights_bytes + part.layer_bytes * (growth - 1))
    cache_whole, cache_part = (memory.kv_bytes(shape, part.precision, tokens) for shape in (whole, part.shape))
    cache = measured.kv_cache_bytes * cache_whole // cache_part
    prefill, decode = part.layer_shares.prefill, part.layer_shares.decode
    extra = None if measured.peak_bytes is None else measured.peak_bytes - measured.weights_bytes
    ttft_s = measured.ttft_s and measured.ttft_s * (1 - prefill + prefill * factor)
    rate = measured.decode_tokens_per_s and measured.decode_tokens_per_s / (1 - decode + decode * factor)
    return DryRunFigures(
        weights_bytes=weights,
        kv_cache_bytes=cache,
        peak_bytes=None if extra is None else weights + max(0, extra - measured.kv_cache_bytes) + cache,
        ttft_s=ttft_s,
        prefill_tokens_per_s=part.prompt_tokens / ttft_s if ttft_s else None,
        decode_tokens_per_s=rate,
    )


def _layer_bytes(shape: Shape, precision: str) -> int:
    """The plan's weights but for the embedding and the output layer."""
    weights = memory.weight_bytes(shape, precision)
    return weights.total - weights.embedding - weights.head
