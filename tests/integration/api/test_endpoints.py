"""The same from a program: the named endpoints through gradio_client against the running app, and the command line."""

import base64
import json
import os
import subprocess
import sys
from itertools import pairwise

import pytest
from gradio_client import Client

from llmops.embedded import DECODER_DIR
from tests.support.serving import ROOT

TEXT = "All requirements for the wheelchair are met."
ENDPOINTS = {"/candidates", "/compare", "/plan", "/dry_run", "/load_probe", "/context_probe", "/evaluate", "/history"}
ENDPOINTS |= {"/stream", "/export", "/learning_curve", "/decide", "/cascade"}
TIMING = {"load_s", "queue_s", "ttft_s", "tpot_s", "e2e_s", "prompt_tokens", "output_tokens"}
MEMORY = {"weights_bytes", "kv_cache_bytes", "peak_bytes", "device"}


@pytest.fixture(scope="module")
def client(running_app):
    return Client(running_app, verbose=False)


def compare(client, *candidates, text=TEXT, task="medical", settings=None):
    return client.predict(text, task, list(candidates), settings or {}, api_name="/compare")["runs"]


def test_a_stream_shows_text_before_the_run_has_ended_and_ends_with_what_compare_tells(client):
    asked = (TEXT, "medical", ["embedded/decoder@fp32", "nobody/none@bf16"], {})
    told = [one["columns"] for one in client.submit(*asked, api_name="/stream")]
    texts = [columns[0]["text"] for columns in told]
    assert any(text and columns[0]["run"] is None for text, columns in zip(texts, told, strict=True))
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    done, failed = told[-1]
    assert done["status"] == "done" and done["run"]["text"] == done["text"] == texts[-1]
    assert failed["status"] == "failed" and failed["run"]["error"]["remedy"]
    (wrong,) = client.submit("", "medical", ["embedded/decoder@fp32"], {}, api_name="/stream")
    assert wrong["columns"][0]["run"]["error"]["kind"] == "input"


def test_the_api_names_its_endpoints_with_documented_parameters(client):
    named = client.view_api(return_format="dict")["named_endpoints"]
    assert set(named) == ENDPOINTS
    assert [one["parameter_name"] for one in named["/compare"]["parameters"]] == [
        "text",
        "task",
        "candidates",
        "settings",
    ]


def test_candidates_lists_what_can_be_selected_and_why_not(client):
    rows = {row["candidate"]: row for row in client.predict(api_name="/candidates")}
    assert rows["embedded/encoder@fp32"]["available"]
    assert rows["embedded/encoder@fp32"]["methods"] == ["zero-shot", "few-shot", "setfit"]
    assert rows["embedded/decoder@nf4"]["available"]
    assert rows["embedded/decoder@nf4"]["why_not"] == ""
    openai = next(row for name, row in rows.items() if name.startswith("openai/"))
    assert not openai["available"]
    assert "OPENAI_API_KEY" in openai["why_not"]
    hosted = next(row for name, row in rows.items() if name.startswith("hosted/"))
    assert "HF_TOKEN" in hosted["why_not"]
    assert "GB" in hosted["needs"]


def test_compare_answers_with_every_figure(client):
    encoder, decoder = compare(client, "embedded/encoder@fp32?method=few-shot", "embedded/decoder@bf16")
    for run in (encoder, decoder):
        assert run["error"] is None
        assert set(run["timing"]) >= TIMING
        assert set(run["memory"]) >= MEMORY
        assert run["label"] in ("positive", "negative")
        assert sum(run["probabilities"].values()) == pytest.approx(1.0)
        assert run["memory"]["weights_bytes"] > 0
        assert run["memory"]["device"] == "cpu"
        assert set(run["source"].values()) == {"client-measured"}
    assert encoder["candidate"] == "embedded/encoder@fp32?method=few-shot"
    assert encoder["timing"]["ttft_s"] is None
    assert decoder["text"].startswith(("Positive:", "Negative:"))
    assert all(decoder["timing"][name] is not None for name in TIMING)
    assert decoder["timing"]["e2e_s"] >= decoder["timing"]["ttft_s"] > 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Die Versorgung mit dem Rollstuhl wird empfohlen.", ("Positiv:", "Negativ:")),
        (TEXT, ("Positive:", "Negative:")),
    ],
)
def test_without_a_language_the_answer_is_in_the_texts_own(client, text, words):
    run = compare(client, "embedded/decoder@bf16", text=text)[0]
    assert run["text"].startswith(words)


