"""What 1,000 requests cost: APIs by tokens, own machines by the hour. Nothing that runs here is ever free.

Own machine: usd_hour / 3600 · seconds / utilisation a request, that is usd_hour / (3600 · throughput · utilisation): an
hour is paid whether or not it is used. Throughput is 1 / mean E2E of texts one after the other, or that of batches
(Assumptions.together). API: prompt tokens · input price + output tokens · output price. A cascade is the sum of the
stages that ran.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmops.core.run import Run
from llmops.decision.assumptions import Assumptions
from llmops.decision.usage import Part, basis, parts
from llmops.evaluation.batch_sizes import ran_alone
from llmops.history.evaluations import Row

HOURS_A_MONTH = 730.0
_POINTS = 60


@dataclass(frozen=True)
class Cost:
    """A candidate's mean request, in USD; usd None: unknown, and why. how: a sentence.

    tokens_usd: the part paid by tokens. machines: name → (usd_hour, seconds of it a request).
    """

    candidate: str
    usd: float | None
    why_not: str
    how: str
    tokens_usd: float
    machines: dict[str, tuple[float, float]]

    @property
    def hour_usd(self) -> float:
        """An hour of every machine it needs."""
        return sum(usd for usd, _ in self.machines.values())

    def capacity(self, utilisation: float) -> float | None:
        """Requests a month that one set of its machines answers at a utilisation; None where it needs none."""
        busiest = max((seconds for _, seconds in self.machines.values()), default=0.0)
        return HOURS_A_MONTH * 3600 * utilisation / busiest if busiest else None


@dataclass(frozen=True)
class BreakEven:
    """From how many requests a month own machines cost less than an API; volume None: never, and why."""

    own: str
    api: str
    volume: float | None
    sentence: str


@dataclass(frozen=True)
class VolumePoint:
    """Cost of 1,000 requests in USD at a monthly volume."""

    volume: float
    own_usd: float
    api_usd: float


def request_usd(run: Run, at: Assumptions) -> tuple[float | None, str]:
    """USD of one recorded run, and why it is not known where it is not."""
    total = 0.0
    used = parts(run)
    for part in used:
        usd, why_not = _part_usd(part, at)
        if usd is None:
            return None, why_not
        total += usd
    return (total, "") if used else (None, "the candidate's text can't be read")


def _part_usd(part: Part, at: Assumptions) -> tuple[float | None, str]:
    price = at.token_price(part.name)
    if price is not None:
        if part.prompt_tokens is None:
            return None, f"{part.name} told no token count"
        # An encoder writes none; a decoder that told none is unknown.
        written = part.output_tokens if part.output_tokens is not None else 0 if part.candidate.is_local else None
        if written is None:
            return None, f"{part.name} told no token count"
        return (part.prompt_tokens * price.input_usd + written * price.output_usd) / 1e6, ""
    if not part.here:
        return None, f"no price is known for {part.name}"
    machine = at.machine(part.device)
    if machine is None or machine.usd_hour is None:
        return None, f"no price by the hour is known for the machine of {part.name}"
    if part.busy_s is None:
        return None, f"no time was measured for {part.name}"
    return machine.usd_hour / 3600 * part.busy_s / at.utilisation, ""


def cost(candidate: str, rows: Sequence[Row], at: Assumptions) -> Cost:
    """The mean request of a candidate's answered rows, of those that parts.basis picks."""
    answered = basis(rows, at.together)
    found = [request_usd(row.run, at) for row in answered]
    why_not = next((why for usd, why in found if usd is None), "" if found else "no text was answered")
    usd = None if why_not else sum(usd or 0.0 for usd, _ in found) / len(found)
    tokens, machines = 0.0, dict[str, tuple[float, float]]()
    for row in answered if usd is not None else ():
        for part in parts(row.run):
            if at.token_price(part.name) is not None:
                tokens += (_part_usd(part, at)[0] or 0.0) / len(answered)
            elif (machine := at.machine(part.device)) is not None:
                hour, seconds = machines.get(machine.name, (machine.usd_hour or 0.0, 0.0))
                machines[machine.name] = (hour, seconds + (part.busy_s or 0.0) / len(answered))
    how = _how(tokens, machines, at, all(ran_alone(row.run) for row in answered))
    return Cost(candidate, usd, why_not, how if usd is not None else "", tokens, machines)


def _how(tokens: float, machines: Mapping[str, tuple[float, float]], at: Assumptions, alone: bool) -> str:
    pace = "one after the other" if alone else "in batches"
    by_hour = [
        f"{name} at ${hour:.3g} an hour, {seconds:.3g} s a request {pace}, {at.utilisation:.0%} utilisation"
        for name, (hour, seconds) in machines.items()
    ]
    return "; ".join([*(["by tokens"] if tokens or not machines else []), *by_hour])


def break_even(own: Cost, api: Cost, at: Assumptions) -> BreakEven | None:
    """Where own machines begin to pay: volume = hour · 730 / (API's request − own's part by tokens).

    None where one of the costs is unknown, or the sides are not one with machines and one without.
    """
    if own.usd is None or api.usd is None or not own.machines or api.machines:
        return None
    names = f"{own.candidate} against {api.candidate}"
    saved, capacity = api.usd - own.tokens_usd, own.capacity(at.utilisation)
    if saved <= 0 or not capacity:
        return BreakEven(own.candidate, api.candidate, None, f"{names}: never, it saves nothing a request.")
    volume = own.hour_usd * HOURS_A_MONTH / saved
    if volume > capacity:
        sentence = (
            f"{names}: never at {at.utilisation:.0%} utilisation. {volume:,.0f} requests a month would pay for the "
            f"machine; it answers {capacity:,.0f}."
        )
        return BreakEven(own.candidate, api.candidate, None, sentence)
    sentence = f"{names}: cheaper from {volume:,.0f} requests a month on; one machine answers up to {capacity:,.0f}."
    return BreakEven(own.candidate, api.candidate, volume, sentence)


def own_usd(own: Cost, volume: float, at: Assumptions) -> float:
    """USD of 1,000 requests at a monthly volume: as many machines as it takes, paid by the whole month."""
    capacity = own.capacity(at.utilisation) or volume
    sets = -(-volume // capacity)  # rounded up
    return 1000 * (sets * own.hour_usd * HOURS_A_MONTH / volume + own.tokens_usd)


def curve(own: Cost, api: Cost, at: Assumptions) -> tuple[VolumePoint, ...]:
    """Both costs from a hundredth of a machine's monthly capacity to three machines', evenly on a logarithmic axis."""
    capacity = own.capacity(at.utilisation)
    if own.usd is None or api.usd is None or not capacity:
        return ()
    lowest, steps = capacity / 100, 300 ** (1 / (_POINTS - 1))
    volumes = [lowest * steps**index for index in range(_POINTS)]
    return tuple(VolumePoint(volume, own_usd(own, volume, at), 1000 * api.usd) for volume in volumes)
