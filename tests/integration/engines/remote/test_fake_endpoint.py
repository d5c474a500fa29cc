"""What a remote endpoint can do wrong, told apart and told in words. The endpoint is a fake one at the HTTP edge."""

import logging
import threading

import pytest

from llmops.compare.comparison import Comparison, run_all
from llmops.core.errors import InputError, LlmopsError
from llmops.core.events import Failed, Finished, Token, Waiting
from llmops.core.request import Connection, Generation
from llmops.core.run_settings import RunSettings
from llmops.core.settings import load_settings
from llmops.data.builtin import load_builtin
from llmops.engines.remote.openai_engine import list_models
from tests.support.fake_endpoint import FakeEndpoint
from tests.support.pools import make_pool
from tests.support.serving import free_port

KEY = "canary-key-7f3a9c"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    # The hub client refuses every call in offline mode, one to an address on this machine too.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HF_TOKEN", "LLMOPS_HOSTED_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def _comparison(url, candidate="openai/m", **connection):
    given = Connection(openai_key=KEY, base_url=url, **{"timeout_s": 5.0, "retries": 2, **connection})
    options = RunSettings("en", Generation(max_new_tokens=20), given)
    return Comparison(make_pool(1), load_builtin("medical"), "The aid is needed.", [candidate], options)


def _run(url, **connection):
    return run_all(_comparison(url, **connection))[0]


def _events(url, **connection):
    comparison = _comparison(url, **connection)
    comparison.start()
    return comparison, [update.event for update in comparison.updates() if hasattr(update, "event")]


def test_fake_endpoint_streams_and_reports_its_own_token_counts():
    with FakeEndpoint("ok") as fake:
        run = _run(fake.url)
    assert (run.text, run.label, run.finish) == ("Positive: yes", "positive", "stop")
    assert (run.timing.prompt_tokens, run.timing.output_tokens) == (11, 3)
    assert run.source["tokens"] == "server-reported"
    assert run.memory.weights_bytes is None
    assert 0 < run.timing.ttft_s <= run.timing.e2e_s


def test_an_answer_that_a_fake_endpoint_sends_in_one_go_has_no_token_rate():
    with FakeEndpoint("ok") as fake:
        run = _run(fake.url)
    assert 0 < run.timing.ttft_s <= run.timing.e2e_s
    assert run.timing.output_tokens == 3
    assert run.timing.tpot_s is run.timing.decode_rate is run.timing.prefill_rate is None
    assert any("in one go" in note for note in run.notes)


def test_an_answer_that_a_fake_endpoint_sends_token_by_token_has_one():
    with FakeEndpoint("paced") as fake:
        run = _run(fake.url)
    assert 0.8 * fake.pace_s < run.timing.tpot_s < 10 * fake.pace_s
    assert run.timing.prefill_rate > 0
    assert not any("in one go" in note for note in run.notes)


def test_thinking_that_a_fake_endpoint_counts_but_does_not_send_makes_no_token_rate_too_good():
    with FakeEndpoint("thinking") as fake:
        run = _run(fake.url)
    assert (run.timing.output_tokens, run.timing.unseen_tokens) == (43, 40)
    assert run.timing.ttft_s > 0.3
    assert run.timing.tpot_s == pytest.approx((run.timing.e2e_s - run.timing.ttft_s) / 2)
    assert run.timing.tpot_s > 0.015
    assert run.timing.prefill_rate is None
    assert any("40 thinking tokens" in note for note in run.notes)
    assert any("cut off at 20 new tokens" in note for note in run.notes)


def test_no_byte_reaches_an_address_elsewhere_where_nothing_may_leave(monkeypatch):
    monkeypatch.setattr("llmops.engines.remote.endpoint.is_loopback", lambda url: False)
    with FakeEndpoint("ok") as fake:
        run = _run(fake.url, local_only=True)
    assert run.error.kind == "privacy"
    assert fake.requests == []


