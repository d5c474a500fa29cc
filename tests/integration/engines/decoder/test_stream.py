"""generate() watched from outside: stopped between tokens and within a prompt, left, broken; and text in pieces."""

import threading

import pytest

from llmops.core.errors import Stopped
from llmops.core.events import Token
from llmops.engines.decoder.stream import TextPieces
from tests.support.decoder_runs import finished_run, request


def test_stop_between_tokens_keeps_what_there_is(model):
    stop = threading.Event()
    seen = []
    for event in model.run(request(stop=stop, max_new_tokens=380)):
        seen.append(event)
        if isinstance(event, Token):  # the first: all 380 take a quarter of a second
            stop.set()
    run = seen[-1].run
    assert run.finish == "stopped"
    assert 0 < run.timing.output_tokens < 380
    assert run.text == "".join(event.text for event in seen if isinstance(event, Token))
    assert run.memory.kv_cache_bytes > 0
    assert run.probabilities is None
    assert "probabilities" not in run.source
    assert finished_run(model, request()).finish == "length"


def test_stop_while_the_prompt_is_read_leaves_at_the_next_layer(long_model):
    stop, passed = threading.Event(), []
    layers = long_model._model.model.layers
    hooks = [
        layer.register_forward_hook(lambda *_, number=number: passed.append(number))
        for number, layer in enumerate(layers)
    ]
    hooks.append(layers[4].register_forward_hook(lambda *_: stop.set()))
    try:
        with pytest.raises(Stopped):
            list(long_model.run(request("The chair is needed. " * 100, stop=stop, max_new_tokens=1)))
    finally:
        for hook in hooks:
            hook.remove()
    assert len(layers) == 16
    assert passed == [0, 1, 2, 3, 4]


def test_closing_the_generator_returns_when_generate_has_left_its_thread(long_model, monkeypatch):
    calls = []  # of generate(): the thread, and whether it has returned
    generate = long_model._model.generate

    def watched(*args, **kwargs):
        calls.append(call := {"thread": threading.current_thread(), "ended": False})
        try:
            return generate(*args, **kwargs)
        finally:
            call["ended"] = True

    monkeypatch.setattr(long_model._model, "generate", watched)
    events = long_model.run(request(max_new_tokens=4000))
    for _ in range(4):
        next(events)
    assert [call["ended"] for call in calls] == [False]
    events.close()
    assert [call["ended"] for call in calls] == [True]
    assert finished_run(long_model, request(max_new_tokens=2)).timing.output_tokens == 2
    left, following = (call["thread"] for call in calls)
    assert left is following is not threading.current_thread()  # it was free again, so no second one was begun


def test_an_error_in_the_thread_reaches_the_reader_and_the_next_run_works(model, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("boom")

    monkeypatch.setattr(model._model, "forward", broken)
    with pytest.raises(RuntimeError, match="boom"):
        list(model.run(request()))
    monkeypatch.undo()
    assert finished_run(model, request()).text


def test_pieces_never_break_a_character(model):

    text = "Größe 👩‍🦽 ist süß — € 🙂!"
    pieces = TextPieces(model._tokenizer)
    parts = [pieces.add([token]) for token in model._tokenizer(text, add_special_tokens=False)["input_ids"]]
    assert "".join(parts) + pieces.flush() == text
    assert not any("\ufffd" in part for part in parts)


def test_half_a_character_at_the_end_is_not_swallowed(model):

    pieces = TextPieces(model._tokenizer)
    tokens = model._tokenizer("a🦽", add_special_tokens=False)["input_ids"]
    assert len(tokens) >= 3
    assert "".join(pieces.add([token]) for token in tokens[:-1]) == "a"
    assert "\ufffd" in pieces.flush()
