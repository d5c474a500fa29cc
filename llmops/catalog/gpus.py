"""GPUs as sold: rows of gpus.toml."""

from dataclasses import dataclass
from functools import cache

from llmops.catalog.rows import read_rows
from llmops.core.errors import InputError


@dataclass(frozen=True)
class GpuSpec:
    """One row of gpus.toml. gb as sold, bandwidth in GB/s, tflops dense, tdp in W.

    usd_hour, as of the month price_date: None where unknown.
    """

    name: str
    arch: str
    year: int
    gb: float
    bandwidth: float
    tflops: float
    bf16: bool
    cc: str
    tdp: float
    source: str
    usable_gib: float | None = None
    usd_hour: float | None = None
    price_date: str = ""
    layer_ms: dict[str, float] | None = None

    @property
    def usable_bytes(self) -> int:
        """What a program sees: read where known, else 94 % of as many GiB (as the L4 and the L40S show)."""
        return int((self.usable_gib or self.gb * 0.94) * 2**30)


@cache
def gpus() -> tuple[GpuSpec, ...]:
    """All GPUs, oldest first."""
    return tuple(GpuSpec(**row) for row in read_rows("gpus", "gpus"))


def find_gpu(name: str) -> GpuSpec:
    """A GPU by name, in any case. Raises InputError that lists them."""
    wanted = _plain(name)
    for gpu in gpus():
        if _plain(gpu.name) == wanted:
            return gpu
    similar = [
        gpu.name for gpu in gpus() if wanted and (_plain(gpu.name).startswith(wanted) or _plain(gpu.name) in wanted)
    ]
    meant = f"Did you mean {' or '.join(similar)}? " if similar else ""
    names = ", ".join(gpu.name for gpu in gpus())
    raise InputError(f"No GPU “{name[:60]}” is in the catalogue.", f"{meant}Known: {names}.")


def _plain(name: str) -> str:
    """A GPU's name without what writers differ in: case, spaces, maker and unit."""
    folded = name.casefold()
    for part in ("nvidia", "geforce", "tesla", "gb", " ", "-", "_"):
        folded = folded.replace(part, "")
    return folded
