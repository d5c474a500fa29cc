"""The README's head is what Hugging Face reads of a Space; and what the platform's variables become."""

import re

import pytest
import yaml

from llmops.catalog.presets import presets
from llmops.core import space
from tests.space import trouble
from tests.support.serving import ROOT

# The fields of the hub's Space reference (docs/hub/spaces-config-reference, 2026-11).
FIELDS = frozenset(
    re.findall(
        r"\w+",
        "title emoji colorFrom colorTo sdk sdk_version python_version app_file suggested_hardware models datasets tags "
        "short_description thumbnail header fullWidth pinned license hf_oauth hf_oauth_scopes startup_duration_timeout "
        "hf_oauth_expiration_minutes hf_oauth_authorized_org disable_embedding custom_headers preload_from_hub",
    )
)
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
ON_A_SPACE = {"SYSTEM": "spaces", "SPACE_ID": "someone/llm-ops"}


@pytest.fixture(scope="module")
def head():
    found = re.match(r"---\n(.*?)\n---\n", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found, "the README begins with a head between two lines of ---"
    return yaml.safe_load(found[1])


@pytest.fixture(scope="module")
def pins():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    found = (re.fullmatch(r"([\w-]+)(?:\[\w+\])?==(\S+)", line) for line in lines)
    return {pin[1]: pin[2] for pin in found if pin}


def test_the_head_has_only_fields_that_the_hub_knows_and_all_that_a_gradio_space_needs(head):
    assert set(head) <= FIELDS
    assert {"title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file"} <= set(head)
    assert {head["colorFrom"], head["colorTo"]} <= COLOURS
    assert len(head["short_description"]) <= 60
    assert head["license"] == "apache-2.0"


def test_the_head_names_the_gradio_and_the_python_that_the_app_is_tested_with(head, pins):
    assert head["sdk"] == "gradio" and head["sdk_version"] == pins["gradio"]
    assert head["python_version"] == "3.12.12", "a text, and one of the two that ZeroGPU has"
    assert (ROOT / head["app_file"]).is_file()
    assert re.fullmatch(r"\d+[smh]", head["startup_duration_timeout"])


def test_visitors_sign_in_for_gated_models_and_hosted_inference(head):
    assert head["hf_oauth"] is True
    assert set(head["hf_oauth_scopes"]) == {"inference-api", "gated-repos"}


def test_what_is_fetched_at_build_time_is_what_the_presets_of_a_space_open_with(head):
    opened = {text.partition("@")[0] for preset in presets() if preset.id in ("cpu", "zerogpu") for text in preset.hub}
    for line in head["preload_from_hub"]:
        repository, files = line.split(" ")
        assert repository in opened
        assert not [name for name in files.split(",") if not name.endswith((".json", ".safetensors"))]
    assert {model for model in head["models"] if model.startswith("Qwen/")} == {
        model for model in opened if "/" in model
    } - {
        "embedded/encoder",
        "embedded/decoder",
    }


def test_a_space_uses_as_many_threads_as_it_has_cores_and_a_cache_that_can_be_written(tmp_path):
    environment = {**ON_A_SPACE, "CPU_CORES": "2", "HF_HOME": "/proc/nowhere"}
    space.prepare(environment)
    assert environment["OMP_NUM_THREADS"] == "2"
    assert environment["HF_HOME"] != "/proc/nowhere"
    kept = {**ON_A_SPACE, "OMP_NUM_THREADS": "4", "HF_HOME": str(tmp_path)}
    space.prepare(kept)
    assert kept["OMP_NUM_THREADS"] == "4" and kept["HF_HOME"] == str(tmp_path)


def test_elsewhere_the_platforms_variables_mean_nothing():
    environment = {"CPU_CORES": "2", "MEMORY": "16Gi"}
    space.prepare(environment)
    assert environment == {"CPU_CORES": "2", "MEMORY": "16Gi"}
    assert space.memory_bytes(environment) is None


@pytest.mark.parametrize(("told", "known"), [("16Gi", 16 * 2**30), ("512Mi", 512 * 2**20), ("", None), ("lots", None)])
def test_the_memory_of_a_space_is_what_it_says(told, known):
    assert space.memory_bytes({**ON_A_SPACE, "MEMORY": told}) == known


def test_where_the_home_cant_be_written_data_goes_to_a_temporary_place(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", "/proc/nowhere")
    assert str(space.data_dir({})).endswith("llmops") and space.can_write(space.data_dir({}))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert space.data_dir({}) == tmp_path / ".local" / "share" / "llmops"
    assert str(space.data_dir({"LLMOPS_DATA": "/somewhere"})) == "/somewhere"


def test_the_rehearsal_reads_errors_out_of_a_log():
    ignored = (
        "Exception ignored in: <function f>\nTraceback (most recent call last):\n  File x\n    y\nValueError: -1\n"
    )
    assert trouble(ignored + "* Running\n") == []
    assert trouble(ignored + "Traceback (most recent call last):\n  File x\nKeyError: 1\n")