def test_fake_endpoint_with_logprobs_gives_label_probabilities():
    with FakeEndpoint("logprobs") as fake:
        run = _run(fake.url)
    assert run.probabilities["positive"] > 0.9
    assert abs(sum(run.probabilities.values()) - 1) < 1e-9


def test_fake_endpoint_that_refuses_parameters_is_asked_again_without_them():
    with FakeEndpoint("picky") as fake:
        run = _run(fake.url)
        sent = fake.requests[-1]
    assert run.label == "positive"
    assert "max_tokens" not in sent
    assert sent["max_completion_tokens"] == 20
    assert "temperature" not in sent
    assert any("temperature" in note for note in run.notes)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ("401", "configuration", "refused the key"),
        ("403", "configuration", "may not use"),
        ("404", "endpoint", "knows no “m”"),
        ("402", "endpoint", "no credit"),
        ("429", "endpoint", "Too many requests"),
        ("500", "endpoint", "failed (500)"),
        ("html_500", "endpoint", "failed (500)"),
        ("html", "endpoint", "not as an OpenAI-compatible server"),
        ("half", "endpoint", "broke off"),
        ("cut", "endpoint", "broke off"),
        ("error_inside", "endpoint", "CUDA out of memory"),
    ],
)
def test_fake_endpoint_failures_say_what_happened_and_what_would_help(answer, kind, said):
    with FakeEndpoint(answer) as fake:
        run = _run(fake.url)
    assert run.error.kind == kind
    assert said in run.error.message
    assert run.error.remedy
    assert "<script" not in run.error.message


def test_fake_endpoint_that_breaks_off_leaves_the_text_that_was_there():
    with FakeEndpoint("cut") as fake:
        assert _run(fake.url).text == "Posi"


def test_fake_endpoint_that_is_busy_is_tried_again_and_the_wait_is_shown_and_in_no_figure():
    with FakeEndpoint("429", "500", "ok") as fake:
        _, events = _events(fake.url)
    waits = [event for event in events if isinstance(event, Waiting)]
    assert [wait.seconds for wait in waits] == [0.2, 0.2]
    finished = next(event for event in events if isinstance(event, Finished))
    assert finished.run.label == "positive"
    assert finished.run.timing.e2e_s < 0.2


def test_a_dead_endpoint_is_said_to_be_dead():
    run = _run(f"http://127.0.0.1:{free_port()}/v1", retries=0)
    assert "can't be reached" in run.error.message


def test_fake_endpoint_that_never_answers_times_out():
    with FakeEndpoint("hang") as fake:
        run = _run(fake.url, timeout_s=0.5, retries=0)
    assert "did not answer in time" in run.error.message


@pytest.mark.parametrize("script", ["slow", "hang"])
def test_stop_really_closes_the_stream_of_a_fake_endpoint(script):
    with FakeEndpoint(script) as fake:
        comparison = _comparison(fake.url, timeout_s=30)
        comparison.start()
        if script == "hang":
            assert fake.asked.wait(60)
            comparison.stop()
        for update in comparison.updates():
            last = getattr(update, "event", None)
            if isinstance(last, Token):
                comparison.stop()
        assert fake.disconnected.wait(20)  # either script would go on for 30 s
    if script == "slow":
        assert last.run.finish == "stopped"
        assert last.run.text
    else:
        assert isinstance(last, Failed)
        assert last.error.kind == "stopped"


def test_stop_while_waiting_to_try_again():
    with FakeEndpoint("500") as fake:
        comparison = _comparison(fake.url, retries=50)
        comparison.start()
        threading.Timer(0.6, comparison.stop).start()
        last = [update.event for update in comparison.updates() if hasattr(update, "event")][-1]
    assert last.error.kind == "stopped"


