"""Clocks and memory high-water marks. Knows nothing of models; engines call it around their work.

Token times are stamped in the thread that makes the token. On Linux the peak resident set of a stretch is read
without polling: writing 5 to /proc/self/clear_refs resets VmHWM (proc(5)).
"""

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from llmops.run import Timing

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


@dataclass
class Stopwatch:
    """Stamps of one generation, in time.perf_counter seconds. One thread writes, others may read after it ended."""

    handed_s: float = field(default_factory=time.perf_counter)
    first_s: float | None = None
    last_s: float | None = None
    tokens: int = 0

    def tick(self, at_s: float | None = None) -> float:
        """A token was made; returns its stamp."""
        now = time.perf_counter() if at_s is None else at_s
        if self.first_s is None:
            self.first_s = now
        self.last_s = now
        self.tokens += 1
        return now

    def timing(self, prompt_tokens: int | None, output_tokens: int | None) -> Timing:
        """TTFT and E2E from the stamps; token counts as given (a server's own, or ours)."""
        ttft = None if self.first_s is None else self.first_s - self.handed_s
        e2e = None if self.last_s is None else self.last_s - self.handed_s
        return Timing(ttft_s=ttft, e2e_s=e2e, prompt_tokens=prompt_tokens, output_tokens=output_tokens)


def resident_bytes() -> int | None:
    """Resident set of this process now; None where the platform does not tell."""
    return _status_bytes("VmRSS")


@dataclass
class PeakRss:
    """Highest resident set of a stretch of work above the level at its start. Process-wide: nothing else should run."""

    start_bytes: int | None = None

    def __enter__(self) -> "PeakRss":
        self.start_bytes = resident_bytes()
        if sys.platform == "linux":
            try:
                _CLEAR.write_text("5")
            except OSError:  # a hardened container: then no peak is known
                self.start_bytes = None
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @property
    def extra_bytes(self) -> int | None:
        """High water so far minus the start; None where unknown."""
        high = _status_bytes("VmHWM")
        if self.start_bytes is None or high is None:
            return None
        return max(0, high - self.start_bytes)


def _status_bytes(name: str) -> int | None:
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return None


def held_bytes(device: str) -> int | None:
    """Bytes this process holds on a device now: the allocator's count on CUDA, the resident set elsewhere."""
    if device.startswith("cuda") and "torch" in sys.modules:
        import torch

        return int(torch.cuda.memory_allocated(device))
    return resident_bytes()
