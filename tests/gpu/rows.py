"""What a step of the rehearsal found: one row a figure, printed as a table and kept as TOML."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """A figure beside what it must hold to; target None: told only. at_least: it may not be below the target."""

    step: str
    what: str
    figure: float
    unit: str
    target: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.figure >= self.target if self.at_least else self.figure <= self.target

    def __str__(self) -> str:
        limit = "" if self.target is None else f"{'≥' if self.at_least else '≤'} {self.target:g}"
        verdict = {None: "", True: "holds", False: "DOES NOT HOLD"}[self.holds]
        return (
            f"{self.step:<12} {self.what:<58} {self.figure:>12.4g} {self.unit:<9} {limit:<9} {verdict:<14} {self.note}"
        )


def gap(step: str, what: str, measured: float, predicted: float, target: float) -> Row:
    """How far a measured figure lies from the predicted one, as a share of it."""
    note = f"{measured:,.0f} measured, {predicted:,.0f} predicted"
    return Row(step, what, abs(measured - predicted) / predicted, "of it", target, note=note)


def write(path: Path, rows: Sequence[Row], about: dict[str, str]) -> None:
    """measured.toml: machine, date and versions, then the rows."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in about.items()]
    for row in rows:
        lines += ["", "[[rows]]", *(f"{name} = {json.dumps(value)}" for name, value in _told(row).items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _told(row: Row) -> dict[str, str | float | bool]:
    """Without what is not there: TOML has no null."""
    told = {**asdict(row), "figure": float(f"{row.figure:.6g}"), "holds": row.holds}
    if row.target is None:
        del told["at_least"]
    return {name: value for name, value in told.items() if value not in (None, "")}
