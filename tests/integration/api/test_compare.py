"""/candidates, /compare and /stream from a program, through gradio_client against the running app."""

import json
from itertools import pairwise

import pytest

from tests.support.endpoints import ENDPOINTS, MEMORY, TEXT, TIMING, compare


def test_a_stream_shows_text_before_the_run_has_ended_and_ends_with_what_compare_tells(client):
    asked = (TEXT, "medical", ["embedded/decoder@fp32", "nobody/none@bf16"], {})
    told = [update["columns"] for update in client.submit(*asked, api_name="/stream")]
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
    assert [parameter["parameter_name"] for parameter in named["/compare"]["parameters"]] == [
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
        settings={"long_texts": "cut"},
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
