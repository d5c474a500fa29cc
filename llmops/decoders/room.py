"""Is there room? Asked before weights are read and before a prompt is; and out-of-memory errors in words.

A remedy names a precision that would fit by the checkpoint's own tensor shapes, and none where none would.
"""

import gc
import json
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops import fetch
from llmops.candidate import PRECISIONS, Candidate, Kind
from llmops.decoders import account
from llmops.errors import OutOfMemory
from llmops.hardware import device_memory
from llmops.meter import give_back

if TYPE_CHECKING:
    from transformers import PretrainedConfig

_INDEX = "model.safetensors.index.json"
_SINGLE = "model.safetensors"


def estimate(folder: Path, precision: str) -> int | None:
    """Bytes of a checkpoint's weights in a precision; None where the folder is not complete."""
    return account.estimate(_shapes(folder), precision)


def _shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Of the files that would be loaded: the index's, not a second copy that lies beside them."""
    shapes = fetch.tensor_shapes(folder)
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
    """Raise OutOfMemory where the cache of so many tokens is larger than what is free."""
    per_token = cache_bytes_per_token(config, 4 if candidate.precision == "fp32" else 2)
    free = device_memory(device)
    if per_token is not None and per_token * tokens > free:
        size = _size(per_token * tokens)
        raise OutOfMemory(
            f"The cache of {tokens:,} tokens takes about {size}; {_size(free)} are free on {device}.",
            f"Shorten the text or lower max new tokens: about {free // per_token:,} tokens in all would fit.",
        )


def rows_that_fit(config: "PretrainedConfig", candidate: Candidate, device: str, tokens: int) -> int:
    """Prompts of so many tokens, answers included, that one batch may hold; 1 or more.

    Half of what is free is for the caches: activations of the prompts lie beside them.
    """
    per_token = cache_bytes_per_token(config, 4 if candidate.precision == "fp32" else 2)
    if per_token is None:
        return 1
    return max(1, device_memory(device) // 2 // (per_token * tokens))


def cache_bytes_per_token(config: "PretrainedConfig", element_bytes: int) -> int | None:
    """Keys and values of one token over all layers, as if none had a sliding window; None where not told."""
    text: Any = config.get_text_config(decoder=True)
    layers, heads = getattr(text, "num_hidden_layers", None), getattr(text, "num_attention_heads", None)
    hidden = getattr(text, "hidden_size", None)
    if not layers or not heads or not hidden:
        return None
    size = getattr(text, "head_dim", None) or hidden // heads
    kept = getattr(text, "num_key_value_heads", None) or heads
    return 2 * int(layers) * int(kept) * int(size) * element_bytes


def remedy(folder: Path, candidate: Candidate, free: int) -> str:
    """What would fit into `free` bytes."""
    order = PRECISIONS[Kind.DECODER]
    smaller = order[order.index(candidate.precision or "bf16") + 1 :]
    for precision in smaller:
        needed = estimate(folder, precision)
        if needed is not None and needed <= free:
            return f"In {precision} it would take about {_size(needed)}, which fits."
    return "Choose a smaller model; in nf4 this one would not fit either."


def at_run_time(candidate: Candidate, error: BaseException) -> OutOfMemory:
    """A library's out-of-memory error in the middle of things."""
    detail = (str(error).splitlines() or [""])[0][:200]
    return OutOfMemory(
        f"Memory ran out while {candidate} was at work ({detail or type(error).__name__}).",
        "Shorten the text, lower max new tokens, or choose a smaller precision or model.",
    )


def freed(error: BaseException, candidate: Candidate, device: str) -> OutOfMemory:
    """The same, after letting go of the tensors that the error's frames still hold."""
    said = at_run_time(candidate, error)
    traceback.clear_frames(error.__traceback__)
    error.__traceback__ = None
    gc.collect()
    give_back(device)
    return said


def is_out_of_memory(error: BaseException) -> bool:
    """True for Python's own, CUDA's and the CPU allocator's."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in words or "can't allocate memory" in words


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
