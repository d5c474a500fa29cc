"""Rehearses a Hugging Face Space on this machine: `python -m tests.space`, with `--python` of another environment.

Starts the app as the platform does (its variables, 2 cores, 16 GB, a home that can't be written, port 7860, no keys),
opens the page, runs one comparison on it and one through the API, and prints start-up time, peak memory and a verdict.
The memory limit is a cgroup's where one can be made here; else the peak is sampled and compared.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from gradio_client import Client

from tests.support import browsing
from tests.support.serving import ROOT, free_port, wait_until_up

GIB = 2**30
MEMORY_BYTES = 16 * GIB
START_LIMIT_S = 30 * 60  # the platform's, where the README's head says nothing else
TEXT = "All requirements for the wheelchair are met."
CANDIDATES = ("embedded/encoder@fp32?method=few-shot", "embedded/decoder@bf16", "embedded/decoder@nf4")
_CGROUPS = (  # (folder, limit's file, peak's file): version 2, then 1
    (Path("/sys/fs/cgroup"), "memory.max", "memory.peak"),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.max_usage_in_bytes"),
)


@dataclass
class Space:
    """A running one. peak_bytes is final after the end; how says what limited and measured it."""

    address: str
    start_s: float
    how: str
    peak_bytes: int = 0
    log: Path = field(default_factory=Path)


def variables(home: Path, temporary: Path, port: int) -> dict[str, str]:
    """What the platform sets on CPU basic; of ours only that there is no hub."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    told = {"SYSTEM": "spaces", "SPACE_ID": "someone/llm-ops", "SPACE_AUTHOR_NAME": "someone", "CPU_CORES": "2"}
    told |= {"SPACE_REPO_NAME": "llm-ops", "SPACE_TITLE": "llm-ops", "ACCELERATOR": "none", "MEMORY": "16Gi"}
    gradio = {"GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SERVER_PORT": str(port), "GRADIO_SSR_MODE": "True"}
    return {**kept, **told, **gradio, "HOME": str(home), "TMPDIR": str(temporary), "HF_HUB_OFFLINE": "1"}


@contextmanager
def running(folder: Path, python: str = sys.executable, port: int | None = None, **more: str) -> Iterator[Space]:
    """The app on a Space. `more` are further variables, such as those of hf_oauth."""
    port = port or free_port()
    home, temporary = folder / "home", folder / "tmp"
    for place in (home, temporary):
        place.mkdir(parents=True, exist_ok=True)
    prefix, locked = _without_writing(home)
    log = folder / "log.txt"
    environment = {**variables(home, temporary, port), **more}
    group, limited = _memory_group()
    begun = time.perf_counter()
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*prefix, python, "app.py"], stdout=file, stderr=file, env=environment, cwd=ROOT, preexec_fn=_enter(group)
        )
        watch = _Watch(process, group)
        try:
            wait_until_up(f"http://127.0.0.1:{port}/", process)
            start_s = time.perf_counter() - begun
            made = Space(f"http://localhost:{port}/", start_s, f"{limited}; {locked}", log=log)
            yield made
            made.peak_bytes = watch.peak_bytes()
        finally:
            watch.end()
            process.terminate()
            process.wait(30)
            if group:
                with suppress(OSError):
                    group[0].rmdir()


def _without_writing(home: Path) -> tuple[list[str], str]:
    """(what stands before the command, how it was done): a home without the right to write; root needs a mount."""
    home.chmod(0o555)
    if os.geteuid() != 0:
        return [], "read-only home"
    unshare = shutil.which("unshare")
    if not unshare or subprocess.run([unshare, "-m", "true"], capture_output=True).returncode:
        return [], "home could not be made read-only (root without mounts)"
    return [unshare, "-m", "sh", "-c", f'mount -t tmpfs -o ro none "{home}" && exec "$@"', "sh"], "read-only home"


def _memory_group() -> tuple[tuple[Path, str] | None, str]:
    """((a cgroup with the limit, its peak's file) or None, in words)."""
    for folder, limit, peak in _CGROUPS:
        group = folder / f"llmops-space-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(MEMORY_BYTES))
            return (group, peak), "16 GiB by cgroup"
        except OSError:
            with suppress(OSError):
                group.rmdir()
    return None, "no cgroup could be made: memory is sampled"


