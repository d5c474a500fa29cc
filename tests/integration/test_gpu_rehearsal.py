"""The GPU rehearsal runs to its end on a CPU too; what it promises of a GPU is not held to there."""

import os
import subprocess
import sys
import tomllib

import pytest

from tests.gpu.rows import Row, write


def test_the_rehearsal_runs_on_a_cpu_and_every_figure_it_holds_to_holds(tmp_path):
    command = [sys.executable, "-m", "tests.gpu", "--device", "cpu", "--out", str(tmp_path), "bf16", "nf4", "dry runs"]
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LLMOPS_DATA": str(tmp_path)})
    assert result.returncode == 0, result.stdout + result.stderr
    rows = tomllib.loads((tmp_path / "measured.toml").read_text())["rows"]
    assert {row["step"] for row in rows} == {"bf16", "nf4", "dry bf16", "dry nf4"}
    assert all(row.get("holds", True) for row in rows)


@pytest.mark.parametrize(("figure", "at_least", "holds"), [(1, True, True), (0.9, True, False), (1.1, False, False)])
def test_a_row_holds_or_not(tmp_path, figure, at_least, holds):
    row = Row("step", "what", figure, "x", 1.0, at_least)
    assert row.holds is holds
    assert ("DOES NOT HOLD" in str(row)) is not holds
    write(tmp_path / "rows.toml", [row, Row("step", "told", 2.0, "x")], {"hardware": 'a "GPU"'})
    kept = tomllib.loads((tmp_path / "rows.toml").read_text())
    assert kept["hardware"] == 'a "GPU"'
    assert [each.get("holds") for each in kept["rows"]] == [holds, None]
