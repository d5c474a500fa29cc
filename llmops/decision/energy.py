"""What 1,000 requests take in watt-hours, and in CO2 with a chosen grid; measured where the run says so.

Measured: the machine's own counters, above idle (energy_meter). Estimated here: watts of the machine at work · time,
as if the whole of it worked for this request; its idle hours are not in it. Estimated elsewhere: EcoLogits, a range.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from llmops.core.run import Run, Source
from llmops.decision import ecologits
from llmops.decision.assumptions import Assumptions
from llmops.decision.usage import Part, basis, parts
from llmops.history.evaluations import Row


@dataclass(frozen=True)
class EnergyUse:
    """A candidate's 1,000 requests: Wh and grams of CO2 equivalent, lowest and highest; None: unknown, and why."""

    candidate: str
    wh: tuple[float, float] | None
    co2_g: tuple[float, float] | None
    source: Source
    how: str
    why_not: str

    @property
    def middle_wh(self) -> float | None:
        """The middle of the range, to compare by."""
        return None if self.wh is None else (self.wh[0] + self.wh[1]) / 2


def request_wh(run: Run, at: Assumptions) -> tuple[tuple[float, float] | None, str]:
    """(lowest, highest) Wh of one recorded run, and why it is not known where it is not."""
    low = high = 0.0
    used = parts(run)
    for part in used:
        found, why_not = _part_wh(part, at)
        if found is None:
            return None, why_not
        low, high = low + found[0], high + found[1]
    return ((low, high), "") if used else (None, "the candidate's text can't be read")


def _part_wh(part: Part, at: Assumptions) -> tuple[tuple[float, float] | None, str]:
    if part.measured_wh is not None:
        return (part.measured_wh, part.measured_wh), ""
    if not part.here:
        size = ecologits.size_of(part.candidate)
        if size is None:
            return None, f"nobody has told or guessed the size of {part.name}"
        if part.output_tokens is None:
            return None, f"{part.name} told no token count"
        return ecologits.watt_hours(size, part.output_tokens, part.e2e_s), ""
    machine = at.machine(part.device)
    if machine is None or not machine.watts:
        return None, f"the power of the machine of {part.name} is not known"
    if part.busy_s is None:
        return None, f"no time was measured for {part.name}"
    wh = machine.watts * part.busy_s / 3600
    return (wh, wh), ""


def energy(candidate: str, rows: Sequence[Row], at: Assumptions) -> EnergyUse:
    """The mean request of a candidate's answered rows, of those that parts.basis picks, times 1,000."""
    answered = basis(rows, at.together)
    found = [request_wh(row.run, at) for row in answered]
    why_not = next((why for wh, why in found if wh is None), "" if found else "no text was answered")
    used = [part for row in answered for part in parts(row.run)]
    measured = bool(used) and all(part.measured_wh is not None for part in used)
    source = Source.CLIENT if measured else Source.ESTIMATED
    if why_not:
        return EnergyUse(candidate, None, None, source, "", why_not)
    low, high = (1000 * sum(wh[end] for wh, _ in found if wh is not None) / len(found) for end in (0, 1))
    grams = at.grid.g_per_kwh / 1000
    return EnergyUse(candidate, (low, high), (low * grams, high * grams), source, _how(used, at), "")


def _how(used: Sequence[Part], at: Assumptions) -> str:
    ways = dict.fromkeys(_way(part, at) for part in used)
    return "; ".join(ways)


def _way(part: Part, at: Assumptions) -> str:
    if part.measured_wh is not None:
        return "measured by counters, above idle"
    if not part.here:
        return f"estimated by {ecologits.VERSION}"
    machine = at.machine(part.device)
    return f"estimated: {machine.watts:.3g} W · time ({machine.name})" if machine else ""
