"""A decoder's probabilities: the likelihoods of the answer words after the prompt, or a note that says why not."""

import pytest

from llmops.engines.decoder import prompt
from tests.support.decoder_runs import TASK, finished_run, load_model, request


@pytest.mark.parametrize("kind", ["llama", "gemma", "plain"])
def test_probabilities_are_those_of_the_answer_words_after_the_prompt(folders, kind):
    import torch

    model = load_model(folders[kind])
    asked = request()
    run = finished_run(model, asked)
    ids = prompt.build(asked, model._tokenizer, 512).ids
    scores = []
    for word in TASK.answers("en").values():
        score, known = 0.0, ids
        for token in model._tokenizer(word, add_special_tokens=False)["input_ids"]:
            with torch.inference_mode():
                row = model._model(input_ids=known, use_cache=False).logits[0, -1]
            score += float(torch.log_softmax(row.double(), -1)[token])
            known = torch.cat([known, torch.tensor([[token]])], dim=1)
        scores.append(score)
    expected = torch.softmax(torch.tensor(scores), 0).tolist()
    assert list(run.probabilities) == ["positive", "negative"]
    assert sum(run.probabilities.values()) == pytest.approx(1.0)
    assert list(run.probabilities.values()) == pytest.approx(expected, abs=1e-3)
    model.close()


def test_logits_that_are_no_numbers_give_no_probabilities(folders):
    import torch

    model = load_model(folders["llama"])
    with torch.no_grad():
        model._model.lm_head.weight[3] = float("nan")
    run = finished_run(model, request())
    model.close()
    assert run.probabilities is None
    assert any("not numbers" in note for note in run.notes)


def test_no_memory_for_the_likelihood_keeps_the_answer(model, monkeypatch):
    def full(*args, **kwargs):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr("llmops.engines.decoder.likelihood.label_probabilities", full)
    run = finished_run(model, request())
    assert run.text
    assert run.probabilities is None
    assert any("not enough memory" in note for note in run.notes)
