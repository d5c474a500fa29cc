"""Many labels over a large vocabulary: the same likelihoods as from whole logits, which never lie in memory at once."""

import random

import pytest

from llmops.core.candidate import parse_candidate
from llmops.core.errors import OutOfMemory
from llmops.engines.decoder import likelihood, memory_check, output_head, verdict_batch
from llmops.engines.decoder.answer_tokens import AnswerTokens
from llmops.engines.decoder.prefix_cache import PrefixCache

VOCABULARY, LABELS, ENDS = 152_064, 77, frozenset({7})


@pytest.fixture(scope="module")
def model():
    """Of a real model's vocabulary, and small otherwise."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=VOCABULARY, initializer_range=0.3, **sizes)
    return LlamaForCausalLM(config).eval().requires_grad_(False)


@pytest.fixture
def largest(model):
    """The largest number of bytes that the output layer gave at once."""
    seen = [0]
    hook = model.lm_head.register_forward_hook(lambda _m, _i, out: seen.append(out.numel() * out.element_size()))
    yield lambda: max(seen)
    hook.remove()


def prompts_and_words(count=3):
    rng = random.Random(1)
    prompts = [[1, 2, 3, 4, *(rng.randrange(VOCABULARY) for _ in range(5 + place))] for place in range(count)]
    ids = tuple(tuple(rng.randrange(8, VOCABULARY) for _ in range(1 + place % 4)) for place in range(LABELS))
    return prompts, ids


def by_whole_logits(model, prompt, word):
    import torch

    with torch.inference_mode():
        logits = model(torch.tensor([[*prompt, *word]])).logits[0, len(prompt) - 1 :].double()
    steps = torch.log_softmax(logits, dim=-1)
    return sum(float(steps[step, token]) for step, token in enumerate(word)), logits.argmax(dim=-1).tolist()


def greedy(model, prompt, count):
    ids = list(prompt)
    for _ in range(count):
        ids.append(by_whole_logits(model, ids, ())[1][0])
    return tuple(ids[len(prompt) :])


def test_77_labels_have_the_likelihoods_of_whole_logits_in_bounded_memory(model, largest):
    prompts, ids = prompts_and_words()
    said = greedy(model, prompts[1], 3)
    words = AnswerTokens(tuple(map(str, range(LABELS))), (*ids[:-1], said[:2]), frozenset({said[2]}))
    scores, proven = verdict_batch.score(model, PrefixCache(), prompts, words)
    read = largest()
    for prompt, row in zip(prompts, scores.tolist(), strict=True):
        for place in range(0, LABELS, 4):
            assert row[place] == pytest.approx(by_whole_logits(model, prompt, words.ids[place])[0], abs=1e-3)
    assert proven == [None, LABELS - 1, None]
    places = sum(map(len, words.ids)) * len(prompts)
    assert 0 < read <= output_head.LOGITS_BYTES < places * VOCABULARY * 4


def test_a_single_text_in_a_comparison_is_read_in_bounded_memory_too(model, largest):
    import torch

    prompts, ids = prompts_and_words(1)

    def tokenizer(word, **_options):
        return {"input_ids": list(ids[int(word)])}

    answers = {f"label {place}": str(place) for place in range(LABELS)}
    found = likelihood.label_probabilities(model, tokenizer, torch.tensor(prompts), answers)
    scores = torch.tensor([by_whole_logits(model, prompts[0], word)[0] for word in ids], dtype=torch.float64)
    assert list(found.values()) == pytest.approx(torch.softmax(scores, dim=0).tolist(), abs=1e-4)
    cache = model(torch.tensor(prompts), use_cache=True).past_key_values
    cached = likelihood.label_probabilities(model, tokenizer, torch.tensor(prompts), answers, cache)
    assert list(cached.values()) == pytest.approx(list(found.values()), abs=1e-4)
    assert largest() <= max(output_head.LOGITS_BYTES, 16 * VOCABULARY * 4)


def test_chunks_give_what_one_piece_gives(model, monkeypatch):
    prompts, ids = prompts_and_words()
    words = AnswerTokens(tuple(map(str, range(LABELS))), ids, ENDS)
    expected, _ = verdict_batch.score(model, PrefixCache(), prompts, words)
    for most in (1, 3 * VOCABULARY * 12, 10**12):
        monkeypatch.setattr(output_head, "LOGITS_BYTES", most)
        found, _ = verdict_batch.score(model, PrefixCache(), prompts, words)
        assert found.numpy() == pytest.approx(expected.numpy(), abs=1e-4)


@pytest.mark.parametrize("kind", ["gemma2", "granite", "cohere"])
def test_what_a_model_does_to_its_logits_is_found_out_and_done(kind):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    more = {"gemma2": {"final_logit_softcapping": 0.5, "head_dim": 16}, "granite": {"logits_scaling": 8.0}}
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, vocab_size=384, num_key_value_heads=2, **sizes, **more.get(kind, {}))
    odd = AutoModelForCausalLM.from_config(config).eval()
    head, ids = output_head.head_of(odd), torch.randint(10, 300, (1, 9))
    with torch.inference_mode():
        whole = torch.log_softmax(odd(ids).logits[0], dim=-1)
        found, best = head.read(head.states(9, input_ids=ids)[0], range(9), range(20, 29))
    assert found.tolist() == pytest.approx([float(whole[place, 20 + place]) for place in range(9)], abs=1e-4)
    assert best.tolist() == whole.argmax(dim=-1).tolist()
    assert head._after is not None


def test_a_model_whose_logits_are_something_else_is_read_by_its_own(model, monkeypatch):
    import torch

    monkeypatch.setattr(output_head, "_KNOWN", {})
    monkeypatch.setattr(output_head, "_FOUND", {})
    prompts, ids = prompts_and_words(1)
    words = AnswerTokens(("a", "b"), ids[:2], ENDS)
    found, _ = verdict_batch.score(model, PrefixCache(), prompts, words)
    expected = [by_whole_logits(model, prompts[0], word)[0] for word in words.ids]
    assert torch.allclose(found[0], torch.tensor(expected, dtype=torch.float64), atol=1e-3)


def test_the_memory_check_counts_labels_and_the_logits_that_lie_there_at_a_time(model, monkeypatch):
    candidate = parse_candidate("embedded/decoder@fp32")
    monkeypatch.setattr(memory_check, "device_memory", lambda _device: 1_000_000_000)
    few = memory_check.rows_that_fit(model.config, candidate, "cpu", 100, 10)
    many = memory_check.rows_that_fit(model.config, candidate, "cpu", 100, 400)
    assert few > many >= 1
    memory_check.check_verdict(model.config, candidate, "cpu", 100, 400)
    monkeypatch.setattr(memory_check, "device_memory", lambda _device: output_head.LOGITS_BYTES)
    assert memory_check.rows_that_fit(model.config, candidate, "cpu", 100, 400) == 1
    with pytest.raises(OutOfMemory, match="100 tokens and 400 of the labels take about"):
        memory_check.check_verdict(model.config, candidate, "cpu", 100, 400)
