"""What all tests share: no hub, no keys, no proxy for local addresses; their markers; real servers, started once."""

import json
import os
import shutil

# Before anything imports huggingface_hub or gradio.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"
for _name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HF_TOKEN", "LLMOPS_HOSTED_BASE_URL"):
    os.environ.pop(_name, None)

import pytest  # noqa: E402

from llmops.embedded import DECODER_DIR  # noqa: E402
from tests.support import needs  # noqa: E402
from tests.support.serving import app, transformers_serve  # noqa: E402


def pytest_ignore_collect(collection_path, config):
    """With `-m quick`, files of which no test is quick are not even imported: some import torch."""
    if config.option.markexpr != "quick" or needs.TESTS not in collection_path.parents:
        return None
    is_test = collection_path.is_file() and collection_path.name.startswith("test_")
    return True if is_test and needs.of_file(collection_path) else None


def pytest_itemcollected(item):
    """Markers come from what a test needs; only `slow` is written by hand."""
    marks = {mark.name for mark in item.iter_markers()}
    for name in needs.of_test(item.path, item.fixturenames, marks):
        item.add_marker(name)


@pytest.fixture(scope="session", autouse=True)
def data_dir(tmp_path_factory):
    """Where this session's app keeps things: never the user's own place."""
    folder = tmp_path_factory.mktemp("data")
    os.environ["LLMOPS_DATA"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """Base URL of a running `transformers serve` with the embedded decoder."""
    with transformers_serve(DECODER_DIR, tmp_path_factory.mktemp("serve") / "log.txt") as url:
        yield url


@pytest.fixture(scope="session")
def served_endless(tmp_path_factory):
    """The same weights but for a silenced end token: an answer is as long as allowed, long enough to time."""
    from safetensors.torch import load_file, save_file

    folder = tmp_path_factory.mktemp("endless") / "decoder"
    shutil.copytree(DECODER_DIR, folder)
    tensors = load_file(folder / "model.safetensors")
    end = json.loads((folder / "config.json").read_text())["eos_token_id"]
    tensors["model.embed_tokens.weight"][end] = 0  # the output layer is tied to it, so its logit is 0
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with transformers_serve(folder, folder.parent / "log.txt") as url:
        yield url, folder


@pytest.fixture(scope="session")
def running_app(tmp_path_factory):
    """Address of the running app."""
    folder = tmp_path_factory.mktemp("app")
    with app(folder / "data", folder / "log.txt") as url:
        yield url
