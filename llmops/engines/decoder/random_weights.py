"""A decoder with random weights at a real shape, through the loader that real weights take.

transformers reads a checkpoint as named slices and makes each tensor only when its turn comes, quantizing as it goes.
Here the slices are made up instead of read, so no full-precision copy of the model ever exists. Values are noise: speed
and memory are true, text is not.
"""

from collections.abc import Callable, Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from llmops.compat.transformers_models import LazyTensor, layers_of, tied_names
from llmops.core.candidate import Candidate
from llmops.core.errors import InputError
from llmops.core.request import Job
from llmops.engines.decoder import byte_count, loading
from llmops.hardware.memory import LoadMeasurement
from llmops.sizing.meta_models import build_config, on_meta
from llmops.sizing.shape import first_layers

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel

_BLOCK = 1 << 20  # values drawn once and repeated: drawing 8 billion takes minutes, copying them seconds
_SPREAD = 0.02  # standard deviation, as initialised models have


def sliced_config(config: Mapping[str, Any], layers: int | None) -> "PretrainedConfig":
    """A configuration for transformers, with its first `layers` layers where given. Raises InputError."""
    settings = first_layers(config, layers)
    try:
        return build_config(settings)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"transformers can't build this architecture ({str(error).splitlines()[0][:200]}).", "Choose another model."
        ) from error


def build_model(
    config: "PretrainedConfig", candidate: Candidate, device: str, job: Job
) -> tuple["PreTrainedModel", tuple[str, ...], LoadMeasurement]:
    """(model, notes, how it was read). Raises Stopped, and whatever the libraries raise."""
    empty = on_meta(config)
    tied = tied_names(empty)
    shapes = {name: tuple(tensor.shape) for name, tensor in empty.state_dict().items() if name not in tied}
    del empty
    count = _counter(len(shapes), job)

    def make(shape: tuple[int, ...]) -> "torch.Tensor":
        count()
        return _noise(shape)

    slices = {name: LazyTensor(shape, make) for name, shape in shapes.items()}
    return loading.read(None, candidate, device, config=config, state_dict=slices)


def _counter(count: int, job: Job) -> Callable[[], None]:
    done = 0

    def count_one() -> None:
        nonlocal done
        job.check("Stopped while the weights were made.")
        done += 1
        job.report(f"making weights: {done} of {count} tensors", done / count)

    return count_one


def _noise(shape: tuple[int, ...]) -> "torch.Tensor":
    """A tensor in bf16."""
    import torch

    count = prod(shape)
    block = torch.randn(min(count, _BLOCK), generator=torch.Generator().manual_seed(count)) * _SPREAD
    tensor = torch.empty(count, dtype=torch.bfloat16)
    for start in range(0, count, _BLOCK):
        tensor[start : start + _BLOCK] = block[: min(_BLOCK, count - start)]
    return tensor.view(shape)


def layer_bytes(model: "PreTrainedModel") -> int:
    """Bytes of all decoder layers together."""
    return byte_count.count_weights(layers_of(model)).total_bytes
