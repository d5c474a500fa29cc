"""Results on disk: figures as JSON, written as each row ends, and RESULTS.md with its plots made from them."""

import json
import os
import platform
import statistics
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.benchmarks.growth import GROWTH
from tests.benchmarks.measure import Result
from tests.benchmarks.powers import plot
from tests.benchmarks.rows import ROWS

HERE = Path(__file__).parent
_LIBRARIES = (
    "torch", "transformers", "bitsandbytes", "setfit", "sentence-transformers", "openvino", "nncf", "tokenizers",
    "gradio",
)  # fmt: skip


class Store:
    """results.json in a folder: one entry a row and a plot, replaced when it is measured again."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "results.json"
        self.folder = folder

    def read(self) -> dict[str, Any]:
        """All that was measured so far."""
        if not self._path.exists():
            return {"rows": {}, "growth": {}}
        return json.loads(self._path.read_text(encoding="utf-8"))

    def keep(self, kind: str, name: str, entry: Mapping[str, Any]) -> None:
        """Put one entry in its place and write the report anew."""
        data = self.read()
        data[kind][name] = {**entry, "where": _where()}
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.rename(self._path)
        (self.folder / "RESULTS.md").write_text(report(data, self.folder), encoding="utf-8")


def _where() -> dict[str, Any]:
    """The machine, its load just now, the day and the versions."""
    from datetime import UTC, datetime

    names = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    processor = names[0] if names else platform.machine()
    return {
        "machine": f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),
        "day": datetime.now(UTC).date().isoformat(),
        "versions": {name: version(name) for name in _LIBRARIES},
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def line(result: Mapping[str, Any]) -> str:
    """A row in one line, for the terminal."""
    if "failed" in result:
        return f"{result['name']:24} failed: {result['failed']}"
    ours, baseline = (statistics.median(result[side]) for side in ("ours", "baseline"))
    figures = f"{_short(ours)} against {_short(baseline)} {result['unit']}"
    holds = "holds" if result["holds"] else "DOES NOT HOLD"
    return f"{result['name']:24} {figures:38} {result['ratio']:8.2f} ×  target {result['target']:8} {holds}"


def report(data: Mapping[str, Any], folder: Path) -> str:
    """RESULTS.md; writes the plots beside it."""
    parts = [_HEAD, _table(data["rows"]), _hardware(data)]
    measured = [growth for growth in GROWTH if growth.name in data["growth"]]
    if measured:
        parts.append("## How cost grows\n")
        parts.append(
            "A straight line on logarithmic axes is a power; an exponent of 1 is linear. “At the end” is the exponent "
            "over the last three points, where fixed costs weigh least.\n"
        )
        (folder / "plots").mkdir(exist_ok=True)
    for growth in measured:
        curves = growth.curves([tuple(point) for point in data["growth"][growth.name]["points"]])
        drawn = plot(growth.what, (growth.axis, "seconds, MB"), curves)
        (folder / "plots" / f"{growth.name}.svg").write_text(drawn, encoding="utf-8")
        parts.append(f"### {growth.what}\n\n![{growth.what}](plots/{growth.name}.svg)\n")
        for curve in curves:
            exponent, end = curve.power()[0], curve.last_power()
            first, last = curve.points[0], curve.points[-1]
            parts.append(
                f"- {curve.name}: {first[1]:.3g} at {first[0]:,g}, {last[1]:.3g} at {last[0]:,g}; "
                f"exponent {exponent:.2f}, at the end {end:.2f}"
            )
        parts.append("")
    notes = HERE / "NOTES.md"
    if notes.exists():
        parts.append(notes.read_text(encoding="utf-8"))
    return "\n".join(parts)


_HEAD = """# Benchmark results

Made by `python -m tests.benchmarks`: both sides strictly alternated in one process, five times (learning: ten seeds).
Where a run is short, a time is the median of three or seven runs, alternated too. The ratio is that of the medians; the
span beside it is from pair to pair. A ratio counts only where both sides gave the same results; what was compared is in
the last column. Times are client-measured wall-clock.
"""


def _table(rows: Mapping[str, Any]) -> str:
    lines = [
        "| row | what | against | ours | baseline | ratio (span) | target | holds | results |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in ROWS:
        result = rows.get(row.name)
        if result is None:
            lines.append(f"| {row.name} | {row.what} | {row.against} | | | | | not measured | |")
        elif "failed" in result:
            lines.append(f"| {row.name} | {row.what} | {row.against} | | | | | no | {result['failed']} |")
        else:
            ours, baseline = (f"{_spread(result[side])} {result['unit']}" for side in ("ours", "baseline"))
            ratio = f"**{result['ratio']:.3g} ×** ({result['low']:.3g} to {result['high']:.3g})"
            holds = "yes" if result["holds"] else "**no**"
            cells = (row.what, row.against, ours, baseline, ratio, result["target"], holds)
            lines.append(f"| {row.name} | " + " | ".join(cells) + f" | {result['said']} |")
    return "\n".join(lines) + "\n"


def _spread(values: list[float]) -> str:
    """Median, and from lowest to highest."""
    return f"{_short(statistics.median(values))} ({_short(min(values))} to {_short(max(values))})"


def _short(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _hardware(data: Mapping[str, Any]) -> str:
    places = [entry["where"] for kind in ("rows", "growth") for entry in data[kind].values()]
    if not places:
        return ""
    machines = sorted({place["machine"] for place in places})
    versions = places[-1]["versions"]
    load = [place["load"] for place in places]
    days = sorted({place["day"] for place in places})
    return (
        f"Machine: {'; '.join(machines)}. Measured on {', '.join(days)}; load average at the end of a row "
        f"{min(load)} to {max(load)} (above the number of cores, others were at work beside it). "
        f"Versions: {', '.join(f'{name} {number}' for name, number in versions.items())}. "
        "No GPU was at hand: its rows are left out.\n"
    )


def entry(result: Result) -> dict[str, Any]:
    """A result for the store."""
    return result.to_json()
