"""What a safetensors file says of itself: 8 bytes of length, then a JSON header with every tensor's shape and place."""

import json
import struct
from pathlib import Path
from typing import Any

_MAX_HEADER_BYTES = 100_000_000


def is_complete(path: Path) -> bool:
    """False for a file that was cut short: its header says how long it must be."""
    try:
        length, tensors = _read_header(path)
        ends = [tensor["data_offsets"][1] for tensor in tensors.values()]
        return bool(path.stat().st_size == 8 + length + max(ends, default=0))
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, struct.error):
        return False


def tensor_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Tensor name → shape, of all files in a folder; nothing of a file that can't be read: loading says why."""
    shapes: dict[str, tuple[int, ...]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            _, tensors = _read_header(path)
        except (OSError, ValueError, struct.error):
            continue
        shapes |= {name: tuple(tensor["shape"]) for name, tensor in tensors.items()}
    return shapes


def _read_header(path: Path) -> tuple[int, dict[str, Any]]:
    """(bytes of the header, tensor name → what it says)."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(min(length, _MAX_HEADER_BYTES)))
    return length, {name: tensor for name, tensor in header.items() if name != "__metadata__"}
