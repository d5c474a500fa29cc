"""The command line: tables, the API's JSON, and what a wrong call is told."""

import json
import os
import subprocess
import sys
from functools import partial

import pytest

from llmops.embedded import DECODER_DIR
from tests.support.commands import run_command
from tests.support.endpoints import TEXT, TIMING
from tests.support.needs import TESTS
from tests.support.serving import ROOT

CASES = TESTS / "cases"
SMALL = ("--model", "HuggingFaceTB/SmolLM2-135M-Instruct")


@pytest.fixture
def command(capfd, monkeypatch):
    return partial(run_command, capfd, monkeypatch)


def test_a_comparison_is_a_table(command):
    done = command("compare", "--candidate", "embedded/decoder@bf16", "--candidate", "embedded/encoder@fp32", TEXT)
    assert done.code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split()[:3] == ["candidate", "label", "p"]
    assert lines[1].startswith("embedded/decoder@bf16")
    assert lines[2].startswith("embedded/encoder@fp32")


def test_nothing_but_json_is_printed_while_an_int8_copy_is_made_and_an_encoder_trained(tmp_path):
    """In a process of its own: libraries draw progress bars, and standard output belongs to who reads it."""
    command = [sys.executable, "-m", "llmops", "compare", "--json", "--task", "medical", "--candidate"]
    command += ["embedded/encoder@int8?method=setfit&k=1", TEXT]
    fresh = {**os.environ, "LLMOPS_DATA": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=fresh, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["runs"][0]["label"] in ("positive", "negative")
    assert list((tmp_path / "openvino").glob("*/model.xml"))


def test_a_comparison_prints_the_apis_json_and_reads_standard_input(command, served):
    candidate = f"openai/{DECODER_DIR}"
    asked = ("--candidate", candidate, "--base-url", served, "--json", "-")
    done = command("compare", *asked, stdin="Die Versorgung wird empfohlen.")
    assert done.code == 0, done.stderr
    run = json.loads(done.stdout)["runs"][0]
    assert run["candidate"] == candidate
    assert run["source"]["tokens"] == "server-reported"
    assert set(run["timing"]) >= TIMING
    assert run["text"].startswith(("Positiv:", "Negativ:"))


def test_a_wrong_call_says_what_to_do_and_ends_with_two(command):
    done = command("compare", "--task", "nothing", "--candidate", "embedded/decoder@bf16", TEXT)
    assert done.code == 2
    assert "medical, support" in done.stderr
    done = command("compare", "--candidate", "nobody/none@bf16", TEXT)
    assert done.code == 1
    assert "embedded model" in done.stdout


def test_a_plan_is_a_table_of_gpus_or_json(command):
    plan = command("plan", "--model", "meta-llama/Llama-3.1-8B-Instruct", "--precision", "nf4", "--context", "8192")
    assert plan.code == 0
    assert all(name in plan.stdout for name in ("T4", "RTX 5090", "B200"))
    assert json.loads(command("plan", *SMALL, "--gpu", "l4", "--json").stdout)["gpus"][0]["name"] == "L4"
    wrong = command("plan", *SMALL, "--gpu", "L44")
    assert wrong.code == 1
    assert "L40S" in wrong.stderr


def test_a_dry_run_and_the_probes_are_tables(command):
    dry = command("dry-run", *SMALL, "--layers", "2", "--prompt-tokens", "16", "--new-tokens", "4")
    assert dry.code == 0, dry.stderr
    assert "predicted" in dry.stdout
    load = command("load", "--candidate", "embedded/decoder@bf16", "--levels", "1", "2", "--requests-each", "2")
    assert load.code == 0, load.stderr
    assert "2 users" in load.stdout
    context = command("context", "--candidate", "embedded/decoder@bf16", "--lengths", "64", "--depths", "0", "1")
    assert context.code == 0, context.stderr
    assert "KV MB" in context.stdout


def test_a_labelled_file_becomes_a_task_that_every_command_takes(command, tmp_path):
    out = str(tmp_path / "anliegen.toml")
    done = command("task", "init", str(CASES / "anliegen.csv"), out, "--json")
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout) == {
        "texts": 16,
        "labels": {"Lieferung": 4, "Rechnung": 4, "Kündigung": 4, "Lob": 4},
        "languages": {"de": 16},
        "splits": {"test": 8, "pool": 8},
        "skipped": [],
        "notes": [],
    }
    again = command("task", "init", str(CASES / "anliegen.csv"), out)
    assert (again.code, "is there already" in again.stderr) == (2, True)
    encoder = ("--candidate", "embedded/encoder@fp32?k=4", "--json")
    compared = command("compare", "--task", out, *encoder, "Wo bleibt mein Paket?")
    assert json.loads(compared.stdout)["runs"][0]["label"] in ("Lieferung", "Rechnung", "Kündigung", "Lob")
    evaluated = command("evaluate", "--task", out, *encoder)
    assert evaluated.code == 0, evaluated.stderr
    assert json.loads(evaluated.stdout)["metrics"][0]["texts"] == 8


def test_skipped_rows_are_told_with_row_column_and_reason(command, tmp_path):
    done = command("task", "init", str(CASES / "three_problems.csv"), str(tmp_path / "t.toml"), "--json")
    data = json.loads(done.stdout)
    assert data["texts"] == 497
    assert [(each["row"], each["column"]) for each in data["skipped"]] == [(101, "text"), (201, "text"), (301, "text")]


def test_an_evaluation_fails_under_a_limit_and_says_by_how_much(command, tmp_path):
    arguments = ("evaluate", "--data", str(CASES / "label_case.csv"), "--candidate", "embedded/encoder@fp32?k=4")
    assert command(*arguments, "--fail-under", "accuracy=0").code == 0
    data = ("evaluate", "--data", str(CASES / "ints.csv"), "--word", "1=negative", "--word", "0=positive")
    junit = tmp_path / "junit.xml"
    limit = ("--fail-under", "macro_f1=1", "--junit", str(junit))
    done = command(*data, "--candidate", "embedded/encoder@fp32?k=4", *limit)
    assert '<failure message="macro_f1 is 0.' in junit.read_text()
    assert done.code == 1
    assert "is under the limit: macro_f1" in done.stderr
    for wrong in ("macro_f1", "speed=1", "accuracy=2", "accuracy=x"):
        assert command(*arguments, "--fail-under", wrong).code == 2


def test_a_candidate_that_always_fails_is_told_once_and_the_exit_says_so(command):
    done = command(
        "evaluate", "--data", str(CASES / "four.csv"), "--candidate", "openai/x", "--base-url", "http://127.0.0.1:9/v1"
    )
    assert done.code == 1
    assert done.stderr.count("can't be reached") == 1
    assert "on 4 texts" in done.stderr
    assert "better" not in done.stdout