def test_settings_may_be_an_object_or_its_text_or_left_out(client):
    for settings in ({"max_new_tokens": 3, "language": "en"}, '{"max_new_tokens": 3, "language": "en"}'):
        assert compare(client, "embedded/decoder@bf16", settings=settings)[0]["timing"]["output_tokens"] <= 3
    answered = client.predict(TEXT, "medical", ["embedded/decoder@bf16"], api_name="/compare")
    assert answered["runs"][0]["error"] is None


def test_the_support_task_has_five_probabilities(client):
    run = compare(client, "embedded/decoder@nf4", text="I was charged twice this month.", task="support")[0]
    assert len(run["probabilities"]) == 5


@pytest.mark.parametrize(
    ("candidates", "text", "task", "settings", "kind"),
    [
        (["embedded/decoder@bf16"], "", "medical", {}, "input"),
        (["embedded/decoder@bf16"], TEXT, "no-such-task", {}, "input"),
        (["embedded/decoder@bf16"], TEXT, "medical", {"max_new_tokens": 0}, "input"),
        (["embedded/decoder@bf16"], TEXT, "medical", {"nonsense": 1}, "input"),
        (["embedded/decoder@fp8"], TEXT, "medical", {}, "input"),
        (["nobody/no-such-model@bf16"], TEXT, "medical", {}, "not-found"),
        (["/no/such/folder@bf16"], TEXT, "medical", {}, "not-found"),
        (["openai/gpt-5.4-mini"], TEXT, "medical", {}, "configuration"),
        (["hosted/meta-llama/Llama-3.1-70B-Instruct"], TEXT, "medical", {}, "configuration"),
        (["embedded/decoder@bf16"], "needed " * 30_000, "medical", {}, "context"),
        (["embedded/encoder@fp32"], "needed " * 30_000, "medical", {}, "context"),
    ],
)
def test_what_is_wrong_is_the_columns_own_error_with_a_remedy(client, candidates, text, task, settings, kind):
    run = compare(client, *candidates, text=text, task=task, settings=settings)[0]
    assert run["candidate"] == candidates[0]
    assert run["error"]["kind"] == kind
    assert run["error"]["message"]
    assert run["error"]["remedy"]
    assert run["label"] is None


def test_one_bad_candidate_leaves_the_others_unharmed_and_in_order(client):
    names = ["embedded/decoder@nf4", "nobody/none@bf16", "", "embedded/encoder@fp32?method=zero-shot"]
    runs = compare(client, *names)
    assert [run["candidate"] for run in runs] == names
    assert [run["error"] is None for run in runs] == [True, False, False, True]


@pytest.mark.parametrize(
    "text", ["\x00\x07 x", "🦽🙂", "\u202eשלום", "<script>alert(1)</script>", "**a** [b](c) `d`", "a" * 3000]
)
def test_any_text_is_answered(client, text):
    for run in compare(
        client,
        "embedded/decoder@bf16",
        "embedded/encoder@fp32?method=zero-shot",
        text=text,
        settings={"truncate": True},
    ):
        assert run["error"] is None


@pytest.mark.parametrize("candidates", [[], "embedded/decoder@bf16", None])
def test_a_call_that_is_wrong_as_a_whole_says_so(client, candidates):
    answered = client.predict(TEXT, "medical", candidates, {}, api_name="/compare")
    assert answered["runs"] == []
    assert answered["error"]["kind"] == "input"
    assert answered["error"]["remedy"]


