"""The benchmarks can't rot: each runs once at a tiny size, and its sides give the same results. No time is asserted."""

import os
import subprocess
import sys

from tests.support.serving import ROOT


def test_every_benchmark_runs_and_its_two_sides_agree(tmp_path):
    command = [sys.executable, "-m", "tests.benchmarks", "--tiny"]
    environment = {**os.environ, "LLMOPS_BENCHMARKS": str(tmp_path)}
    listed = subprocess.run([*command, "--list"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    told = [line.split(":")[0] for line in done.stdout.splitlines()]
    assert [name for name in listed if name not in told] == []
    assert len(listed) >= 25
