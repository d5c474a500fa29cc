"""Embedding each text of a batch once gives the library's own loss and gradients."""

import pytest
import torch

from llmops.engines.encoder import body, files, pair_loss


def test_loss_and_gradients_are_the_librarys():
    from sentence_transformers.losses import CosineSimilarityLoss

    model = body.load_body(files.embedded_folder(), "embedded/encoder").eval()  # no dropout: its noise would differ
    one = ["A chair.", "Not needed at all, says the report.", "A chair.", "Why?"]
    other = ["A chair.", "A chair.", "Why?", "Not needed at all, says the report."]
    labels, found = torch.tensor([1.0, 0.0, 0.0, 1.0]), []
    for made in (CosineSimilarityLoss, pair_loss.loss_class()):
        model.zero_grad()
        loss = made(model)([model.preprocess(one), model.preprocess(other)], labels)
        loss.backward()
        found.append((float(loss.detach()), next(model.parameters()).grad.clone()))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-4)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-5)
