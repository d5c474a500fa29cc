"""Prices, machines, currencies and grids as the catalogue has them: rows of prices.toml, and the GPUs by the hour."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from llmops.catalog.gpus import gpus
from llmops.catalog.rows import read_rows
from llmops.core.errors import InputError

Row = TypeVar("Row")


@dataclass(frozen=True)
class TokenPrice:
    """USD for a million tokens, read and written. model: the candidate's text without options."""

    model: str
    input_usd: float
    output_usd: float
    date: str
    source: str


@dataclass(frozen=True)
class Machine:
    """What an hour costs (USD, None where unknown) and what it draws at work. cores None: a GPU."""

    name: str
    usd_hour: float | None
    watts: float
    date: str
    source: str
    cores: int | None = None


@dataclass(frozen=True)
class Currency:
    """per_usd: what one US dollar is worth in it."""

    code: str
    sign: str
    per_usd: float
    date: str
    source: str


@dataclass(frozen=True)
class Grid:
    """Grams of CO2 equivalent a kilowatt-hour, of a year."""

    id: str
    name: str
    g_per_kwh: float
    year: int
    source: str


@dataclass(frozen=True)
class Endpoint:
    """What EcoLogits assumes of an endpoint: billions of parameters, lowest and highest, and its speed."""

    model: str
    active_b: tuple[float, float]
    total_b: tuple[float, float]
    source: str
    tokens_per_s: float | None = None
    ttft_s: float | None = None


@dataclass(frozen=True)
class Pue:
    """Power usage effectiveness of a provider's data centre, lowest and highest."""

    kind: str
    low: float
    high: float
    source: str


@cache
def token_prices() -> tuple[TokenPrice, ...]:
    """All prices by tokens."""
    return tuple(TokenPrice(**row) for row in read_rows("prices", "tokens"))


@cache
def machines() -> tuple[Machine, ...]:
    """CPU machines by size, then every GPU of the catalogue (a GPU's own power; its host's is not in it)."""
    cpus = [Machine(**row) for row in read_rows("prices", "machines")]
    cards = [Machine(gpu.name, gpu.usd_hour, gpu.tdp, "2026-11", f"gpus.toml: {gpu.source}") for gpu in gpus()]
    return (*cpus, *cards)


@cache
def currencies() -> tuple[Currency, ...]:
    """US dollar first."""
    return tuple(Currency(**row) for row in read_rows("prices", "currencies"))


@cache
def grids() -> tuple[Grid, ...]:
    """All grids."""
    return tuple(Grid(**row) for row in read_rows("prices", "grids"))


@cache
def endpoints() -> tuple[Endpoint, ...]:
    """Closed models whose size EcoLogits guesses."""
    rows = read_rows("endpoints", "endpoints")
    return tuple(
        Endpoint(**{**row, "active_b": tuple(row["active_b"]), "total_b": tuple(row["total_b"])}) for row in rows
    )


@cache
def pues() -> tuple[Pue, ...]:
    """A row a kind of endpoint."""
    return tuple(Pue(**row) for row in read_rows("endpoints", "pue"))


def find_machine(name: str) -> Machine:
    """A machine by name, in any case. Raises InputError that lists them."""
    return _named(machines(), name, "machine", lambda machine: machine.name)


def find_currency(code: str) -> Currency:
    """A currency by its code. Raises InputError that lists them."""
    return _named(currencies(), code, "currency", lambda currency: currency.code)


def find_grid(name: str) -> Grid:
    """A grid by its id, such as DE. Raises InputError that lists them."""
    return _named(grids(), name, "grid", lambda grid: grid.id)


def _named(rows: Sequence[Row], name: str, what: str, key: Callable[[Row], str]) -> Row:
    wanted = name.strip().casefold()
    for row in rows:
        if key(row).casefold() == wanted:
            return row
    raise InputError(f"No {what} “{name[:60]}” is in the catalogue.", f"Known: {', '.join(key(row) for row in rows)}.")
