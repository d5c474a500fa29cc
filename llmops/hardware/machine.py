"""What this machine is, found cheaply: no torch, no network. Used to choose a preset, a device and a memory budget.

Contract for others: `hardware()` (cached), `hardware().decoder_device`, `device_memory(device)` in bytes free now.
"""

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from llmops.core import space
from llmops.hardware import zerogpu

_CGROUP = Path("/sys/fs/cgroup")
_NVIDIA_SMI_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Gpu:
    """One NVIDIA GPU; memory in bytes as the driver reports it, compute capability such as 7.5."""

    name: str
    memory_bytes: int
    compute_capability: float | None


@dataclass(frozen=True)
class Hardware:
    """CPU name, usable cores, RAM in bytes (the container's limit where lower), GPUs; zerogpu: on such a Space."""

    cpu: str
    cores: int
    ram_bytes: int
    gpus: tuple[Gpu, ...]
    mps: bool
    zerogpu: bool = False

    @property
    def decoder_device(self) -> str:
        """Where a local decoder runs."""
        if self.gpus:
            return "cuda:0"
        return "mps" if self.mps else "cpu"

    @property
    def gpu_bytes(self) -> int | None:
        """Memory of the first GPU; None without one."""
        return self.gpus[0].memory_bytes if self.gpus else None

    def describe(self) -> str:
        """One line for the page."""
        ram = f"{self.ram_bytes / 2**30:.0f} GiB RAM"
        gpus = ", ".join(f"{gpu.name} ({gpu.memory_bytes / 2**30:.0f} GiB)" for gpu in self.gpus)
        return f"{self.cpu}, {self.cores} cores, {ram}, {gpus or ('Apple GPU' if self.mps else 'no GPU')}"


@cache
def hardware() -> Hardware:
    """This machine; asked once."""
    return Hardware(
        cpu=_cpu_name(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        ram_bytes=_ram_limit(),
        gpus=_gpus(),
        mps=sys.platform == "darwin" and platform.machine() == "arm64",
        zerogpu=zerogpu.active(),
    )


def device_memory(device: str) -> int:
    """Bytes free for models on a device now."""
    if device.startswith("cuda"):
        return zerogpu.free_bytes() if zerogpu.active() else _gpu_free(device)
    free = int(psutil.virtual_memory().available)
    limit, used = _cgroup("memory.max"), _cgroup("memory.current")
    return min(free, limit - used) if limit is not None and used is not None else free


def _ram_limit() -> int:
    limits = (int(psutil.virtual_memory().total), _cgroup("memory.max"), space.memory_bytes())
    return min(limit for limit in limits if limit is not None)


def _cgroup(name: str) -> int | None:
    try:
        return int((_CGROUP / name).read_text())
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return None


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _gpus() -> tuple[Gpu, ...]:
    if zerogpu.active():
        return (Gpu(*zerogpu.gpu()),)
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):  # the user's own way to say: on the CPU
        return ()
    rows = _nvidia_smi("name,memory.total,compute_cap")
    return tuple(
        Gpu(
            name,
            int(float(memory) * 2**20),
            float(capability) if capability.replace(".", "").isdigit() else None,
        )
        for name, memory, capability in (row for row in rows if len(row) == 3)
    )


def _gpu_free(device: str) -> int:
    """Asked before every prompt, inside its time: of the driver directly once CUDA runs, else of a process (0.1 s).

    What torch's allocator keeps without using it is free for us, though the driver counts it as taken.
    """
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0] + kept)
    rows = _nvidia_smi("memory.free")
    return int(float(rows[0][0]) * 2**20) if rows else 0


def _nvidia_smi(fields: str) -> list[list[str]]:
    """One row a GPU; nothing where there is no driver."""
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=_NVIDIA_SMI_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [[cell.strip() for cell in line.split(",")] for line in result.stdout.splitlines() if line.strip()]
