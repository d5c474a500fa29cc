"""What cost and energy rest on: prices, machines, currency, grid, utilisation; the catalogue's, with a visitor's edits.

Machines are guessed from the evaluation's hardware line; what can't be guessed is unknown until it is chosen.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from llmops.catalog import prices
from llmops.catalog.gpus import gpus
from llmops.catalog.prices import Currency, Grid, Machine, TokenPrice
from llmops.core.errors import InputError
from llmops.core.json_object import as_object

UTILISATION = 0.3  # office hours: about eight of twenty-four
NAMES = (
    "prices", "cpu_machine", "gpu_machine", "cpu_usd_hour", "gpu_usd_hour", "cpu_watts", "gpu_watts", "currency",
    "per_usd", "grid", "g_per_kwh", "utilisation", "together",
)  # fmt: skip
_YOURS = "yours"  # date and source of a figure that a visitor typed


@dataclass(frozen=True)
class Assumptions:
    """cpu, gpu: the machines local candidates are priced on; None: unknown. utilisation: share of hours at work.

    together: requests come many at once, so times are taken from texts that shared a batch, where there are any.
    """

    tokens: tuple[TokenPrice, ...]
    cpu: Machine | None
    gpu: Machine | None
    currency: Currency
    grid: Grid
    utilisation: float = UTILISATION
    together: bool = False

    def money(self, usd: float | None) -> float | None:
        """US dollars in the chosen currency."""
        return None if usd is None else usd * self.currency.per_usd

    def machine(self, device: str | None) -> Machine | None:
        """The machine of a device: a GPU's for CUDA, the CPU's for everything else that is here."""
        return self.gpu if (device or "").startswith("cuda") else self.cpu

    def token_price(self, model: str) -> TokenPrice | None:
        """The price of a candidate's text without options, if there is one."""
        return next((one for one in self.tokens if one.model == model), None)


def assume(given: str | Mapping[str, Any] | None, hardware: str) -> Assumptions:
    """The catalogue's figures for a hardware line (hardware.Hardware.describe), with edits.

    given: an object with any of NAMES. prices: candidate → [USD for a million tokens read, written]. Raises InputError.
    """
    data = dict(as_object(given))
    unknown = sorted(set(data) - set(NAMES))
    if unknown:
        raise InputError(f"Unknown assumption: {', '.join(unknown)}.", f"Known: {', '.join(NAMES)}.")
    cpu = prices.find_machine(data["cpu_machine"]) if data.get("cpu_machine") else guess_cpu(hardware)
    gpu = prices.find_machine(data["gpu_machine"]) if data.get("gpu_machine") else guess_gpu(hardware)
    currency = prices.find_currency(_text(data, "currency") or prices.currencies()[0].code)
    grid = prices.find_grid(_text(data, "grid") or prices.grids()[0].id)
    if (rate := _number(data, "per_usd", 1e-6, 1e6)) is not None:
        currency = replace(currency, per_usd=rate, date=_YOURS, source=_YOURS)
    if (grams := _number(data, "g_per_kwh", 0, 5000)) is not None:
        grid = replace(grid, name="your own", g_per_kwh=grams, source=_YOURS)
    utilisation = _number(data, "utilisation", 0.001, 1)
    if not isinstance(data.get("together", False), bool):
        raise InputError(f"together is true or false; it is {data['together']!r}.", 'Write "together": true.')
    return Assumptions(
        tokens=_token_prices(data.get("prices")),
        cpu=_edited(cpu, "CPU", data, "cpu"),
        gpu=_edited(gpu, "GPU", data, "gpu"),
        currency=currency,
        grid=grid,
        utilisation=UTILISATION if utilisation is None else utilisation,
        together=data.get("together", False),
    )


def guess_cpu(hardware: str) -> Machine | None:
    """A machine with as many cores; beyond the catalogue's largest, that one scaled. None where no cores are told."""
    found = re.search(r"(\d+) cores?\b", hardware)
    cpus = [one for one in prices.machines() if one.cores]
    if not found or not int(found[1]):
        return None
    cores = int(found[1])
    fitting = [one for one in cpus if one.cores == cores]
    if fitting:
        return fitting[0]
    largest = cpus[-1]
    share = cores / (largest.cores or 1)
    usd, source = (largest.usd_hour or 0) * share, f"scaled by cores from {largest.name}: {largest.source}"
    return replace(
        largest, name=f"CPU, {cores} cores", cores=cores, usd_hour=usd, watts=largest.watts * share, source=source
    )


def guess_gpu(hardware: str) -> Machine | None:
    """The catalogue's GPU whose name is in the line, such as “T4” in “Tesla T4 (15 GiB)”; None without one."""
    for gpu in sorted(gpus(), key=lambda one: -len(one.name)):
        parts = [rf"(?<![A-Za-z0-9]){re.escape(part)}(?![0-9A-FH-Za-z])" for part in gpu.name.split()]
        if all(re.search(part, hardware) for part in parts):
            return prices.find_machine(gpu.name)
    return None


def _edited(machine: Machine | None, name: str, data: Mapping[str, Any], prefix: str) -> Machine | None:
    usd = _number(data, f"{prefix}_usd_hour", 0, 1e6)
    watts = _number(data, f"{prefix}_watts", 0, 1e6)
    if usd is None and watts is None:
        return machine
    if usd == 0:
        raise InputError(
            "A machine of one's own is not free.", "Give what an hour of it costs: rent, or price and power."
        )
    machine = machine or Machine(f"your {name}", None, 0.0, _YOURS, _YOURS)
    return replace(
        machine,
        usd_hour=machine.usd_hour if usd is None else usd,
        watts=machine.watts if watts is None else watts,
        date=_YOURS,
        source=_YOURS,
    )


def _token_prices(given: object) -> tuple[TokenPrice, ...]:
    known = {one.model: one for one in prices.token_prices()}
    if given is None:
        return tuple(known.values())
    if not isinstance(given, Mapping):
        raise InputError("prices is an object.", 'Write "prices": {"openai/gpt-5.4-mini": [0.75, 4.5]}.')
    for model, pair in given.items():
        numbers = list(pair) if isinstance(pair, list | tuple) else []
        if len(numbers) != 2 or any(isinstance(n, bool) or not isinstance(n, int | float) for n in numbers):
            raise InputError(
                f"The price of {model} is two numbers.", "Write USD for a million tokens: [read, written]."
            )
        if any(not 0 <= number <= 1e6 for number in numbers):
            raise InputError(f"The price of {model} is {numbers}.", "Use 0 to 1,000,000 USD for a million tokens.")
        if not any(numbers) and not str(model).startswith(("openai/", "hosted/")):
            raise InputError(f"{model} runs on a machine that somebody pays.", "Give a price above 0, or none at all.")
        known[str(model)] = TokenPrice(str(model), float(numbers[0]), float(numbers[1]), _YOURS, _YOURS)
    return tuple(known.values())


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name) or ""
    if not isinstance(value, str):
        raise InputError(f"{name} is a text; it is {value!r}.", f'Write "{name}": "…".')
    return value


def _number(data: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"{name} is a number from {low:g} to {high:g}; it is {value!r}.", f"Correct {name}.")
    return float(value)
