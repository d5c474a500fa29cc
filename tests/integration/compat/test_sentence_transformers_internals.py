"""sentence-transformers: its transformer dropped, and its cosine loss without embedding a text twice."""

import pytest
import torch

from llmops.compat import sentence_transformers_internals
from llmops.engines.encoder import body, files

ONE = ["A chair.", "Not needed at all, says the report.", "A chair.", "Why?"]
OTHER = ["A chair.", "A chair.", "Why?", "Not needed at all, says the report."]


@pytest.fixture
def model():
    return body.load_body(files.embedded_folder(), "embedded/encoder").eval()  # no dropout: its noise would differ


def test_loss_and_gradients_are_the_librarys_with_each_text_embedded_once(model):
    from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss

    labels, found, rows = torch.tensor([1.0, 0.0, 0.0, 1.0]), [], []
    model[0].register_forward_pre_hook(lambda _, given: rows.append(len(given[0]["input_ids"])))
    for loss_class in (CosineSimilarityLoss, sentence_transformers_internals.once_each_loss()):
        model.zero_grad()
        rows.append(0)
        loss = loss_class(model)([model.preprocess(ONE), model.preprocess(OTHER)], labels)
        loss.backward()
        found.append((float(loss.detach()), next(model.parameters()).grad.clone()))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-4)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-5)
    assert rows == [0, 4, 4, 0, 3], "is once_each_loss still needed?"


def test_a_dropped_transformer_leaves_no_weights_and_its_tokenizer(model):
    assert type(model[0]).auto_model.fset is None, "drop_transformer is no longer needed: auto_model can be set"
    sentence_transformers_internals.drop_transformer(model)
    assert sum(parameter.numel() for parameter in model.parameters()) == 0
    assert model.preprocess(["A chair."])["input_ids"].shape[0] == 1


def test_what_the_modules_hand_on_is_still_of_a_modality(model):
    assert model.preprocess(["A chair."]).items() >= sentence_transformers_internals.TEXT.items()
