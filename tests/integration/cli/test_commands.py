"""The command line: tables, the API's JSON, and what a wrong call is told."""

import json
import os
import subprocess
import sys

from llmops.embedded import DECODER_DIR
from tests.support.endpoints import TEXT, TIMING
from tests.support.serving import ROOT


def _cli(*arguments, stdin=None):
    command = [sys.executable, "-m", "llmops", "compare", *arguments]
    return subprocess.run(command, capture_output=True, text=True, input=stdin, cwd=ROOT, env=os.environ, timeout=300)


def test_the_command_line_prints_a_table():
    done = _cli(
        "--task", "medical", "--candidate", "embedded/decoder@bf16", "--candidate", "embedded/encoder@fp32", TEXT
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split()[:3] == ["candidate", "label", "p"]
    assert lines[1].startswith("embedded/decoder@bf16")
    assert lines[2].startswith("embedded/encoder@fp32")


def test_nothing_but_json_is_printed_while_an_int8_copy_is_made_and_an_encoder_trained(tmp_path):
    """The libraries draw progress bars; standard output belongs to the program that reads it."""
    command = [sys.executable, "-m", "llmops", "compare", "--json", "--candidate"]
    command += ["embedded/encoder@int8?method=setfit&k=2", TEXT]
    fresh = {**os.environ, "LLMOPS_DATA": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=fresh, timeout=300)
    assert json.loads(done.stdout)["runs"][0]["label"] in ("positive", "negative")
    assert list((tmp_path / "openvino").glob("*/model.xml"))


def test_the_command_line_prints_the_apis_json_and_reads_standard_input(served):
    candidate = f"openai/{DECODER_DIR}"
    done = _cli("--candidate", candidate, "--base-url", served, "--json", "-", stdin="Die Versorgung wird empfohlen.")
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)["runs"][0]
    assert run["candidate"] == candidate
    assert run["source"]["tokens"] == "server-reported"
    assert set(run["timing"]) >= TIMING
    assert run["text"].startswith(("Positiv:", "Negativ:"))


def test_a_wrong_call_says_what_to_do_and_ends_with_two():
    done = _cli("--task", "nothing", "--candidate", "embedded/decoder@bf16", TEXT)
    assert done.returncode == 2
    assert "medical, support" in done.stderr
    done = _cli("--candidate", "nobody/none@bf16", TEXT)
    assert done.returncode == 1
    assert "embedded model" in done.stdout


def test_the_commands_print_tables_and_json():
    def cli(*arguments):
        command = [sys.executable, "-m", "llmops", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ, timeout=300)

    model = ("--model", "HuggingFaceTB/SmolLM2-135M-Instruct")
    plan = cli("plan", "--model", "meta-llama/Llama-3.1-8B-Instruct", "--precision", "nf4", "--context", "8192")
    assert plan.returncode == 0
    assert all(name in plan.stdout for name in ("T4", "RTX 5090", "B200"))
    assert json.loads(cli("plan", *model, "--gpu", "l4", "--json").stdout)["gpus"][0]["name"] == "L4"
    wrong = cli("plan", *model, "--gpu", "L44")
    assert wrong.returncode == 1
    assert "L40S" in wrong.stderr
    dry = cli("dry-run", *model, "--layers", "2", "--prompt-tokens", "16", "--new-tokens", "4")
    assert dry.returncode == 0, dry.stderr
    assert "predicted" in dry.stdout
    load = cli("load", "--candidate", "embedded/decoder@bf16", "--levels", "1", "2", "--requests-each", "2")
    assert load.returncode == 0, load.stderr
    assert "2 users" in load.stdout
    context = cli("context", "--candidate", "embedded/decoder@bf16", "--lengths", "64", "--depths", "0", "1")
    assert context.returncode == 0, context.stderr
    assert "KV MB" in context.stdout
