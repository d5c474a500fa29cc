"""What cost and energy rest on: prices, machines, currency, grid, utilisation; the catalogue's, with a visitor's edits.

Machines are guessed from the evaluation's hardware line; what can't be guessed is unknown until it is chosen.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import Field

from llmops.catalog import prices
from llmops.catalog.gpus import gpus
from llmops.catalog.prices import Currency, Grid, Machine, TokenPrice
from llmops.core.errors import InputError
from llmops.core.given import GivenSettings, Text

UTILISATION = 0.3  # office hours: about eight of twenty-four
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
        return next((price for price in self.tokens if price.model == model), None)


class AssumptionSettings(GivenSettings):
    """The catalogue's figures, edited: what is left out stays as the catalogue or the evaluation's machine has it."""

    prices: dict[str, Any] | None = Field(
        None,
        examples=[{"openai/gpt-5.4-mini": [0.75, 4.5]}],
        description="candidate: [USD for a million tokens read, written]",
    )
    cpu_machine: Text = Field(None, description="where CPU work would run; else as many cores as it ran on")
    gpu_machine: Text = Field(None, description="a GPU of the catalogue; else the one it ran on")
    cpu_usd_hour: float | None = Field(None, ge=0, le=1e6, description="USD for an hour of the CPU machine")
    gpu_usd_hour: float | None = Field(None, ge=0, le=1e6, description="USD for an hour of the GPU")
    cpu_watts: float | None = Field(None, ge=0, le=1e6, description="power of the CPU machine at work")
    gpu_watts: float | None = Field(None, ge=0, le=1e6, description="power of the GPU at work")
    currency: Text = Field(None, description="USD or EUR")
    per_usd: float | None = Field(None, ge=1e-6, le=1e6, description="what one US dollar is worth in it")
    grid: Text = Field(None, description="DE, FR, US …: grams of CO2 a kilowatt-hour")
    g_per_kwh: float | None = Field(None, ge=0, le=5000, description="your own grid's grams instead")
    utilisation: float | None = Field(
        None, ge=0.001, le=1, description=f"share of the hours a machine is at work, {UTILISATION} unless told"
    )
    together: bool = Field(False, description="requests come many at once: times of batches count")

    def assumptions(self, hardware: str) -> Assumptions:
        """The catalogue's figures for a hardware line (hardware.Hardware.describe), edited. Raises InputError."""
        cpu = prices.find_machine(self.cpu_machine) if self.cpu_machine else guess_cpu(hardware)
        gpu = prices.find_machine(self.gpu_machine) if self.gpu_machine else guess_gpu(hardware)
        currency = prices.find_currency(self.currency or prices.currencies()[0].code)
        grid = prices.find_grid(self.grid or prices.grids()[0].id)
        if self.per_usd is not None:
            currency = replace(currency, per_usd=self.per_usd, date=_YOURS, source=_YOURS)
        if self.g_per_kwh is not None:
            grid = replace(grid, name="your own", g_per_kwh=self.g_per_kwh, source=_YOURS)
        return Assumptions(
            tokens=_token_prices(self.prices or {}),
            cpu=_edited(cpu, "CPU", self.cpu_usd_hour, self.cpu_watts),
            gpu=_edited(gpu, "GPU", self.gpu_usd_hour, self.gpu_watts),
            currency=currency,
            grid=grid,
            utilisation=UTILISATION if self.utilisation is None else self.utilisation,
            together=self.together,
        )


def assume(given: str | Mapping[str, Any] | None, hardware: str) -> Assumptions:
    """The catalogue's figures for a hardware line, with edits as an object. Raises InputError."""
    return AssumptionSettings.read(given).assumptions(hardware)


def guess_cpu(hardware: str) -> Machine | None:
    """A machine with as many cores; beyond the catalogue's largest, that one scaled. None where no cores are told."""
    found = re.search(r"(\d+) cores?\b", hardware)
    cpus = [machine for machine in prices.machines() if machine.cores]
    if not found or not int(found[1]):
        return None
    cores = int(found[1])
    fitting = [machine for machine in cpus if machine.cores == cores]
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
    for gpu in sorted(gpus(), key=lambda spec: -len(spec.name)):
        parts = [rf"(?<![A-Za-z0-9]){re.escape(part)}(?![0-9A-FH-Za-z])" for part in gpu.name.split()]
        if all(re.search(part, hardware) for part in parts):
            return prices.find_machine(gpu.name)
    return None


def _edited(machine: Machine | None, name: str, usd: float | None, watts: float | None) -> Machine | None:
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


def _token_prices(edited: Mapping[str, Any]) -> tuple[TokenPrice, ...]:
    known = {price.model: price for price in prices.token_prices()}
    for model, pair in edited.items():
        numbers = list(pair) if isinstance(pair, list | tuple) else []
        if len(numbers) != 2 or any(isinstance(n, bool) or not isinstance(n, int | float) for n in numbers):
            raise InputError(
                f"The price of {model} is two numbers.", "Write USD for a million tokens: [read, written]."
            )
        if any(not 0 <= number <= 1e6 for number in numbers):
            raise InputError(f"The price of {model} is {numbers}.", "Use 0 to 1,000,000 USD for a million tokens.")
        if not any(numbers) and not model.startswith(("openai/", "hosted/")):
            raise InputError(f"{model} runs on a machine that somebody pays.", "Give a price above 0, or none at all.")
        known[model] = TokenPrice(model, float(numbers[0]), float(numbers[1]), _YOURS, _YOURS)
    return tuple(known.values())
