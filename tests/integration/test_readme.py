"""README and CONTRIBUTING are true: each command runs, the settings are those that the code reads, files are there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from gradio_client import Client

from llmops.__main__ import main as command_line
from tests.support import documents
from tests.support.documents import CONTRIBUTING, README
from tests.support.needs import TESTS
from tests.support.serving import ROOT, app

OURS = ".venv/bin/python -m llmops "
DOCUMENTS = (README, CONTRIBUTING)

# Commands that a test of their own runs: what the command begins with → (file, test).
COVERED = {
    "tests/run": ("tests/run", "pytest"),  # it is what runs this
    "python3 -m venv": ("tests/integration/test_readme.py", "test_the_first_command_installs_and_starts"),
    "mkdir -p": ("tests/conftest.py", "def served"),
    "OPENAI_BASE_URL=": ("tests/integration/test_readme.py", "test_one_setting_points_the_app_at_an_engine"),
    ".venv/bin/python app.py --share": ("tests/integration/public/test_colab.py", "serves_behind_a_password"),
    ".venv/bin/python -m tests.benchmarks": ("tests/integration/test_benchmarks.py", "test_every_benchmark_runs"),
    ".venv/bin/python -m tests.space": ("tests/browser/test_space.py", "test_a_space_starts"),
    ".venv/bin/python -m tests.german": (
        "tests/integration/i18n/test_german.py",
        "test_no_text_on_the_page_lacks_german",
    ),
    ".venv/bin/python -m tests.accessibility": (
        "tests/browser/test_accessibility.py",
        "test_axe_finds_nothing_serious",
    ),
    ".venv/bin/python -m tests.visitors": ("tests/integration/public/test_public_page.py", "test_a_crowd_of_visitors"),
    ".venv/bin/python -m tests.canary": ("tests/integration/public/test_public_page.py", "test_no_key_is_found"),
}
# Commands that can't run here, and why.
ELSEWHERE = {
    "vllm serve": "needs several GPUs and an engine that is no part of this project",
    "ray start": "needs the other machine",
    "ollama ": "needs Ollama and a download",
    ".venv/bin/python -m tests.screenshots": "takes minutes; the browser tests drive the same pages",
    ".venv/bin/ruff": "CI runs it after the tests",
    ".venv/bin/python -m tests.audit": "asks a package index; CI runs it after the tests",
}


def beginning(command, table):
    return next((start for start in table if command.startswith(start)), None)


def test_every_command_is_run_here_or_by_a_test_that_exists_or_says_why_not():
    listed = [command for document in DOCUMENTS for command in documents.commands(document)]
    assert len(listed) > 20
    for command in listed:
        start = beginning(command, COVERED)
        if start:
            file, test = COVERED[start]
            assert test in (ROOT / file).read_text(encoding="utf-8"), command
        else:
            assert command.startswith(OURS) or beginning(command, ELSEWHERE), f"no test runs: {command}"
    for start in (*COVERED, *ELSEWHERE):
        assert any(command.startswith(start) for command in listed), f"no document has such a command any more: {start}"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder to run in, and data of its own."""
    folder = tmp_path_factory.mktemp("readme")
    patch = pytest.MonkeyPatch()
    patch.setenv("LLMOPS_DATA", str(folder / "data"))
    patch.chdir(folder)
    shutil.copy(TESTS / "cases" / "anliegen.csv", folder / "data.csv")
    yield folder
    patch.undo()


OURS_TO_RUN = [command for command in documents.commands() if command.startswith(OURS)]


@pytest.mark.parametrize("command", OURS_TO_RUN, ids=[command.split()[3] for command in OURS_TO_RUN])
def test_a_command_of_the_command_line_does_what_the_readme_shows(command, place, capsys):
    """In this process, so that the libraries are imported once for all of them."""
    if "other.sqlite" in command:
        shutil.copy(place / "data" / "history.sqlite", place / "other.sqlite")
    assert command_line(shlex.split(command.removeprefix(OURS))) == 0, capsys.readouterr().err
    assert capsys.readouterr().out.strip()


def test_the_first_command_installs_and_starts(running_app, tmp_path):
    """The environment that the tests run in is what pip makes of requirements.txt; the app is the one that runs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / ".venv")], check=True)
    install = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "-r", str(ROOT / "requirements.txt")]
    done = subprocess.run(install, capture_output=True, text=True)
    assert done.returncode == 0 and "Would install" not in done.stdout, done.stdout + done.stderr
    assert Client(running_app, verbose=False).predict(api_name="/candidates")


def test_one_setting_points_the_app_at_an_engine(served, tmp_path):
    """As for vLLM and Ollama, with `transformers serve` in their place."""
    command = next(line for line in documents.commands() if line.startswith("OPENAI_BASE_URL="))
    assert command.endswith(" .venv/bin/python app.py")
    with app(tmp_path / "data", tmp_path / "log.txt", OPENAI_BASE_URL=served) as address:
        client = Client(address, verbose=False)
        model = "openai/" + os.fspath(ROOT / "llmops" / "embedded" / "decoder")
        (run,) = client.predict("All met.", "medical", [model], {}, api_name="/compare")["runs"]
        assert run["error"] is None and run["label"] == "positive"


def test_the_settings_table_is_what_the_code_reads():
    told, read = documents.told_variables(), documents.read_variables()
    by_libraries = {"CUDA_VISIBLE_DEVICES", "GRADIO_SERVER_PORT", "HF_HUB_DISABLE_TELEMETRY"}
    assert read - told == set(), "read, but not in the README"
    assert told - read <= by_libraries, "in the README, but nobody reads it"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_links_and_anchors_lead_somewhere(document):
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (document.parent / target).exists(), target
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= slugs


def test_every_picture_is_shown_and_small():
    text = README.read_text(encoding="utf-8")
    for picture in Path(ROOT / "tests" / "pictures").glob("*.png"):
        assert picture.stat().st_size < 300_000, f"{picture.name} is larger than a README should load"
        assert f"tests/pictures/{picture.name}" in text, f"{picture.name} is shown nowhere"


def test_every_file_that_contributors_are_sent_to_exists():
    text = CONTRIBUTING.read_text(encoding="utf-8")
    named = {name for name in re.findall(r"`([\w./-]+/[\w./-]*)`", text) if "…" not in name and "NAME" not in name}
    places = (ROOT, ROOT / "llmops")
    assert len(named) > 40
    assert [name for name in sorted(named) if not any((place / name).exists() for place in places)] == []


def test_the_readme_is_short():
    assert README.read_text(encoding="utf-8").count("\n") < 300