@pytest.mark.parametrize("answer", ["ok", "401", "500", "error_inside", "html"])
def test_the_key_is_in_no_event_and_no_log(answer, caplog):
    caplog.set_level(logging.DEBUG, logger="llmops")
    with FakeEndpoint(answer) as fake:
        comparison, events = _events(fake.url, retries=1)
        assert fake.headers[0]["authorization"] == f"Bearer {KEY}"
    assert KEY not in repr(events)
    assert KEY not in caplog.text
    assert KEY not in repr(comparison.options)
    assert KEY not in str([event.run.to_json() for event in events if isinstance(event, Finished | Failed)])


def test_the_owners_key_never_goes_to_an_address_a_visitor_typed(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with FakeEndpoint("ok") as fake:
        given = RunSettings("en", connection=Connection(base_url=fake.url))
        run_all(Comparison(make_pool(1), load_builtin("medical"), "x", ["openai/m"], given))
        assert KEY not in str(fake.headers)


def test_the_environments_key_goes_to_the_environments_address(monkeypatch):
    with FakeEndpoint("ok") as fake:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", fake.url)
        run_all(Comparison(make_pool(1), load_builtin("medical"), "x", ["openai/m"], RunSettings("en")))
        assert fake.headers[0]["authorization"] == f"Bearer {KEY}"


def test_without_key_and_address_the_column_says_what_to_set():
    run = run_all(Comparison(make_pool(1), load_builtin("medical"), "x", ["openai/m"], RunSettings("en")))[0]
    assert run.error.kind == "configuration"
    assert "OPENAI_API_KEY" in run.error.remedy


def test_a_hosted_model_without_token_says_so_and_a_url_is_no_model():
    candidates = ["hosted/org/model", "hosted/http://attacker.example/v1"]
    runs = run_all(Comparison(make_pool(1), load_builtin("medical"), "x", candidates, RunSettings("en")))
    assert "HF_TOKEN" in runs[0].error.remedy
    assert "no model id" in runs[1].error.message


def test_the_owners_token_never_goes_to_the_operators_other_endpoint(monkeypatch):
    with FakeEndpoint("ok") as fake:
        monkeypatch.setenv("HF_TOKEN", "hf_" + KEY)
        monkeypatch.setenv("LLMOPS_HOSTED_BASE_URL", fake.url)
        run = run_all(Comparison(make_pool(1), load_builtin("medical"), "x", ["hosted/org/m"], RunSettings("en")))[0]
        assert run.label == "positive"
        assert KEY not in str(fake.headers)


@pytest.mark.parametrize("answer", ["401", "402", "404", "429", "500", "cut", "error_inside"])
def test_fake_endpoint_failures_of_the_hosted_engine_say_what_happened(answer, monkeypatch):
    with FakeEndpoint(answer) as fake:
        monkeypatch.setenv("LLMOPS_HOSTED_BASE_URL", fake.url)
        given = RunSettings("en", connection=Connection(hf_token="hf_" + KEY, retries=0))
        run = run_all(Comparison(make_pool(1), load_builtin("medical"), "x", ["hosted/org/m"], given))[0]
    assert run.error.kind in ("endpoint", "configuration")
    assert run.error.remedy
    assert "offline" not in run.error.message
    assert fake.requests or fake.headers
    assert KEY not in str(run.to_json())


@pytest.mark.parametrize(
    "url", ["ftp://x/v1", "nonsense", "http://", "http://user:pass@host/v1", "http://host:port/v1", "http://h/v1?key=1"]
)
def test_an_address_that_is_none_is_refused_without_being_asked(url):
    run = _run(url)
    assert run.error.kind == "input"
    assert "pass" not in run.error.message


def test_fake_endpoint_lists_its_models_in_order():
    with FakeEndpoint("ok") as fake:
        assert list_models(Connection(base_url=fake.url), load_settings()) == ["a", "b"]
    with pytest.raises(LlmopsError, match="can't be reached"):
        list_models(Connection(base_url=f"http://127.0.0.1:{free_port()}/v1"), load_settings())
    with pytest.raises(InputError):
        list_models(Connection(base_url="nonsense"), load_settings())
