"""What a loaded model's bytes are, counted tensor by tensor, and what the quantizer left in full precision.

transformers' get_memory_footprint() misses bitsandbytes' constants (nf4's absmax, int8's scales), so everything is
counted here: parameters, buffers and quantization state, each storage once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from llmops.compat import bitsandbytes_internals

if TYPE_CHECKING:
    import torch

_FULL_BYTES = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "int8": 2.0, "nf4": 2.0}
# Bytes of a quantized parameter: nf4 with double quantization 4 bits, 8/64 for absmax, 32/(64·256) for the second
# level; int8 one byte and an fp32 scale a row (about 8.01 bits). On a CPU with AVX512-BF16 bitsandbytes repacks nf4 at
# the first call and absmax becomes bf16: 4.25 bits. The measured figure says so, the estimate does not.
_QUANTIZED_BYTES = {"int8": 8.01 / 8, "nf4": 4.127 / 8}
_NEVER = ("embed", "wte", "wpe", "lm_head", "norm", "router", "gate.weight", "experts")


@dataclass(frozen=True)
class WeightCount:
    """Bytes by kind, each storage once, and parameters as the architecture counts them.

    quantized_bytes holds packed weights; constants_bytes their scales; full_bytes everything else.
    Of `parameters` in all, `quantized` are held in few bits; `experts` are in MoE layers, unquantized.
    """

    full_bytes: int
    quantized_bytes: int
    constants_bytes: int
    parameters: int
    quantized: int
    experts: int

    @property
    def total_bytes(self) -> int:
        """What the weights take in all."""
        return self.full_bytes + self.quantized_bytes + self.constants_bytes

    def note(self, precision: str, full: str) -> str:
        """A sentence for the run; empty where nothing was to be quantized."""
        if precision not in _QUANTIZED_BYTES:
            return ""
        share = self.quantized / self.parameters if self.parameters else 0.0
        if self.experts and self.experts > 0.5 * self.parameters:
            return (
                f"This is no {precision} model: the experts ({self.experts / self.parameters:.0%} of the parameters) "
                f"stay in {full}, because bitsandbytes does not quantize fused experts under transformers 5. "
                f"Only {share:.1%} are in {precision}."
            )
        if not self.quantized:
            return f"This is no {precision} model: bitsandbytes found no layer to quantize, everything stays in {full}."
        return (
            f"{precision} holds {share:.0%} of the parameters; embeddings, norms and the output layer stay in {full}."
        )


def count_weights(model: "torch.nn.Module") -> WeightCount:
    """Count a loaded model. Some constants are made at the first call: count after a warm-up too."""
    quantized = experts = parameters = 0
    for name, parameter in model.named_parameters():
        count = prod(bitsandbytes_internals.shape_of(parameter))
        parameters += count
        if bitsandbytes_internals.is_quantized(parameter):
            quantized += count
        elif ".experts." in name:
            experts += count
    size = _bytes_by_kind(model)
    return WeightCount(size["full"], size["quantized"], size["constants"], parameters, quantized, experts)


def _bytes_by_kind(model: "torch.nn.Module") -> dict[str, int]:
    seen: set[int] = set()
    size = {"full": 0, "quantized": 0, "constants": 0}
    for kind, tensor in _tensors(model):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:  # tied weights share one
            seen.add(storage.data_ptr())
            size[kind] += storage.nbytes()
    return size


def _tensors(model: "torch.nn.Module") -> Iterator[tuple[str, "torch.Tensor"]]:
    for parameter in model.parameters():
        yield ("quantized" if bitsandbytes_internals.is_quantized(parameter) else "full"), parameter
    for buffer in model.buffers():
        yield "full", buffer
    for module in model.modules():
        yield from (("constants", tensor) for tensor in bitsandbytes_internals.constants_of(module))


def cache_bytes(cache: Any) -> int | None:  # noqa: ANN401
    """Bytes of all keys and values (and states) that a cache holds, counters not; None for one of an unknown shape."""
    layers = getattr(cache, "layers", None)
    if layers is None:
        return None
    from llmops.compat.transformers_cache import tensors_of

    held = [tensor for layer in layers for tensor in tensors_of(layer)]
    return sum(tensor.numel() * tensor.element_size() for tensor in held)


def estimate(shapes: dict[str, tuple[int, ...]], precision: str) -> int | None:
    """Bytes the weights will take, from the tensor shapes of a checkpoint; None where there are none."""
    if not shapes:
        return None
    total = 0.0
    for name, shape in shapes.items():
        quantized = precision in _QUANTIZED_BYTES and len(shape) == 2 and not any(part in name for part in _NEVER)
        total += prod(shape) * (_QUANTIZED_BYTES[precision] if quantized else _FULL_BYTES[precision])
    return int(total)
