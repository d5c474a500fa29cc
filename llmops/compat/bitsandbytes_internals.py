"""bitsandbytes from inside: what a quantized layer holds and where, and a kernel that can't take every shape."""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

MADE_FOR = "bitsandbytes 0.50.2"
_QUANTIZED = ("Params4bit", "Int8Params")
_CONSTANTS = ("SCB", "CB", "absmax", "code", "offset")  # of int8, and of nf4's two levels
_ROWS = 32  # of a block that the AVX512 kernel packs


def is_quantized(parameter: "torch.nn.Parameter") -> bool:
    """True of packed weights; of those that are still to be packed too."""
    return type(parameter).__name__ in _QUANTIZED


def shape_of(parameter: "torch.nn.Parameter") -> tuple[int, ...]:
    """The shape as the architecture counts it: a packed 4-bit tensor holds two values in a byte."""
    state = getattr(parameter, "quant_state", None)
    return tuple(state.shape if state is not None else parameter.shape)


def constants_of(module: "torch.nn.Module") -> Iterator["torch.Tensor"]:
    """The scales that a quantized layer holds beside its weight: absmax and code of nf4's two levels, int8's SCB."""
    import torch

    weight = getattr(module, "weight", None)
    state = getattr(weight, "quant_state", None)
    for holder in (weight, getattr(module, "state", None), state, getattr(state, "state2", None)):
        for name in _CONSTANTS:
            value = getattr(holder, name, None)
            if isinstance(value, torch.Tensor):
                yield value


def keep_unpacked(model: Any) -> None:  # noqa: ANN401
    """Spare layers whose shape the CPU's AVX512 packing can't take (it asserts): they use the plain kernel."""
    for module in model.modules():
        state = getattr(getattr(module, "weight", None), "quant_state", None)
        if state is not None and (state.shape[0] % _ROWS or state.shape[1] % state.blocksize):
            module.support_avx512bf16_for_cpu = False


def quiet() -> None:
    """Keep int8's remark (its inputs are cast to fp16), made at each layer of each token, out of the server's log."""
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
