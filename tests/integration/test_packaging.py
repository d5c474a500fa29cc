"""What `pip install .` installs: every file of the package and the command, and nothing else at the top."""

import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser

import pytest
from packaging.requirements import Requirement

from tests.support.serving import ROOT

_BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built of a copy, with the installed setuptools: nothing is downloaded, nothing stays in the working tree."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "requirements.txt", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "llmops", source / "llmops", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-c", _BUILD, str(target)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(target.glob("*.whl"))) as file:
        yield file


def test_every_file_of_the_package_is_in_the_wheel_and_no_other(wheel):
    files = {path for path in (ROOT / "llmops").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    ours = {path.relative_to(ROOT).as_posix() for path in files}
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == ours


def test_the_wheel_brings_the_command_and_asks_for_what_the_requirements_ask_for(wheel):
    def read(name):
        return wheel.read(next(path for path in wheel.namelist() if path.endswith(f".dist-info/{name}"))).decode()

    assert "llmops = llmops.__main__:main" in read("entry_points.txt")
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    asked = {str(Requirement(line)) for line in lines if line and not line.startswith("#")}
    assert {str(Requirement(line)) for line in Parser().parsestr(read("METADATA")).get_all("Requires-Dist")} == asked
