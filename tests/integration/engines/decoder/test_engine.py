"""The local decoder engine with real (small, random) models: events, greedy tokens, times, seeds, full memory."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from llmops.core.errors import InputError, OutOfMemory
from llmops.core.events import Finished, Started, Token
from llmops.core.run import Source
from llmops.embedded import DECODER_DIR
from tests.support.decoder_runs import TASK, finished_run, load_model, request


def test_a_run_is_started_then_tokens_then_one_finished(model):
    events = list(model.run(request()))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    assert {type(event) for event in events[1:-1]} == {Token}
    stamps = [event.at_s for event in events]
    assert stamps == sorted(stamps)
    run = events[-1].run
    assert run.text == "".join(event.text for event in events[1:-1])
    assert run.finish == "length"
    assert run.timing.output_tokens == 24
    assert 0 < run.timing.ttft_s < run.timing.e2e_s
    assert set(run.source) == {"timing", "tokens", "memory", "probabilities"}
    assert set(run.source.values()) == {Source.CLIENT}


def test_temperature_zero_gives_the_tokens_of_plain_greedy_generate(model):
    import torch

    run = finished_run(model, request())
    made = model._tokenizer.apply_chat_template(
        TASK.messages("The chair is needed.", "en"), add_generation_prompt=True, return_tensors="pt"
    )
    with torch.inference_mode():
        expected = model._model.generate(**made, max_new_tokens=24, do_sample=False)
    assert run.timing.prompt_tokens == made["input_ids"].shape[1]
    new = expected[0, made["input_ids"].shape[1] :]
    assert run.text == model._tokenizer.decode(new, skip_special_tokens=True)


def test_token_times_agree_with_an_independent_clock_within_5_percent(model):
    stamps = []
    hook = model._model.register_forward_hook(lambda *_: stamps.append(time.perf_counter()))
    try:
        with closing(model.run(request(max_new_tokens=200))) as events:
            next(events)
            handed_s = time.perf_counter()
            run = None
            for event in events:
                run = event.run if isinstance(event, Finished) else run
    finally:
        hook.remove()
    stamps = stamps[: run.timing.output_tokens]  # the likelihood's own pass comes after
    assert len(stamps) == 200
    assert run.timing.tpot_s == pytest.approx((stamps[-1] - stamps[0]) / 199, rel=0.05)
    assert run.timing.e2e_s == pytest.approx(stamps[-1] - handed_s, rel=0.05)


def test_a_slow_reader_is_in_no_figure(model, monkeypatch):
    generate, ended = model._model.generate, threading.Event()

    def watched(*args, **kwargs):
        try:
            return generate(*args, **kwargs)
        finally:
            ended.set()

    monkeypatch.setattr(model._model, "generate", watched)
    with closing(model.run(request())) as events:
        next(events)
        handed_s = time.perf_counter()
        next(events)
        assert ended.wait(60)  # all tokens are made, and only one is read
        took_s = time.perf_counter() - handed_s
        time.sleep(0.1)
        run = list(events)[-1].run
    assert run.timing.output_tokens == 24
    assert run.timing.e2e_s <= took_s


def test_an_end_token_ends_the_run_and_is_counted(folders):
    import torch

    model = load_model(folders["ends"])
    with torch.no_grad():  # whatever it reads, it ends
        model._model.lm_head.weight.zero_()
        model._model.lm_head.weight[model._tokenizer.eos_token_id] = 1.0
        model._model.model.norm.weight.abs_()
    end, hidden = model._tokenizer.eos_token_id, model._model.model.norm.register_forward_hook(lambda m, a, o: o.abs())
    run = finished_run(model, request())
    hidden.remove()
    model.close()
    assert end is not None
    assert (run.finish, run.timing.output_tokens, run.text) == ("stop", 1, "")
    assert run.unparsed
    assert run.timing.tpot_s is None


def test_a_seed_repeats_and_leaves_everybody_elses_dice_alone(model):
    import torch

    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, again, other = (finished_run(model, request(temperature=1.5, seed=seed)).text for seed in (1, 1, 2))
    assert first == again != other
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("settings", [{"max_new_tokens": 0}, {"temperature": -1.0}, {"temperature": float("nan")}])
def test_settings_that_make_no_sense_are_refused(model, settings):
    with pytest.raises(InputError):
        list(model.run(request(**settings)))


def test_memory_that_runs_out_in_the_middle_is_said_with_a_remedy(model, monkeypatch):
    def full(*args, **kwargs):
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(model._model, "forward", full)
    with pytest.raises(OutOfMemory) as caught:
        list(model.run(request()))
    assert "2.00 GiB" in caught.value.message
    assert "max new tokens" in caught.value.remedy
    monkeypatch.undo()
    assert finished_run(model, request()).text


def test_a_cache_that_would_not_fit_is_refused_before_the_run(model, monkeypatch):
    monkeypatch.setattr("llmops.engines.decoder.memory_check.device_memory", lambda device: 10_000)
    with pytest.raises(OutOfMemory, match="are free on cpu"):
        list(model.run(request()))


def test_decoders_that_are_loaded_at_once_have_all_their_weights():
    barrier = threading.Barrier(4)

    def load(precision):
        barrier.wait()
        return load_model(DECODER_DIR, precision)

    with ThreadPoolExecutor(4) as threads:
        loaded = list(threads.map(load, ["fp32", "bf16", "fp16", "nf4"]))
    assert all(finished_run(model, request()).label for model in loaded)
