"""The models that can be chosen: rows of models.toml.

Where architectures.toml has the same id, size, context and licence come from there.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from llmops.catalog.architectures import Architecture, architectures
from llmops.catalog.rows import read_rows
from llmops.core.candidate import DEFAULT_PRECISION, PRECISIONS, Candidate, Epoch, Kind

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


@cache
def models() -> tuple[ModelSpec, ...]:
    """All rows, in the file's order."""
    by_id = {architecture.id: architecture for architecture in architectures()}
    return tuple(
        ModelSpec(**{**_sizes(by_id.get(row["id"])), **row, "kind": Kind(row["kind"])})
        for row in read_rows("models", "models")
    )


def _sizes(architecture: Architecture | None) -> dict[str, Any]:
    """What a model's row takes from its architecture."""
    if architecture is None:
        return {}
    shape = architecture.shape
    return {
        "params": architecture.params,
        "quantizable": shape.linear / architecture.params,
        "context": shape.context,
        "licence": architecture.licence,
        "gated": architecture.gated,
        "source": architecture.source,
    }


@cache
def model_kinds() -> dict[str, Kind]:
    """Model id → kind, for local rows: lets `parse_candidate` tell an encoder from a decoder."""
    return {spec.id: spec.kind for spec in models() if spec.kind in DEFAULT_PRECISION}


def find_model(candidate: Candidate) -> ModelSpec | None:
    """The row of a candidate, if there is one."""
    return next((spec for spec in models() if (spec.kind, spec.id) == (candidate.kind, candidate.model)), None)
