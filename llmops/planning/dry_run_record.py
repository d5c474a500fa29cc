"""What a dry run found: bytes and seconds, measured, predicted, and stretched to the whole model."""

from dataclasses import asdict, dataclass
from typing import Any

from llmops.core.run import Source


@dataclass(frozen=True)
class DryRunFigures:
    """Bytes and seconds of one model; peak_bytes is weights and the highest extra of the run. None: not known."""

    weights_bytes: int
    kv_cache_bytes: int
    peak_bytes: int | None
    load_s: float | None = None
    ttft_s: float | None = None
    prefill_tokens_per_s: float | None = None
    decode_tokens_per_s: float | None = None


@dataclass(frozen=True)
class DryRun:
    """What a shape took on this machine. predicted is the planner's for the same slice; whole is stretched from it.

    source tells for measured, predicted and whole how they are known.
    """

    model: str
    precision: str
    device: str
    layers: int
    of_layers: int
    prompt_tokens: int
    new_tokens: int
    measured: DryRunFigures
    predicted: DryRunFigures
    whole: DryRunFigures
    source: dict[str, Source]
    notes: tuple[str, ...]

    @property
    def gaps(self) -> dict[str, float | None]:
        """(measured − predicted) / predicted of weights, cache and peak."""
        pairs = {
            name: (getattr(self.measured, name), getattr(self.predicted, name))
            for name in ("weights_bytes", "kv_cache_bytes", "peak_bytes")
        }
        return {
            name: None if measured is None else (measured - predicted) / predicted
            for name, (measured, predicted) in pairs.items()
        }

    def to_json(self) -> dict[str, Any]:
        """Plain data, the gaps included."""
        data = asdict(self)
        return data | {"gaps": self.gaps, "source": {name: str(source) for name, source in self.source.items()}}