def test_a_key_given_in_settings_comes_back_nowhere(client, tmp_path):
    settings = {
        "openai_key": "sk-canary-1234567890",
        "base_url": "http://127.0.0.1:9/v1",
        "hf_token": "hf_canary1234567890",
    }
    runs = compare(client, "openai/m", "nobody/none@bf16", settings=settings)
    assert all(run["error"] for run in runs)
    assert "canary" not in json.dumps(runs)


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


def test_plan_answers_with_every_gpu(client):
    data = client.predict("meta-llama/Llama-3.1-8B-Instruct", "nf4", 8192, 4, 128, api_name="/plan")
    assert data["error"] is None
    assert {"weights_bytes", "kv_cache_bytes", "peak_bytes", "predicted", "gpus"} <= set(data)
    assert len(data["gpus"]) >= 15
    assert {"name", "fits", "max_requests", "max_context", "why_not", "remedy"} <= set(data["gpus"][0])


def test_dry_run_and_probes_answer_in_plain_data(client):
    data = client.predict("HuggingFaceTB/SmolLM2-135M-Instruct", "bf16", 3, 32, 4, api_name="/dry_run")
    assert data["error"] is None
    assert abs(data["gaps"]["weights_bytes"]) < 0.02
    settings = {"levels": [1, 2], "requests_each": 4, "max_new_tokens": 4}
    data = client.predict("medical", "embedded/decoder@bf16", settings, api_name="/load_probe")
    assert data["error"] is None
    assert [point["users"] for point in data["points"]] == [1, 2]
    settings = {"lengths": [64], "depths": [0, 1], "language": "en"}
    data = client.predict("medical", "embedded/decoder@bf16", settings, api_name="/context_probe")
    assert data["error"] is None
    assert len(data["cells"]) == 2


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("/plan", ("meta-llama/Llama-3.1-8B-Instruct", "nf4", 10**7, 1, 128), "131,072"),
        ("/plan", ("nobody/none", "nf4", 1024, 1, 128), "hub"),
        ("/plan", ("meta-llama/Llama-3.1-8B-Instruct", "nf5", 1024, 1, 128), "precision"),
        ("/plan", ("meta-llama/Llama-3.1-8B-Instruct", "nf4", 1024, 0, 128), "requests"),
        ("/dry_run", ("HuggingFaceTB/SmolLM2-135M-Instruct", "bf16", 99, 32, 4), "30 layers"),
        ("/load_probe", ("medical", "embedded/decoder@bf16", {"levels": "x"}), "levels"),
        ("/load_probe", ("medical", "embedded/decoder@bf16", {"nonsense": 1}), "nonsense"),
        ("/load_probe", ("nothing", "embedded/decoder@bf16", {}), "nothing"),
        ("/context_probe", ("medical", "embedded/decoder@bf16", {"lengths": [0]}), "lengths"),
        ("/context_probe", ("medical", "openai/m", {}), "OPENAI_API_KEY"),
    ],
)
def test_a_wrong_plan_or_probe_is_an_error_in_the_answer(client, name, arguments, says):
    error = client.predict(*arguments, api_name=name)["error"]
    assert says in f"{error['message']} {error['remedy']}"


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


def test_evaluate_and_history_answer_in_plain_data(client):
    settings = {"max_new_tokens": 24}
    names = ["embedded/encoder@fp32?method=zero-shot", "nobody/none@bf16"]
    data = client.predict("support", names, settings, api_name="/evaluate")
    assert data["error"] is None
    (one,) = data["metrics"]
    assert (one["candidate"], one["texts"]) == (names[0], 50)
    assert data["ended"][names[0]] is None
    assert data["ended"][names[1]]["kind"] == "not-found"
    number = data["evaluation"]["id"]
    kept = client.predict(None, api_name="/history")["evaluations"]
    assert number in [one["id"] for one in kept]
    assert client.predict(number, api_name="/history")["metrics"] == data["metrics"]
    assert "no evaluation" in client.predict(10**6, api_name="/history")["error"]["message"]
    assert client.predict("support", [], {}, api_name="/evaluate")["error"]["kind"] == "input"
    assert client.predict(number, number, api_name="/history")["side_by_side"]["candidates"][0]["agreement"] == 1.0
    file = client.predict(number, "csv", api_name="/export")
    assert file["name"] == f"evaluation-{number}.csv"
    lines = base64.b64decode(file["base64"]).decode("utf-8-sig").splitlines()
    assert len(lines) == 1 + sum(one["texts"] for one in data["metrics"])
    assert "no format" in client.predict(number, "exe", api_name="/export")["error"]["message"]
    report = client.predict(number, "html", "de", api_name="/export")
    assert "<h2>Zahlen</h2>" in base64.b64decode(report["base64"]).decode()
    assert "no language" in client.predict(number, "html", "fr", api_name="/export")["error"]["message"]


