"""The remote engines against a real OpenAI-compatible server: `transformers serve` with the embedded decoder."""

import pytest

from llmops.compare.comparison import Comparison, run_all
from llmops.core.request import Connection, Generation
from llmops.core.run_settings import RunSettings
from llmops.data.builtin import load_builtin
from llmops.embedded import DECODER_DIR
from tests.support.pools import make_pool
from tests.support.serving import StampingProxy

TEXT = "All requirements for the wheelchair are met."


def _runs(url, *candidates, text=TEXT, tokens=40):
    options = RunSettings("en", Generation(max_new_tokens=tokens), Connection(base_url=url))
    return run_all(Comparison(make_pool(10**9), load_builtin("medical"), text, candidates, options))


def test_a_real_server_streams_with_its_own_token_counts(served):
    run = _runs(served, f"openai/{DECODER_DIR}")[0]
    assert run.error is None
    assert run.label in ("positive", "negative")
    assert run.finish == "stop"
    assert run.timing.prompt_tokens > 20
    assert run.timing.output_tokens > 3
    assert run.source["tokens"] == "server-reported"
    # A short answer of a quick model is sometimes sent in one go: then no rate is told, and why.
    assert run.timing.decode_rate or any("in one go" in note for note in run.notes)


def test_the_server_and_the_local_engine_give_the_same_answer(served):
    local, remote = _runs(served, "embedded/decoder@bf16", f"openai/{DECODER_DIR}")
    assert local.error is None
    assert remote.text == local.text
    assert remote.timing.prompt_tokens == local.timing.prompt_tokens


def test_times_agree_with_a_proxys_own_clock_within_five_percent(served_endless):
    url, folder = served_endless
    with StampingProxy(url) as proxy:
        _runs(proxy.url, f"openai/{folder}")  # the first call pays for loading
        best = 1.0
        for _ in range(5):  # the best of five: the machine is shared, a stall is nobody's measuring error
            run = _runs(proxy.url, f"openai/{folder}", tokens=96)[0]
            count = len(proxy.chunks_s)
            ours = run.timing.e2e_s - run.timing.ttft_s
            theirs = proxy.chunks_s[-1] - proxy.chunks_s[0]
            whole = proxy.chunks_s[-1] - proxy.request_s
            assert count > 50
            best = min(best, max(abs(ours - theirs) / theirs, abs(run.timing.e2e_s - whole) / whole))
    assert best < 0.05


def test_the_hosted_engine_speaks_to_a_real_server(served, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("LLMOPS_HOSTED_BASE_URL", served)
    run = _runs(None, f"hosted/{DECODER_DIR}")[0]
    assert run.error is None
    assert run.text
    assert run.source["tokens"] == "server-reported"


@pytest.mark.parametrize("text", ["🦽 שלום <script>alert(1)</script>", "**bold** [x](http://x) `code`", "a" * 3000])
def test_unusual_texts_pass_through(served, text):
    run = _runs(served, f"openai/{DECODER_DIR}", text=text, tokens=20)[0]
    assert run.error is None
