"""What a run is known by afterwards: text, label, timing, memory, and where each figure came from.

A figure that is not known is None, never zero. Words and formulas are DESIGN's: TTFT from hand-over to the
first generated token, E2E to the last, TPOT = (E2E − TTFT) / (output tokens − 1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class Source(StrEnum):
    """How a figure is known."""

    CLIENT = "client-measured"
    SERVER = "server-reported"
    ESTIMATED = "estimated"


@dataclass(frozen=True)
class Timing:
    """Seconds and token counts of one run; load and queue are never inside another figure.

    unseen_tokens: of output_tokens, those made before the first that was sent (hidden thinking, an answer in one go).
    """

    load_s: float | None = None
    queue_s: float | None = None
    ttft_s: float | None = None
    e2e_s: float | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    unseen_tokens: int | None = None

    @property
    def tpot_s(self) -> float | None:
        """Seconds per output token after the first; None below two tokens that were sent."""
        sent = (self.output_tokens or 0) - (self.unseen_tokens or 0)
        if self.ttft_s is None or self.e2e_s is None or sent < 2:
            return None
        return (self.e2e_s - self.ttft_s) / (sent - 1)

    @property
    def prefill_rate(self) -> float | None:
        """Prompt tokens per second: prompt tokens / TTFT; None where more than the prompt lies in it."""
        if not self.prompt_tokens or not self.ttft_s or self.unseen_tokens:
            return None
        return self.prompt_tokens / self.ttft_s

    @property
    def decode_rate(self) -> float | None:
        """Output tokens per second after the first: 1 / TPOT."""
        tpot = self.tpot_s
        return 1 / tpot if tpot else None

    @property
    def texts_per_second(self) -> float | None:
        """1 / E2E: how many such texts one after the other would pass in a second."""
        return 1 / self.e2e_s if self.e2e_s else None


@dataclass(frozen=True)
class Memory:
    """Bytes. peak is the highest extra above the idle baseline during the run; left is what stays after unloading."""

    weights_bytes: int | None = None
    kv_cache_bytes: int | None = None
    peak_bytes: int | None = None
    left_bytes: int | None = None
    device: str | None = None


@dataclass(frozen=True)
class Energy:
    """Watt-hours of one run as counters told them: above idle (`wh`), and with the idle power in it (`total_wh`).

    idle_w: watts before the run, the model loaded. covers: which counters, such as "CPU 0", "memory 0", "GPU 0".
    """

    wh: float
    total_wh: float
    idle_w: float
    covers: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """What one stage of a cascade took, for price and energy."""

    candidate: str
    timing: Timing
    device: str | None
    energy: Energy | None = None


@dataclass(frozen=True)
class RunError:
    """What happened, and what would help, in words; `kind` for programs (errors.LlmopsError.kind)."""

    kind: str
    message: str
    remedy: str = ""


@dataclass(frozen=True)
class Run:
    """One text through one candidate.

    text: the output (empty for an encoder, which has only a label).
    label: a label id of the task; None when unparsed or failed (`unparsed` tells them apart).
    probabilities: label id → probability, summing to 1; None where unknown.
    warm: the model was in memory before this run; timing.load_s is then from when it was loaded.
    predicted: what weights, cache and peak of a local candidate are expected to be; always estimated.
    source: figure group (`timing`, `tokens`, `memory`, `probabilities`) → Source.
    notes: sentences the user should read beside the figures.
    settings: what the run was made with (generation settings, beside whom it ran).
    energy: measured, where the machine has counters; None elsewhere, never an estimate.
    stages: those of a cascade that ran, in order; empty for every other candidate.
    sent_to: who outside this machine got the text, without an address; empty: nobody; None: a record from before it
    was written down.
    """

    candidate: str
    text: str = ""
    label: str | None = None
    unparsed: bool = False
    probabilities: dict[str, float] | None = None
    warm: bool = False
    timing: Timing = field(default_factory=Timing)
    memory: Memory = field(default_factory=Memory)
    predicted: Memory | None = None
    source: dict[str, Source] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    finish: str | None = None  # "stop", "length", or "stopped" by the visitor
    energy: Energy | None = None
    stages: tuple[Stage, ...] = ()
    sent_to: str | None = ""
    error: RunError | None = None

    @property
    def stopped(self) -> bool:
        """True where the visitor stopped it, before an answer or within one."""
        return self.finish == "stopped" or (self.error is not None and self.error.kind == "stopped")

    def to_json(self) -> dict[str, Any]:
        """Plain data for the database, the API, the command line and exports; derived figures included."""
        data: dict[str, Any] = _adapter().dump_python(self, mode="json", warnings=False)
        data["timing"] |= {
            "tpot_s": self.timing.tpot_s,
            "prefill_tokens_per_s": self.timing.prefill_rate,
            "decode_tokens_per_s": self.timing.decode_rate,
            "texts_per_s": self.timing.texts_per_second,
        }
        return data

    @classmethod
    def from_json(cls, data: str | Mapping[str, Any]) -> "Run":
        """Back from `to_json`, or from its JSON text, which is quicker. Names that this version does not know are
        passed over; what an older version did not write is unknown. Raises ValueError for what is no run.
        """
        if isinstance(data, str):
            run = _adapter().validate_json(data)
            # Absent, it would read as the default: nobody. Within a text the quotes are escaped: this finds keys only.
            return run if '"sent_to"' in data else replace(run, sent_to=None)
        return _adapter().validate_python({"sent_to": None, **data})


@cache
def _adapter() -> "TypeAdapter[Run]":
    from pydantic import TypeAdapter  # here: only what reads or writes records waits for it

    return TypeAdapter(Run)