def _enter(group: tuple[Path, str] | None) -> Any:
    def enter() -> None:
        cores = sorted(os.sched_getaffinity(0))[:2]
        os.sched_setaffinity(0, cores)
        if group:
            (group[0] / "cgroup.procs").write_text(str(os.getpid()))

    return enter


class _Watch:
    """Peak memory of a process and its children: the cgroup's own account, else resident sets, 5 samples a second."""

    def __init__(self, process: subprocess.Popen, group: tuple[Path, str] | None) -> None:
        self._group, self._peak, self._over = group, 0, threading.Event()
        self._thread = threading.Thread(target=self._sample, args=(process.pid,), daemon=True)
        self._thread.start()

    def _sample(self, pid: int) -> None:
        while not self._over.wait(0.2):
            with suppress(psutil.Error):
                first = psutil.Process(pid)
                self._peak = max(
                    self._peak, sum(process.memory_info().rss for process in (first, *first.children(True)))
                )

    def peak_bytes(self) -> int:
        if self._group:
            with suppress(OSError, ValueError):
                return int((self._group[0] / self._group[1]).read_text())
        return self._peak

    def end(self) -> None:
        self._over.set()
        self._thread.join()


def drive_page(browser: browsing.Browser, space: Space) -> str:
    """Open as a visitor and run what is selected at first paint; what the page says of the machine. Raises."""
    page = browsing.open_page(browser, space.address)
    machine = page.locator("#machine textarea, #machine input").input_value()
    columns = len(CANDIDATES)
    browsing.run(page, TEXT)
    browsing.wait_finished(page, columns)
    failed = page.locator(".lo-column:visible .lo-is-failed").count()
    if failed or page.errors:
        raise RuntimeError(f"{failed} columns failed; the page's errors: {page.errors}")
    page.context.close()
    return machine


def drive_api(space: Space) -> list[dict[str, Any]]:
    """One comparison through the API. Raises where a candidate failed."""
    client = Client(space.address, verbose=False)
    runs = client.predict(TEXT, "medical", list(CANDIDATES), {}, api_name="/compare")["runs"]
    failed = [run["error"] for run in runs if run["error"]]
    if failed:
        raise RuntimeError(f"failed through the API: {failed}")
    return runs


def trouble(log: str) -> list[str]:
    """Lines of a log that tell of an error; not those of an object that Python could not tidy away (asyncio's)."""
    log = re.sub(
        r"^Exception ignored in:.*\n(?:Traceback.*\n(?:[ ^].*\n)*)?(?:\w*Error.*\n)?", "", log, flags=re.MULTILINE
    )
    return re.findall(r"^(?:Traceback|\w*Error:).*", log, re.MULTILINE)


def main() -> int:
    """Print the rehearsal; 0 where a Space would serve."""
    parser = argparse.ArgumentParser(description="Rehearse a Hugging Face Space.")
    parser.add_argument("--python", default=sys.executable, help="another environment's, such as 3.12's")
    parser.add_argument("--port", type=int, default=7860)
    args = parser.parse_args()
    version = subprocess.run([args.python, "-V"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{version}, 2 cores, no hub, no keys, port {args.port}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        with running(Path(name), args.python, args.port) as space, browsing.chromium() as browser:
            print(f"limits        {space.how}")
            print(f"start-up      {space.start_s:.1f} s of {START_LIMIT_S} s, until the first page is served")
            begun = time.perf_counter()
            machine = drive_page(browser, space)
            print(f"page          {machine}")
            print(
                f"first click   {time.perf_counter() - begun:.1f} s from opening to {len(CANDIDATES)} finished columns"
            )
            for run in drive_api(space):
                warm, e2e = "warm" if run["warm"] else "cold", run["timing"]["e2e_s"]
                print(f"API           {run['candidate']}: {run['label']}, {e2e:.3f} s, {warm}")
            said = space.log.read_text(errors="replace")
        errors = trouble(said)
        print(f"peak memory   {space.peak_bytes / 1e9:.2f} GB of {MEMORY_BYTES / 1e9:.1f} GB")
        good = space.start_s < START_LIMIT_S and space.peak_bytes < MEMORY_BYTES and not errors
        print(f"verdict       {'a Space would serve' if good else f'not ready: {errors[:3]}'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
