"""What work takes of memory: bytes before, high water, bytes after. Knows nothing of models; engines call it.

On Linux the peak resident set of a stretch is read without polling: writing 5 to /proc/self/clear_refs resets VmHWM
(proc(5)).
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmops.compat import glibc_malloc

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


class LoadMeasurement:
    """`with LoadMeasurement(device) as measured:` around reading weights: load_s, and the bytes held before.

    Libraries are imported and files fetched before it, so that neither is in a figure.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self.before_bytes: int | None = None
        self.load_s: float | None = None

    def __enter__(self) -> "LoadMeasurement":
        self.before_bytes = held_bytes(self._device)
        self._started_s = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        if self._device.startswith("cuda"):
            import torch

            torch.cuda.synchronize(self._device)
        self.load_s = time.perf_counter() - self._started_s


class PeakMemory:
    """Highest extra bytes of a stretch of work above its start: the allocator's on CUDA, else the process's.

    Process-wide, so nothing else should run meanwhile. `extra_bytes` may be read before the end.
    """

    def __init__(self, device: str) -> None:
        self._cuda = device if device.startswith("cuda") else None
        self._start: int | None = None

    def __enter__(self) -> "PeakMemory":
        if self._cuda:
            import torch

            torch.cuda.synchronize(self._cuda)
            torch.cuda.reset_peak_memory_stats(self._cuda)
            self._start = int(torch.cuda.memory_allocated(self._cuda))
            return self
        try:
            _CLEAR.write_text("5")
            self._start = resident_bytes()
        except OSError:  # not Linux, or a hardened container: then no peak is known
            self._start = None
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @property
    def extra_bytes(self) -> int | None:
        """High water so far minus the start; None where the platform does not tell."""
        if self._cuda:
            import torch

            high: int | None = int(torch.cuda.max_memory_allocated(self._cuda))
        else:
            high = _status_bytes("VmHWM")
        return None if self._start is None or high is None else max(0, high - self._start)


def resident_bytes() -> int | None:
    """Resident set of this process now; None where the platform does not tell."""
    return _status_bytes("VmRSS")


def held_bytes(device: str) -> int | None:
    """Bytes this process holds on a device now: the allocator's count on CUDA, the resident set elsewhere."""
    if device.startswith("cuda") and "torch" in sys.modules:
        import torch

        return int(torch.cuda.memory_allocated(device))
    return resident_bytes()


def device_used(device: str) -> int | None:
    """Bytes in use on a CUDA device as the driver sees it, context and other processes included; else None."""
    if not device.startswith("cuda"):
        return None
    import torch

    free, total = torch.cuda.mem_get_info(device)
    return int(total - free)


_GUARD = threading.Lock()
_reusing = 0


def keep_no_free_memory() -> None:
    """Freed memory goes back to the system at once, also that of other threads. Called before models are loaded."""
    glibc_malloc.return_freed_blocks()


@contextmanager
def reusing_memory() -> Iterator[None]:
    """For work whose memory is in no figure: freed blocks are kept, and returned at the end.

    A batch's activations are some MB each. Mapped and returned one by one, their page faults took half of its time.
    """
    global _reusing
    with _GUARD:
        _reusing += 1
        glibc_malloc.keep_freed_blocks()
    try:
        yield
    finally:
        with _GUARD:
            _reusing -= 1
            if not _reusing:
                keep_no_free_memory()
                release_memory("cpu")


def release_memory(device: str) -> None:
    """Return freed memory to the system: the GPU's cache, and glibc's free lists, which it keeps otherwise."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.empty_cache()
    elif device.startswith("mps"):
        import torch

        torch.mps.empty_cache()
    glibc_malloc.trim()


def _status_bytes(name: str) -> int | None:
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return None
