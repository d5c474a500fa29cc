"""/classify and /train before any model is loaded: what is too much, and whose encoders are meant."""

import pytest

from llmops.api.classification import classify_data
from llmops.api.context import ApiContext
from llmops.api.encoder_training import train_data
from llmops.core.request import Connection, Job
from llmops.core.settings import Settings, kept_folder
from llmops.public.quotas import Quotas
from llmops.runtime.pool import Pool


@pytest.fixture
def context(tmp_path):
    settings = Settings(tmp_path, max_answers=2, max_text_chars=10)
    pool = Pool(settings)
    yield ApiContext(pool, Quotas(settings))
    pool.close()


def test_more_texts_than_are_answered_at_once_are_refused(context):
    found = classify_data(context, ["a", "b", "c"], "medical", "embedded/encoder@fp32", {}, Job())
    assert (found["error"]["kind"], found["answers"]) == ("limit", [])
    assert "3 answers; 2 are" in found["error"]["message"]


def test_without_a_usable_text_no_model_is_asked(context):
    found = classify_data(context, ["", "a" * 11], "medical", "nobody/none@bf16", {}, Job())
    assert found["error"] is None
    assert ["empty" in found["answers"][0]["error"]["message"], found["answers"][1]["error"]["kind"]] == [True, "input"]


def test_a_name_is_taken_for_its_owner_only_and_told_before_the_training(context):
    for owner in ("", "v-1"):
        (kept_folder(context.settings.data_dir, owner) / f"of{owner}").mkdir(parents=True)
    visitor = Job(Connection(owner="v-1"))
    said = [
        train_data(context, "medical", "nobody/none", name, {"k": 1}, visitor)["error"]["kind"]
        for name in ("of", "ofv-1")
    ]
    assert said == ["not-found", "input"]


@pytest.mark.parametrize(("base", "name"), [(None, "x"), ("embedded/encoder", None), ("", "x")])
def test_a_training_without_a_base_or_a_name_is_none(context, base, name):
    assert train_data(context, "medical", base, name, {}, Job())["error"]["kind"] == "input"
