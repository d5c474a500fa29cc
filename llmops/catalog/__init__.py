"""The catalogue: models, architectures, GPUs and presets as data, each row with its source. A new one is a new row.

models.toml is what can be chosen; where architectures.toml has the same id, size, context and licence come from there.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from llmops.core.candidate import DEFAULT_PRECISION, PRECISIONS, Candidate, Epoch, Kind
from llmops.core.errors import InputError
from llmops.sizing.shape import Kept, Shape, read_shape

_DIR = Path(__file__).parent
# Bits a quantized parameter takes, constants included: nf4 with double quantization 4 + 8/64 + 32/(64*256) = 4.127;
# int8 with one fp32 scale a row about 8.01 (bitsandbytes 0.50, counted).
_BITS = {"fp32": 32.0, "bf16": 16.0, "fp16": 16.0, "int8": 8.01, "nf4": 4.127}


@dataclass(frozen=True)
class ModelSpec:
    """One row. params and active in parameters, context in tokens, shipped_bytes where the hub's files are smaller."""

    id: str
    name: str
    kind: Kind
    licence: str
    gated: bool
    note: str
    source: str
    params: int | None = None
    active: int | None = None
    quantizable: float | None = None
    context: int | None = None
    shipped_bytes: int | None = None

    @property
    def epoch(self) -> Epoch:
        """The tab it belongs to."""
        return Candidate(self.kind, self.id).epoch

    def candidates(self) -> tuple[Candidate, ...]:
        """One candidate a precision (one alone for endpoints)."""
        return tuple(Candidate(self.kind, self.id, p) for p in PRECISIONS[self.kind]) or (
            Candidate(self.kind, self.id),
        )

    def weights_bytes(self, precision: str) -> int | None:
        """Estimated bytes of the weights; what the quantizer leaves alone counts as 16 bits."""
        if self.params is None:
            return None
        if precision not in ("int8", "nf4"):
            return int(self.params * _BITS[precision] / 8)
        if self.quantizable is None:
            return None
        return int(self.params * (self.quantizable * _BITS[precision] + (1 - self.quantizable) * 16) / 8)

    def needs(self) -> str:
        """What it would take to run on one's own hardware, in a sentence; empty where unknown."""
        if self.shipped_bytes:
            return f"On your own hardware: about {self.shipped_bytes / 1e9:.0f} GB of GPU memory, weights as shipped."
        full, small = self.weights_bytes("bf16"), self.weights_bytes("nf4")
        if full is None or small is None:
            return ""
        sizes = f"{full / 1e9:.0f} GB of GPU memory in bf16, {small / 1e9:.0f} GB in nf4"
        return f"On your own hardware: about {sizes}, weights alone."


@dataclass(frozen=True)
class Architecture:
    """A published configuration in transformers' names; params, and `counted`, as counted on the meta device."""

    id: str
    params: int
    licence: str
    gated: bool
    source: str
    config: dict[str, Any]
    counted: dict[str, Any] | None = None

    @property
    def shape(self) -> Shape:
        """Its sizes: by formula, or as counted for families that have none."""
        if self.counted is None:
            return read_shape(self.config)
        kept = tuple(Kept(**one) for one in self.counted["cache"])
        return Shape(**{**self.counted, "cache": kept})


@dataclass(frozen=True)
class Gpu:
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


@dataclass(frozen=True)
class Measured:
    """One row of measured.toml: a dry run on named hardware, beside what was predicted. Bytes, tokens a second."""

    model: str
    precision: str
    hardware: str
    date: str
    layers: int
    weights_bytes: int
    predicted_weights_bytes: int
    peak_bytes: int
    predicted_peak_bytes: int
    prompt_tokens: int
    prefill_tokens_per_s: float
    decode_tokens_per_s: float


@dataclass(frozen=True)
class Preset:
    """Candidates chosen at first paint on a kind of machine, with and without a hub in reach. lent: by ZeroGPU."""

    id: str
    name: str
    min_gpu_bytes: int
    offline: tuple[str, ...]
    hub: tuple[str, ...]
    lent: bool = False


@cache
def models() -> tuple[ModelSpec, ...]:
    """All rows, in the file's order."""
    known = {one.id: one for one in architectures()}
    rows = _rows("models")
    return tuple(ModelSpec(**{**_sizes(known.get(row["id"])), **row, "kind": Kind(row["kind"])}) for row in rows)


def _sizes(known: Architecture | None) -> dict[str, Any]:
    """What a model's row takes from its architecture."""
    if known is None:
        return {}
    shape = known.shape
    return {
        "params": known.params,
        "quantizable": shape.linear / known.params,
        "context": shape.context,
        "licence": known.licence,
        "gated": known.gated,
        "source": known.source,
    }


@cache
def architectures() -> tuple[Architecture, ...]:
    """All published configurations."""
    return tuple(Architecture(**row) for row in _rows("architectures"))


@cache
def measured() -> tuple[Measured, ...]:
    """All dry runs that were recorded."""
    return tuple(Measured(**row) for row in _rows("measured"))


@cache
def gpus() -> tuple[Gpu, ...]:
    """All GPUs, oldest first."""
    return tuple(Gpu(**row) for row in _rows("gpus"))


def find_gpu(name: str) -> Gpu:
    """A GPU by name, in any case. Raises InputError that lists them."""
    wanted = _plain(name)
    for gpu in gpus():
        if _plain(gpu.name) == wanted:
            return gpu
    near = [
        gpu.name for gpu in gpus() if wanted and (_plain(gpu.name).startswith(wanted) or _plain(gpu.name) in wanted)
    ]
    meant = f"Did you mean {' or '.join(near)}? " if near else ""
    known = ", ".join(gpu.name for gpu in gpus())
    raise InputError(f"No GPU “{name[:60]}” is in the catalogue.", f"{meant}Known: {known}.")


def _plain(name: str) -> str:
    """A GPU's name without what writers differ in: case, spaces, maker and unit."""
    folded = name.casefold()
    for part in ("nvidia", "geforce", "tesla", "gb", " ", "-", "_"):
        folded = folded.replace(part, "")
    return folded


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((_DIR / f"{name}.toml").read_text(encoding="utf-8"))[name]
    return rows


@cache
def kinds() -> dict[str, Kind]:
    """Model id → kind, for local rows: lets `parse_candidate` tell an encoder from a decoder."""
    return {spec.id: spec.kind for spec in models() if spec.kind in DEFAULT_PRECISION}


def find(candidate: Candidate) -> ModelSpec | None:
    """The row of a candidate, if there is one."""
    return next((spec for spec in models() if (spec.kind, spec.id) == (candidate.kind, candidate.model)), None)


@cache
def presets() -> tuple[Preset, ...]:
    """All presets, smallest machine first."""
    return tuple(
        Preset(**{**row, "offline": tuple(row["offline"]), "hub": tuple(row["hub"])}) for row in _rows("presets")
    )


def preset_for(gpu_bytes: int | None, lent: bool = False) -> Preset:
    """The largest preset that the GPU (None: no GPU) is enough for; lent: for a GPU lent for seconds."""
    fitting = [preset for preset in presets() if preset.lent == lent and preset.min_gpu_bytes <= (gpu_bytes or 0)]
    return fitting[-1]