def test_texts_of_a_program_go_through_a_precision_ladder_and_a_learning_curve_is_kept(client):
    texts = [{"text": f"The {aid} is {word} needed.", "label": label, "language": "en"} for aid in ("lift", "bed")
             for word, label in (("", "positive"), ("not", "negative"))]  # fmt: skip
    settings = {"texts": [*texts, {"text": "No label."}], "ladder": "embedded/decoder"}
    data = client.predict("medical", [], settings, api_name="/evaluate")
    assert [one["candidate"] for one in data["metrics"]] == [
        f"embedded/decoder@{one}" for one in ("fp32", "bf16", "int8", "nf4")
    ]
    assert [rung["precision"] for rung in data["ladders"][0]["rungs"]] == ["fp32", "bf16", "int8", "nf4"]
    assert any("Row 5" in note for note in data["notes"])
    asked = {"ks": [1, 2], "seeds": [0, 1], "evaluation": data["evaluation"]["id"]}
    drawn = client.predict("medical", asked, api_name="/learning_curve")
    assert [(one["k"], one["seed"]) for one in drawn["curve"]["points"]] == [(1, 0), (1, 1), (2, 0), (2, 1)]
    assert set(drawn["parity"]) == {one["candidate"] for one in data["metrics"]}
    assert client.predict(api_name="/history")["curves"][0]["id"] == drawn["curve"]["id"]
    assert client.predict("medical", {"ks": [0]}, api_name="/learning_curve")["error"]["kind"] == "input"


def test_a_comparison_of_the_api_is_in_the_history(client):
    made = client.predict("Ja.", "medical", ["embedded/encoder@fp32?method=zero-shot"], {}, api_name="/compare")
    kept = client.predict(None, None, made["comparison"], api_name="/history")
    assert kept["runs"] == made["runs"]
    assert (kept["comparison"]["text"], kept["comparison"]["source"]) == ("Ja.", "api")


def test_nothing_leaves_the_machine_where_a_program_asks_for_that(client):
    settings = {"local_only": True, "openai_key": "sk-canary-1234567890"}
    remote, local = compare(client, "openai/gpt-5.4-mini", "embedded/decoder@bf16", settings=settings)
    assert remote["error"]["kind"] == "privacy"
    assert local["error"] is None


def test_decide_and_cascade_read_a_kept_evaluation_and_the_cascade_runs(client):
    texts = [
        {"text": f"The {aid} is {word} recommended for daily use.", "label": label, "language": "en"}
        for aid in ("lift", "bed", "ramp", "walker")
        for word, label in (("", "positive"), ("not", "negative"))
    ]
    first, second = "embedded/encoder@fp32", "embedded/decoder@bf16"
    made = client.predict("medical", [first, second], {"texts": texts}, api_name="/evaluate")
    number = made["evaluation"]["id"]
    board = client.predict(number, {"axis": "latency", "max_cost": 1000}, api_name="/decide")
    assert board["error"] is None
    assert board["decision"]["choice"] in (first, second)
    assert all(one["cost_per_1000"] > 0 for one in board["candidates"])
    found = client.predict(first, second, number, {"goal": "cost"}, api_name="/cascade")
    assert found["error"] is None
    (run,) = compare(client, found["candidate"])
    assert run["error"] is None
    assert run["stages"][0]["candidate"] == first
    assert "no evaluation" in client.predict(10**6, {}, api_name="/decide")["error"]["message"]
    assert client.predict(second, first, number, {}, api_name="/cascade")["error"]["remedy"]
