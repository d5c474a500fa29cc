"""What a page shows at first paint: a link's selection, or the preset of the machine that it runs on."""

from dataclasses import dataclass

from llmops.catalog.presets import Preset, preset_for
from llmops.core.task import Task
from llmops.data.builtin import load_builtin
from llmops.hardware.machine import hardware
from llmops.planning.links import LinkedSelection

_HUB = {True: "model hub in reach", False: "no model hub in reach", None: "model hub not known yet"}


@dataclass(frozen=True)
class FirstView:
    """text: an example. preset: the machine's, whatever the link selects. machine: in words."""

    task: Task
    language: str
    text: str
    candidates: tuple[str, ...]
    preset: Preset
    machine: str


def first_view(link: LinkedSelection, hub_in_reach: bool | None) -> FirstView:
    """A link without candidates gets those of the preset, with models of the hub where it is in reach."""
    task, preset = load_builtin(link.task_id), preset_for(hardware().gpu_bytes, hardware().zerogpu)
    text = task.examples_to_show(link.language, 1)[0]
    candidates = link.candidates or preset.candidates(hub_in_reach)
    return FirstView(task, link.language, text, candidates, preset, f"{hardware().describe()}; {_HUB[hub_in_reach]}")
