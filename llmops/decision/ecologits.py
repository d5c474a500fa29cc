"""Energy of an endpoint's answer by EcoLogits' published formula (0.11.3, 2026-11; ecologits.ai, methodology for LLMs).

The package itself pins older clients than ours, so the formula stands here. It knows output tokens, parameters and the
measured latency; the prompt's share, the network and training are not in it. A range where parameters or the data
centre's overhead are. Numbers moved by orders of magnitude between its versions: keep the version with the figure.
"""

import math
from dataclasses import dataclass

from llmops.catalog.models import find_model
from llmops.catalog.prices import endpoints, pues
from llmops.core.candidate import Candidate, Kind

VERSION = "EcoLogits 0.11.3"
_ALPHA, _BETA, _GAMMA = 1.1665273170451914e-06, -0.011205921025579175, 4.052928146734005e-05  # Wh a token of one GPU
_SLOPE, _BATCH_SLOPE, _BASE = 0.0006785088094353663, 0.0003119310311688259, 0.019473717579473387  # s a token
_BATCH = 64  # requests a server answers at once
_GPU_GB, _SERVER_GPUS, _SERVER_W = 80, 8, 1200.0
_BITS = 16


@dataclass(frozen=True)
class Size:
    """An endpoint's parameters in billions, lowest and highest, its speed where known, and the overhead's range."""

    active_b: tuple[float, float]
    total_b: tuple[float, float]
    pue: tuple[float, float]
    tokens_per_s: float | None = None
    ttft_s: float | None = None


def size_of(candidate: Candidate) -> Size | None:
    """What is known or guessed of an endpoint; None for one that nobody has sized."""
    overhead = next(((pue.low, pue.high) for pue in pues() if pue.kind == candidate.kind), None)
    if overhead is None:
        return None
    name = f"{candidate.kind}/{candidate.model}"
    guessed = next((endpoint for endpoint in endpoints() if endpoint.model == name), None)
    if guessed is not None:
        return Size(guessed.active_b, guessed.total_b, overhead, guessed.tokens_per_s, guessed.ttft_s)
    spec = find_model(candidate) if candidate.kind == Kind.HOSTED else None
    if spec is None or spec.params is None:
        return None
    total, active = spec.params / 1e9, (spec.active or spec.params) / 1e9
    return Size((active, active), (total, total), overhead)


def watt_hours(size: Size, output_tokens: int, e2e_s: float | None) -> tuple[float, float]:
    """(lowest, highest) Wh of one answer; e2e_s caps the time the formula takes for it."""
    ends = zip(size.active_b, size.total_b, size.pue, strict=True)
    low, high = (_answer_wh(size, active, total, pue, output_tokens, e2e_s) for active, total, pue in ends)
    return low, high


def _answer_wh(size: Size, active_b: float, total_b: float, pue: float, tokens: int, e2e_s: float | None) -> float:
    """PUE · (GPUs · tokens · (α·e^(β·64)·P + γ) + seconds/3600 · 1200 W · GPUs/8 / 64); P active billions.

    GPUs: 1.2 · total · 16/8 GB over 80 GB each, rounded up to a power of two. seconds: tokens / speed + TTFT, or where
    no speed is known tokens · (6.785e-4 · P + 3.119e-4 · 64 + 1.947e-2); never more than was measured.
    """
    needed = math.ceil(1.2 * total_b * _BITS / 8 / _GPU_GB)
    gpus: int = 2 ** math.ceil(math.log2(needed))
    a_token = _ALPHA * math.exp(_BETA * _BATCH) * active_b + _GAMMA
    own = _SLOPE * active_b + _BATCH_SLOPE * _BATCH + _BASE
    seconds = tokens * (1 / size.tokens_per_s if size.tokens_per_s else own) + (size.ttft_s or 0.0)
    seconds = seconds if e2e_s is None else min(seconds, e2e_s)
    server = seconds / 3600 * _SERVER_W * gpus / _SERVER_GPUS / _BATCH
    return pue * (gpus * tokens * a_token + server)
