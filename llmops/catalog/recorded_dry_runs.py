"""Dry runs that were recorded: rows of recorded_dry_runs.toml."""

from dataclasses import dataclass
from functools import cache

from llmops.catalog.rows import read_rows


@dataclass(frozen=True)
class RecordedDryRun:
    """A dry run on named hardware, beside what was predicted. Bytes, tokens a second."""

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


@cache
def recorded_dry_runs() -> tuple[RecordedDryRun, ...]:
    """All dry runs that were recorded."""
    return tuple(RecordedDryRun(**row) for row in read_rows("recorded_dry_runs", "dry_runs"))
