"""`python -m tests.benchmarks [names]`: measure, print, and write RESULTS.md. `--list` names rows and plots."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"

from tests.benchmarks import report
from tests.benchmarks.growth import GROWTH, Growth
from tests.benchmarks.measure import Row, run
from tests.benchmarks.rows import ROWS, page

_TOGETHER = {"few-shot": "setfit"}  # rows that share a slow baseline share a process
_LIMIT_S = 900


def main() -> int:
    """Measure what is named, or everything; 1 where a row failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help="rows or plots (plot-NAME); none: all")
    parser.add_argument("--tiny", action="store_true", help="once, at a tiny size: results are compared, times are not")
    parser.add_argument("--list", action="store_true", help="name what there is")
    parser.add_argument("--here", action="store_true", help="in this process (else each in a process of its own)")
    args = parser.parse_args()
    plots = {f"plot-{plot.name}": plot for plot in GROWTH}
    rows = {row.name: row for row in ROWS}
    if args.list:
        print("\n".join([*rows, *plots]))
        return 0
    unknown = [name for name in args.names if name not in rows and name not in plots]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; see --list")
    names = args.names or [*rows, *plots]
    with tempfile.TemporaryDirectory() as folder:
        # int8 and nf4 copies are made once for all rows: their processes get the folder of this one.
        os.environ["LLMOPS_DATA"] = os.environ.setdefault("LLMOPS_BENCHMARKS_DATA", folder)
        store = report.Store(Path(folder) if args.tiny else report.HERE)
        if args.tiny or args.here:
            with page.shared() if args.tiny else nullcontext():
                return max([_one(rows.get(name) or plots[name], store, args.tiny) for name in names])
        return max([_apart(group, store) for group in _groups(names)])


def _groups(names: list[str]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_TOGETHER.get(name, name), []).append(name)
    return list(groups.values())


def _apart(names: list[str], store: report.Store) -> int:
    """A fresh process, so that no row finds another's memory or threads."""
    command = [sys.executable, "-m", "tests.benchmarks", "--here", *names]
    try:
        return subprocess.run(command, cwd=report.HERE.parents[1], timeout=_LIMIT_S).returncode
    except subprocess.TimeoutExpired:
        for name in names:
            _failed(name, f"not done within {_LIMIT_S} s", store)
        return 1


def _one(what: Row | Growth, store: report.Store, tiny: bool) -> int:
    started = time.perf_counter()
    name = what.name if isinstance(what, Row) else f"plot-{what.name}"
    try:
        if isinstance(what, Row):
            entry = report.entry(run(what, tiny))
            store.keep("rows", what.name, entry)
            print(report.line(entry) if not tiny else f"{name}: {entry['said']}", flush=True)
        else:
            store.keep("growth", what.name, {"points": what.measure(tiny)})
            print(f"{name}: drawn in {time.perf_counter() - started:.0f} s", flush=True)
    except Exception as error:
        if tiny:
            raise
        _failed(name, f"{type(error).__name__}: {error}"[:300], store)
        return 1
    return 0


def _failed(name: str, why: str, store: report.Store) -> None:
    print(f"{name} failed: {why}", flush=True)
    if not name.startswith("plot-"):
        store.keep("rows", name, {"name": name, "failed": why.replace("|", "/").replace("\n", " ")})


if __name__ == "__main__":
    sys.exit(main())
