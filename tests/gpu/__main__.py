"""`python -m tests.gpu`: run the rehearsal, print a row a figure, keep them as measured.toml. 1 where one fails."""

import argparse
import os
import platform
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch

from tests.gpu import app_ways, dry_runs, faults, precisions
from tests.gpu.loaded import Trial
from tests.gpu.rows import Row, write

HERE = Path(__file__).parent
_LARGE, _MEDIUM, _SMALL = (
    "meta-llama/Llama-3.1-8B-Instruct",
    "Qwen/Qwen2.5-1.5B-Instruct",
    "HuggingFaceTB/SmolLM2-135M-Instruct",
)
_LARGE_BYTES = 40e9  # 8B in 16 bits and what is beside it


def main() -> int:
    """Run what is named, or everything."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu", description=__doc__)
    parser.add_argument("steps", nargs="*", help="engine, fp32, bf16, …, memory, columns, energy; none: all")
    parser.add_argument("--device", default="cuda:0" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--out", type=Path, help="folder for measured.toml; none: beside this file, for a GPU")
    parser.add_argument("--limit", type=float, default=540, help="seconds after which no step is begun")
    parser.add_argument("--no-compile", action="store_true", help="without torch.compile, which takes most of a minute")
    args = parser.parse_args()
    trial = replace(_trial(args.device), compiles=not args.no_compile)
    steps = _steps(trial)
    unknown = set(args.steps) - set(steps)
    if unknown:
        parser.error(f"there is no step {', '.join(sorted(unknown))}: {', '.join(steps)}")
    out = args.out or (HERE if trial.is_gpu else None)
    rows: list[Row] = []
    with TemporaryDirectory() as folder:
        os.environ.setdefault("LLMOPS_DATA", folder)
        started_s = time.perf_counter()
        for name in args.steps or steps:
            if time.perf_counter() - started_s > args.limit:
                print(f"{name}: left out, {args.limit:.0f} s are over", flush=True)
                continue
            rows += _ran(name, steps[name])
            if out is not None:
                write(out / "measured.toml", rows, _about(args.device))
    failed = [row for row in rows if row.holds is False]
    print(f"{len(rows)} figures, {len(failed)} that don't hold; {time.perf_counter() - started_s:.0f} s", flush=True)
    return 1 if failed else 0


def _ran(name: str, step: Callable[[], Iterator[Row]]) -> list[Row]:
    rows: list[Row] = []
    try:
        for row in step():
            print(row, flush=True)
            rows.append(row)
    except Exception as error:  # noqa: BLE001  told, and the next step is tried
        traceback.print_exc()
        rows.append(
            Row(name, "the step ran to its end", 0, "1 = yes", 1, True, f"{type(error).__name__}: {error}"[:300])
        )
        print(rows[-1], flush=True)
    return rows


def _steps(trial: Trial) -> dict[str, Callable[[], Iterator[Row]]]:
    return {
        "engine": partial(app_ways.engine_rows, trial),
        **{name: partial(precisions.precision_rows, trial, name) for name in ("bf16", "nf4", "int8", "fp16", "fp32")},
        "memory": partial(faults.fault_rows, trial),
        "columns": partial(app_ways.column_rows, trial),
        "dry runs": partial(dry_runs.dry_run_rows, trial),
        "energy": partial(app_ways.energy_rows, trial),
    }


def _trial(device: str) -> Trial:
    """Real shapes for a GPU, by its memory; two layers of a small one for a CPU."""
    if not device.startswith("cuda"):
        shapes = dict.fromkeys(app_ways.PRECISIONS, _SMALL)
        return Trial(device, shapes, layers=2, sentences=2, new_tokens=8, requests=4)
    large = torch.cuda.get_device_properties(device).total_memory > _LARGE_BYTES
    full = _LARGE if large else _MEDIUM
    shapes = {"fp32": _MEDIUM, "bf16": full, "fp16": full, "int8": _LARGE, "nf4": _LARGE}
    return Trial(device, shapes, layers=None, sentences=8, new_tokens=64, requests=32)


def _about(device: str) -> dict[str, str]:
    import bitsandbytes
    import transformers

    gpu = (
        torch.cuda.get_device_name(device) if device.startswith("cuda") else platform.processor() or platform.machine()
    )
    versions = (
        f"torch {torch.__version__}, transformers {transformers.__version__}, bitsandbytes {bitsandbytes.__version__}"
    )
    return {
        "hardware": gpu,
        "date": date.today().isoformat(),
        "python": platform.python_version(),
        "versions": versions,
    }


if __name__ == "__main__":
    raise SystemExit(main())
