"""The limit of decoding: bytes that a token needs over the bytes a second that the device moves."""

from functools import cache

import torch

from llmops.catalog.shapes import shape_of
from llmops.sizing.memory import kv_bytes, weight_bytes
from tests.gpu.loaded import Trial, config_of

_COPY_BYTES = 2 << 30


@cache
def copy_bandwidth(device: str) -> float:
    """Bytes a second, read and written, of a large copy on the device: the limit that is really there."""
    source = torch.empty(_COPY_BYTES, dtype=torch.uint8, device=device).random_()
    target = torch.empty_like(source)
    best = float("inf")
    for _ in range(6):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        target.copy_(source)
        end.record()
        torch.cuda.synchronize(device)
        best = min(best, begin.elapsed_time(end) / 1000)
    return 2 * _COPY_BYTES / best


def bytes_a_token(trial: Trial, precision: str, tokens: int) -> float:
    """What one decode step must read: all weights but the embedding, and the cache."""
    shape = shape_of(config_of(trial.shapes[precision]))
    weights = weight_bytes(shape, precision)
    head = weights.head or weights.embedding  # where they are tied
    return weights.total - weights.embedding - weights.head + head + kv_bytes(shape, precision, tokens)
