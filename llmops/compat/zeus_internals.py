"""zeus from inside: the files of the CPU's energy counters that it has found.

Its own way to read them starts a process that imports the page a second time, to count how often a counter began again
at zero. A run is far shorter than one turn (an hour), so a difference modulo the counter's range is exact.
"""

from pathlib import Path
from typing import NamedTuple

MADE_FOR = "zeus 0.16.0"


class CounterFile(NamedTuple):
    """A counter of microjoules: a file with one number, which begins again at zero after range_uj."""

    name: str
    path: Path
    range_uj: float


def cpu_counters() -> list[CounterFile]:
    """CPU packages and their memory. Other zones are left out: “core” is in its package, “psys” holds all of them.

    Raises what zeus raises where there is no counter, or no permission to read it.
    """
    from zeus.device import get_cpus

    zones = []
    for cpu in get_cpus().cpus:
        if cpu.rapl_file.name.startswith("package"):
            zones.append((f"CPU {cpu.cpu_index}", cpu.rapl_file))
            zones += [(f"memory {cpu.cpu_index}", cpu.dram)] if cpu.dram is not None else []
    return [CounterFile(name, Path(zone.energy_uj_path), zone.max_energy_range_uj) for name, zone in zones]
