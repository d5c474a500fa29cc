"""The cache layer with room, against transformers' own, which copies everything at each token."""

import torch
from transformers.cache_utils import DynamicLayer

from llmops.engines.decoder.preallocated_cache import PreallocatedLayer


def states(tokens, seed):
    return torch.randn(3, 2, tokens, 4, generator=torch.Generator().manual_seed(seed))


def test_appending_and_cropping_give_what_the_librarys_own_layer_gives():
    prefix = states(5, 0)[:1].expand(3, -1, -1, -1)
    kept = prefix.clone()
    ours, theirs = PreallocatedLayer(prefix, prefix), DynamicLayer()
    theirs.update(prefix, prefix)
    for step, tokens in enumerate([7, 3, *[1] * 150]):
        new = states(tokens, step + 1)
        for one, other in zip(ours.update(new, -new), theirs.update(new, -new), strict=True):
            assert torch.equal(one, other)
        if step == 1:
            ours.crop(-3), theirs.crop(-3)
            assert torch.equal(ours.keys, theirs.keys)
        assert ours.get_seq_length() == theirs.get_seq_length()
    assert torch.equal(prefix, kept)  # what it began with is shared, so it is never written to
