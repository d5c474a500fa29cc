"""What a loaded model's bytes are, counted tensor by tensor, and what the quantizer left in full precision.

transformers' get_memory_footprint() misses bitsandbytes' constants (nf4's absmax, int8's scales), so everything is
counted here: parameters, buffers and quantization state, each storage once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_FULL_BYTES = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "int8": 2.0, "nf4": 2.0}
# Bytes of a quantized parameter: nf4 with double quantization 4 bits, 8/64 for absmax, 32/(64·256) for the second
# level; int8 one byte and an fp32 scale a row (about 8.01 bits).
_QUANTIZED_BYTES = {"int8": 8.01 / 8, "nf4": 4.127 / 8}
_NEVER = ("embed", "lm_head", "norm", "router", "gate.weight", "experts")


@dataclass(frozen=True)
class Account:
    """Of `parameters` in all, `quantized` are held in few bits; `experts` are in MoE layers, unquantized."""

    total_bytes: int
    parameters: int
    quantized: int
    experts: int

    def note(self, precision: str, full: str) -> str:
        """A sentence for the run; empty where nothing was to be quantized."""
        if precision not in _QUANTIZED_BYTES:
            return ""
        share = self.quantized / self.parameters if self.parameters else 0.0
        if self.experts and self.experts > 0.5 * self.parameters:
            return (
                f"Not a {precision} model: the experts ({self.experts / self.parameters:.0%} of the parameters) "
                f"stay in {full}, because bitsandbytes does not quantize fused experts under transformers 5. "
                f"Only {share:.1%} are in {precision}."
            )
        return (
            f"{precision} holds {share:.0%} of the parameters; embeddings, norms and the output layer stay in {full}."
        )


def account(model: "torch.nn.Module") -> Account:
    """Count a loaded model."""
    quantized = experts = parameters = 0
    for name, parameter in model.named_parameters():
        count = _logical(parameter)
        parameters += count
        if type(parameter).__name__ in ("Params4bit", "Int8Params"):
            quantized += count
        elif ".experts." in name:
            experts += count
    return Account(sum(size for _, size in _storages(model)), parameters, quantized, experts)


def _logical(parameter: "torch.nn.Parameter") -> int:
    """Parameters as the architecture counts them: a packed 4-bit tensor holds two in a byte."""
    state = getattr(parameter, "quant_state", None)
    return prod(state.shape) if state is not None else parameter.numel()


def _storages(model: "torch.nn.Module") -> Iterator[tuple[int, int]]:
    """(address, bytes) of each storage, once."""
    seen: set[int] = set()
    for tensor in _tensors(model):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:
            seen.add(storage.data_ptr())
            yield storage.data_ptr(), storage.nbytes()


def _tensors(model: "torch.nn.Module") -> Iterator["torch.Tensor"]:
    import torch

    yield from model.parameters()
    yield from model.buffers()
    for module in model.modules():
        weight = getattr(module, "weight", None)
        holders = [weight, getattr(module, "state", None), getattr(weight, "quant_state", None)]
        holders.append(getattr(holders[2], "state2", None))
        for holder in holders:
            for name in ("SCB", "CB", "absmax", "code", "offset"):
                value = getattr(holder, name, None)
                if isinstance(value, torch.Tensor):
                    yield value


def estimate(shapes: dict[str, tuple[int, ...]], precision: str) -> int | None:
    """Bytes the weights will take, from the tensor shapes of a checkpoint; None where there are none."""
    if not shapes:
        return None
    total = 0.0
    for name, shape in shapes.items():
        few = precision in _QUANTIZED_BYTES and len(shape) == 2 and not any(part in name for part in _NEVER)
        total += prod(shape) * (_QUANTIZED_BYTES[precision] if few else _FULL_BYTES[precision])
    return int(total)
