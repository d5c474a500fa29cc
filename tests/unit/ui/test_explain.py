"""Explanations, GPU generations and the cloud question: whole in both languages, and only what the runs say."""

from dataclasses import replace

import pytest

from llmops.catalog.gpus import gpus
from llmops.core.run import Memory, Run, RunError, Timing
from llmops.decision import cloud
from llmops.decision.assumptions import assume
from llmops.history.evaluations import LabelledAnswer
from llmops.ui import cloud as cloud_panel
from llmops.ui import explain, generations

LOCAL = Run("embedded/decoder@nf4", timing=Timing(ttft_s=0.1, e2e_s=0.5, prompt_tokens=40, output_tokens=10))
API = replace(LOCAL, candidate="openai/gpt-5.4-mini", sent_to="api.openai.com")
BROKEN = Run("openai/gpt-5.4-mini", error=RunError("endpoint", "It is down."))


@pytest.mark.parametrize("name", ["terms", "cloud"])
def test_every_word_is_there_in_both_languages(name):
    for entry in explain.words(name).values():
        assert all(part["en"].strip() and part["de"].strip() for part in entry.values())


def test_a_term_opens_by_itself_without_script_and_says_the_short_part_at_once():
    html = explain.terms("ttft")
    assert html.count("<details>") == html.count("<summary>") == 1
    assert "time to first token" in html.partition("</summary>")[0]


def test_what_no_run_says_stays_empty():
    assert cloud.from_runs([], assume({}, "")) == {}
    assert cloud.from_evaluation(1, []) == {}
    assert cloud_panel.sides({}).count("No figure from a run yet.") == len(cloud.SIDES) == 9


def test_each_side_says_what_the_runs_show_and_no_more():
    said = cloud.from_runs([LOCAL, API, BROKEN], assume({}, "CPU, 2 cores"))
    assert said["privacy"] == [
        "embedded/decoder@nf4 kept the text on this machine.",
        "openai/gpt-5.4-mini sent the text to api.openai.com.",
    ]
    assert said["availability"] == ["openai/gpt-5.4-mini did not answer."]
    assert said["latency"][0] == "embedded/decoder@nf4, here: first token after 100 ms, all after 500 ms."
    assert "elsewhere" in said["latency"][1]
    assert any("USD" in sentence and sentence.startswith("openai/gpt-5.4-mini") for sentence in said["cost"])
    assert "closed weights" in said["politics"][1]
    assert "stability" not in said
    unknown = cloud.from_runs([Run("nobody/none@bf16", memory=Memory())], assume({}, ""))
    assert set(unknown) == {"privacy"}


def test_verdicts_that_change_when_asked_again_are_counted():
    rows = [
        LabelledAnswer("a/b@fp32", place, repeat, "t", "en", "x", "y" if place and repeat else "x", False, False, "")
        for place in (0, 1)
        for repeat in (0, 1)
    ]
    said = cloud.from_evaluation(7, rows)
    assert said["stability"] == ["Evaluation 7, a/b@fp32: 1 of 2 verdicts changed when asked again."]
    assert said["availability"] == ["Evaluation 7, a/b@fp32: 0 of 4 answers failed."]


def test_the_picture_of_gpus_and_its_table_hold_the_same_figures():
    picture, table = generations.picture(), generations.figures()
    for gpu in gpus():
        assert f"<title>{gpu.name}: {gpu.gb:g} GB of memory" in picture
        assert f">{gpu.name}</th>" in table
    assert picture.count("<path") == len(gpus()) + len({gpu.arch for gpu in gpus()})
