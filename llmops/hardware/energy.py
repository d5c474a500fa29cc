"""Measured energy: joules of CPU packages, their memory and a GPU, from the hardware's own counters, above idle.

Counters are found and read through zeus (RAPL by powercap, NVML's total energy). Tried in 2026-11 beside codecarbon
3.3.2: zeus 0.16.0 brings 5 small packages (7 MB), opens no connection, and says nothing where there is no counter;
codecarbon brings 15 (72 MB, among them cryptography and a telemetry client) and there reports a constant 4 W a thread
and 20 W of memory as energy consumed. Both leave our pins alone. Energy is of the whole machine: what else works
meanwhile is in it.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from llmops.compat import zeus_internals
from llmops.core.run import Energy

_IDLE_S = 1.0  # NVML's counter moves every 20 to 100 ms, so a second tells idle power within a few percent
_JOULES_A_WH = 3600.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Counter:
    """A counter of joules; range_j: where it begins again at zero (None: never)."""

    name: str
    read_j: Callable[[], float]
    range_j: float | None = None

    def since(self, before_j: float) -> float:
        """Joules since a reading."""
        difference = self.read_j() - before_j
        return difference % self.range_j if self.range_j else difference


class EnergyWindow:
    """`with EnergyWindow(device) as window:` around a run; `window.energy` after it, None where nothing is counted.

    The first one of a device measures a second of idle power before it begins. Windows shorter than a counter's step
    (1 ms for RAPL, 20 to 100 ms for NVML) are coarse one by one; their mean is not.
    """

    def __init__(self, device: str) -> None:
        self._counters = counters(device)
        self._device = device
        self._before: list[float] | None = None
        self.energy: Energy | None = None

    def __enter__(self) -> "EnergyWindow":
        if self._counters:
            try:
                self._idle_w = _idle_watts(self._device)
                self._before, self._started_s = _read(self._counters), time.perf_counter()
            except Exception:  # noqa: BLE001  a counter that fails is no reason to lose the run
                _log.warning("the energy counters could not be read", exc_info=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            return
        seconds = time.perf_counter() - self._started_s
        try:
            joules = _since(self._counters, self._before)
        except Exception:  # noqa: BLE001  nor to lose its end
            _log.warning("the energy counters could not be read", exc_info=True)
            return
        above = max(0.0, joules - self._idle_w * seconds)
        names = tuple(counter.name for counter in self._counters)
        self.energy = Energy(above / _JOULES_A_WH, joules / _JOULES_A_WH, self._idle_w, names)


@cache
def _idle_watts(device: str) -> float:
    """Watts of a second in which we do nothing."""
    before, started_s = _read(counters(device)), time.perf_counter()
    time.sleep(_IDLE_S)
    return _since(counters(device), before) / (time.perf_counter() - started_s)


def _read(counters_: Sequence[Counter]) -> list[float]:
    return [counter.read_j() for counter in counters_]


def _since(counters_: Sequence[Counter], before: Sequence[float]) -> float:
    return sum(counter.since(start) for counter, start in zip(counters_, before, strict=True))


@cache
def counters(device: str) -> tuple[Counter, ...]:
    """What can be counted for work on a device: the CPU's counters always, a CUDA device's too; empty where none."""
    available: list[Counter] = []
    for find in (_cpu, _gpu):
        try:
            available += find(device)
        except Exception as error:  # noqa: BLE001  no driver, no permission, no counter: then it is not measured
            _log.info("no energy counter: %s", error)
    return tuple(available)


def _cpu(_device: str) -> list[Counter]:
    """Packages and their memory."""
    return [_zone(*counter) for counter in zeus_internals.cpu_counters()]


def _zone(name: str, path: Path, range_uj: float) -> Counter:
    return Counter(name, lambda: float(path.read_text()) / 1e6, range_uj / 1e6)


def _gpu(device: str) -> list[Counter]:
    """A GPU of Volta or later; an older one has no counter."""
    if not device.startswith("cuda"):
        return []
    from zeus.device import get_gpus

    gpus, index = get_gpus(), int(device.partition(":")[2] or 0)
    if not gpus.supports_get_total_energy_consumption(index):
        return []
    return [Counter(f"GPU {index}", lambda: gpus.get_total_energy_consumption(index) / 1000)]
