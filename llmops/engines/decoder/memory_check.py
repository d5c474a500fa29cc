"""Is there room? Asked before weights are read and before a prompt is; and out-of-memory errors in words.

A remedy names a precision that would fit by the checkpoint's own tensor shapes, and none where none would.
"""

import gc
import json
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.catalog.shapes import shape_of
from llmops.core.candidate import PRECISIONS, Candidate, Kind
from llmops.core.errors import InputError, OutOfMemory
from llmops.engines.decoder import byte_count
from llmops.engines.decoder.output_head import LOGITS_BYTES
from llmops.hardware.machine import device_memory
from llmops.hardware.memory import release_memory
from llmops.hub.safetensors_files import tensor_shapes
from llmops.sizing import memory
from llmops.sizing.shape import Shape

if TYPE_CHECKING:
    from transformers import PretrainedConfig

_INDEX = "model.safetensors.index.json"
_SINGLE = "model.safetensors"


def estimate(folder: Path, precision: str) -> int | None:
    """Bytes of a checkpoint's weights in a precision; None where the folder is not complete."""
    return byte_count.estimate(_shapes(folder), precision)


def _shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Of the files that would be loaded: the index's, not a second copy that lies beside them."""
    shapes = tensor_shapes(folder)
    index = folder / _INDEX
    if (folder / _SINGLE).is_file() or not index.is_file():
        return shapes
    try:
        names = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
    except (OSError, ValueError, KeyError, TypeError):
        return shapes
    # A shard that is still to be fetched: better no figure than one that is too small.
    return {name: shapes[name] for name in names} if all(name in shapes for name in names) else {}


def check_weights(folder: Path, candidate: Candidate, device: str) -> None:
    """Raise OutOfMemory where the weights are larger than what is free."""
    needed = estimate(folder, candidate.precision or "bf16")
    free = device_memory(device)
    if needed is not None and needed > free:
        numbers = f"the weights take about {_size(needed)}, {_size(free)} are free on {device}"
        raise OutOfMemory(f"Not enough memory for {candidate}: {numbers}.", remedy(folder, candidate, free))


def check_run(config: "PretrainedConfig", candidate: Candidate, device: str, tokens: int) -> None:
    """Raise OutOfMemory where cache and workspace of so many tokens are larger than what is free."""
    shape, free = shape_of_model(config), device_memory(device)
    if shape is None or (needed := _run_bytes(shape, candidate, tokens)) <= free:
        return
    fitting = memory.largest_fitting(lambda count: _run_bytes(shape, candidate, count) <= free, tokens)
    raise OutOfMemory(
        f"{tokens:,} tokens take about {_size(needed)} beside the weights; {_size(free)} are free on {device}.",
        f"Shorten the text or lower max new tokens: about {fitting:,} tokens in all would fit."
        if fitting
        else "Not one token would fit: free memory there, or choose a smaller precision or model.",
    )


def check_batch(config: "PretrainedConfig", candidate: Candidate, device: str, requests: int, tokens: int) -> None:
    """Raise OutOfMemory where the caches of so many requests at once, `tokens` each, are larger than what is free."""
    shape, free = shape_of_model(config), device_memory(device)
    if shape is None:
        return
    each_bytes = memory.kv_bytes(shape, candidate.precision or "bf16", tokens)
    if requests * each_bytes > free:
        raise OutOfMemory(
            f"{requests:,} requests at once take about {_size(requests * each_bytes)} of cache; {_size(free)} are free "
            f"on {device}.",
            f"About {free // each_bytes:,} at once would fit.",
        )


def rows_that_fit(
    config: "PretrainedConfig", candidate: Candidate, device: str, tokens: int, label_tokens: int = 0
) -> int:
    """Prompts of so many tokens, answers included, that one batch may hold; 1 or more.

    Half of what is free is for the caches: activations of the prompts lie beside them. label_tokens: tokens of all
    answer words, where each prompt is read with all of them behind it.
    """
    shape = shape_of_model(config)
    if shape is None:
        return 1
    precision, half = candidate.precision or "bf16", device_memory(device) // 2
    if not label_tokens:
        return max(1, half // memory.kv_bytes(shape, precision, tokens))
    return max(1, (half - LOGITS_BYTES) // _verdict_bytes(shape, precision, tokens, label_tokens))


def check_verdict(
    config: "PretrainedConfig", candidate: Candidate, device: str, tokens: int, label_tokens: int
) -> None:
    """Raise OutOfMemory where one prompt with all answer words behind it takes more than what is free."""
    shape, free = shape_of_model(config), device_memory(device)
    if shape is None:
        return
    needed = LOGITS_BYTES + _verdict_bytes(shape, candidate.precision or "bf16", tokens, label_tokens)
    if needed > free:
        raise OutOfMemory(
            f"{tokens:,} tokens and {label_tokens:,} of the labels take about {_size(needed)} beside the weights; "
            f"{_size(free)} are free on {device}.",
            "Shorten the text, use fewer labels, or ask for the whole answer.",
        )


def _verdict_bytes(shape: Shape, precision: str, tokens: int, label_tokens: int) -> int:
    """Of one prompt with its answer words: cache, activations, states where words are read, and the mask."""
    width, size = tokens + label_tokens + 1, memory.FULL_BYTES[precision]
    states, mask = 2 * label_tokens * shape.hidden * size, width**2 * (size + 2)
    read = memory.kv_bytes(shape, precision, width) + memory.activation_bytes(shape, precision, width)
    return read + states + mask


def shape_of_model(config: "PretrainedConfig") -> Shape | None:
    """A loaded model's sizes for the planner; None for an architecture it can't read."""
    try:
        return shape_of(config.to_dict())
    except InputError:
        return None


def _run_bytes(shape: Shape, candidate: Candidate, tokens: int) -> int:
    precision = candidate.precision or "bf16"
    return memory.kv_bytes(shape, precision, tokens) + memory.workspace_bytes(shape, precision, tokens)


def remedy(folder: Path, candidate: Candidate, free: int) -> str:
    """What would fit into `free` bytes."""
    order = PRECISIONS[Kind.DECODER]
    smaller = order[order.index(candidate.precision or "bf16") + 1 :]
    for precision in smaller:
        needed = estimate(folder, precision)
        if needed is not None and needed <= free:
            return f"In {precision} it would take about {_size(needed)}, which fits."
    return "Choose a smaller model; in nf4 this one would not fit either."


def explain(candidate: Candidate, error: BaseException) -> OutOfMemory:
    """A library's out-of-memory error in the middle of things."""
    detail = (str(error).splitlines() or [""])[0][:200]
    return OutOfMemory(
        f"Memory ran out while {candidate} was at work ({detail or type(error).__name__}).",
        "Shorten the text, lower max new tokens, or choose a smaller precision or model.",
    )


def release_and_explain(error: BaseException, candidate: Candidate, device: str) -> OutOfMemory:
    """The same, after letting go of the tensors that the error's frames still hold."""
    explained = explain(candidate, error)
    traceback.clear_frames(error.__traceback__)
    error.__traceback__ = None
    gc.collect()
    release_memory(device)
    return explained


def is_out_of_memory(error: BaseException) -> bool:
    """True for Python's own, CUDA's and the CPU allocator's."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in words or "can't allocate memory" in words


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
