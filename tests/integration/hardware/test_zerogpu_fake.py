"""A ZeroGPU Space with the real `spaces` package; the device API and CUDA are fakes (tests/support/fake_zerogpu.py)."""

import os
import signal
import subprocess
import sys

import pytest
from gradio_client import Client

from tests.support.fake_zerogpu import FakeDeviceApi
from tests.support.serving import ROOT, free_port, wait_until_up

TEXT = "All requirements for the wheelchair are met."


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    """(address, device API) of the app on a ZeroGPU Space."""
    folder, port = tmp_path_factory.mktemp("zerogpu"), free_port()
    with FakeDeviceApi() as api, (folder / "log.txt").open("wb") as log:
        told = {"SYSTEM": "spaces", "SPACE_ID": "someone/llm-ops", "LLMOPS_DATA": str(folder / "data")}
        places = {"HOME": str(folder), "ZEROGPU_OFFLOAD_DIR": str(folder / "tensors")}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fake_zerogpu", "app.py", "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, **told, **places, **api.environment()},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            wait_until_up(f"http://127.0.0.1:{port}/", process)
            yield f"http://127.0.0.1:{port}/", api
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # its lent children too
            process.wait(20)


def compare(address, *candidates, headers=None):
    client = Client(address, verbose=False, headers=headers)
    return client.predict(TEXT, "medical", list(candidates), {}, api_name="/compare")["runs"]


def test_fake_zerogpu_a_decoder_runs_in_a_lent_child_and_streams_home(space):
    address, api = space
    assert api.said("/startup-report"), "the package must find a function to lend for, or the platform stops the Space"
    placed, read = compare(address, "embedded/decoder@bf16", "embedded/decoder@fp32")
    assert placed["error"] is None and read["error"] is None
    assert placed["label"] == read["label"] == "positive"
    assert placed["warm"] and not read["warm"], "the preset's model is placed before launch, the other one read"
    assert placed["timing"]["ttft_s"] < placed["timing"]["e2e_s"] and placed["memory"]["weights_bytes"] > 9_000_000
    assert read["timing"]["load_s"] > 0 and read["timing"]["queue_s"] > 0
    assert any("ZeroGPU" in note for note in placed["notes"])
    assert len(api.said("/schedule")) == len(api.said("/release")) == 2
    assert all(call["fail"] == "false" for call in api.said("/release"))


def test_fake_zerogpu_the_visitors_own_quota_pays(space):
    address, api = space
    compare(address, "embedded/decoder@bf16", headers={"x-ip-token": "a.e30.c"})
    assert api.said("/schedule")[-1]["token"] == "a.e30.c"


def test_fake_zerogpu_an_evaluation_asks_many_texts_of_one_lent_gpu(space):
    address, api = space
    before = len(api.said("/schedule"))
    texts = [{"text": text, "label": "positive", "language": "en"} for text in (TEXT, "We support it.", "All is met.")]
    client = Client(address, verbose=False)
    answer = client.predict("medical", ["embedded/decoder@bf16"], {"texts": texts}, api_name="/evaluate")
    assert answer["error"] is None, answer["error"]
    (metrics,) = answer["metrics"]
    assert metrics["accuracy"] == 1.0
    assert 1 <= len(api.said("/schedule")) - before <= 3


def test_fake_zerogpu_encoders_need_no_gpu_and_an_empty_quota_fails_one_column_with_a_remedy(space):
    address, api = space
    before = len(api.said("/schedule"))
    api.quota_left = 0
    encoder, decoder = compare(address, "embedded/encoder@fp32", "embedded/decoder@bf16")
    assert encoder["error"] is None and encoder["label"] == "positive"
    assert decoder["error"]["kind"] == "gpu" and "Sign in" in decoder["error"]["remedy"]
    assert len(api.said("/schedule")) == before + 1
