"""A fake powercap tree at the kernel's edge, found and read by zeus; no real counter is to be had where tests run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmops.hardware import energy
from llmops.hardware.energy import counters

RANGE_UJ = 262_143_328_850  # of a usual server


class FakePowercap:
    """/sys/class/powercap/intel-rapl with a package, its cores and memory, and a platform zone that holds them all."""

    def __init__(self, root):
        self.root = root
        self._zone("intel-rapl:0", "package-0", 5_000_000)
        self._zone("intel-rapl:0/intel-rapl:0:0", "core", 1_000_000)
        self._zone("intel-rapl:0/intel-rapl:0:1", "dram", 2_000_000)
        self._zone("intel-rapl:1", "psys", 9_000_000)

    def _zone(self, path, name, microjoules):
        folder = self.root / path
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")
        (folder / "energy_uj").write_text(f"{microjoules}\n")

    def add(self, path, joules):
        """A zone's counter moves on; replaced as a whole, as the kernel's would never be read half."""
        file = self.root / path / "energy_uj"
        later = file.with_suffix(".new")
        later.write_text(f"{(int(file.read_text()) + int(joules * 1e6)) % RANGE_UJ}\n")
        later.replace(file)


@contextmanager
def fake_powercap(folder: Path) -> Iterator[FakePowercap]:
    """The tree in place of the kernel's, read by zeus; a shorter look at idle power."""
    import zeus.device.cpu
    from zeus.device.cpu import rapl

    fake, cached = FakePowercap(folder / "intel-rapl"), (rapl.rapl_is_available, counters, energy._idle_watts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rapl, "RAPL_DIR", str(fake.root))
        patch.setattr(zeus.device.cpu, "_cpus", None)
        patch.setattr(energy, "_IDLE_S", 0.05)
        for function in cached:
            function.cache_clear()
        yield fake
        for function in cached:
            function.cache_clear()
