"""What is selected at first paint, by the machine: rows of presets.toml."""

from dataclasses import dataclass
from functools import cache

from llmops.catalog.rows import read_rows


@dataclass(frozen=True)
class Preset:
    """Candidates chosen at first paint on a kind of machine, with and without a hub in reach. zerogpu: for its GPUs."""

    id: str
    name: str
    min_gpu_bytes: int
    offline: tuple[str, ...]
    hub: tuple[str, ...]
    zerogpu: bool = False

    def candidates(self, hub_in_reach: bool | None) -> tuple[str, ...]:
        """Those to choose; models of the hub only where it is known to be in reach."""
        return self.hub if hub_in_reach else self.offline


@cache
def presets() -> tuple[Preset, ...]:
    """All presets, smallest machine first."""
    return tuple(
        Preset(**{**row, "offline": tuple(row["offline"]), "hub": tuple(row["hub"])})
        for row in read_rows("presets", "presets")
    )


def find_preset(preset_id: str) -> Preset:
    """By id, as in `presets`."""
    return next(preset for preset in presets() if preset.id == preset_id)


def preset_for(gpu_bytes: int | None, zerogpu: bool = False) -> Preset:
    """The largest preset that the GPU (None: no GPU) is enough for; zerogpu: for its GPUs."""
    fitting = [preset for preset in presets() if preset.zerogpu == zerogpu and preset.min_gpu_bytes <= (gpu_bytes or 0)]
    return fitting[-1]
