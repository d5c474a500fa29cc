"""Bytes of a decoder's weights, cache and workspace by formula. Pure arithmetic on a Shape; estimates.

Units: bytes, tokens. What is measured on a loaded model is `engines/decoder/byte_count`'s part.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Literal, get_args

from llmops.sizing.shape import Shape

Precision = Literal["fp32", "bf16", "fp16", "int8", "nf4"]
PRECISIONS: tuple[str, ...] = get_args(Precision)
FULL_BYTES = {"fp32": 4, "bf16": 2, "fp16": 2, "int8": 2, "nf4": 2}
CONTEXT_BYTES = 512 * 2**20  # what a CUDA process takes beside torch's own allocations: 0.25 to 0.6 GiB
_LINEAR_CONSTANTS = 64 + 1024 + 4  # bytes an nf4 layer: two code books of 16 and 256 fp32 values, and an offset


@dataclass(frozen=True)
class WeightBytes:
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


def weight_bytes(shape: Shape, precision: str) -> WeightBytes:
    """Bytes of the weights by kind.

    What bitsandbytes replaces under transformers 5 are the linear layers but the output layer and, since they are fused
    3-D parameters, not the experts (bitsandbytes issue 1849). int8: one byte a weight and an fp32 scale an output
    row. nf4 with double quantization: half a byte, one byte for every 64 weights, four for every 64 · 256 (QLoRA,
    section 3), and code books. Everything else keeps 2 bytes (4 in fp32).
    """
    full = FULL_BYTES[precision]
    linear, constants = shape.linear * full, 0
    if precision == "int8":
        linear, constants = shape.linear, 4 * shape.linear_rows
    elif precision == "nf4":
        linear = ceil(shape.linear / 2)
        constants = (
            ceil(shape.linear / 64) + 4 * ceil(shape.linear / (64 * 256)) + _LINEAR_CONSTANTS * shape.linear_count
        )
    return WeightBytes(
        embedding=shape.embedding * full,
        head=shape.head * full,
        linear=linear,
        constants=constants,
        experts=shape.expert_params * full,
        small=shape.small * full,
    )


def kv_bytes(shape: Shape, precision: str, tokens: int) -> int:
    """Bytes of one sequence's cache: Shape.cache_bytes, 2 bytes a value (4 in fp32)."""
    return shape.cache_bytes(tokens, FULL_BYTES[precision])


def workspace_bytes(shape: Shape, precision: str, prompt: int, requests: int = 1) -> int:
    """Bytes beside weights and cache at the worst moment, the prefill of one prompt.

    prompt · (3 · width + 4 · hidden) values: fitted to 18 published peaks of Qwen2.5 (0.5B to 14B, A100) with an error
    of 2.7 % at most; the feed-forward width of a mixture is experts a token times their width (not validated). Logits
    of the last token alone (generate keeps no others), in fp32 beside the model's own format, one row a request. nf4
    and int8 unpack one layer at a time: the largest, once.
    """
    logits = requests * shape.vocab * (4 + FULL_BYTES[precision])
    unpacked = 2 * shape.largest if precision in ("int8", "nf4") else 0
    return activation_bytes(shape, precision, prompt) + logits + unpacked


def activation_bytes(shape: Shape, precision: str, tokens: int) -> int:
    """Of so many tokens that are read at once; see workspace_bytes."""
    return tokens * (3 * shape.active_width + 4 * shape.hidden) * FULL_BYTES[precision]


def largest_fitting(fits: Callable[[int], bool], upper: int) -> int:
    """The largest n up to `upper` with fits(n), which holds up to some n and not beyond; 0 where not even 1 does."""
    low, high = 0, upper
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
