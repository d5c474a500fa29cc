"""Caches: transformers' own layer copies everything at each token; ours has room, and copies share what was read."""

import pytest
import torch
from transformers import DynamicCache, Gemma2Config, LlamaConfig, cache_utils
from transformers.cache_utils import DynamicLayer

from llmops.compat import transformers_cache
from llmops.compat.transformers_cache import PreallocatedLayer


def states(tokens, seed, rows=3):
    return torch.randn(rows, 2, tokens, 4, generator=torch.Generator().manual_seed(seed))


def filled(tokens, rows=1, seed=0):
    """A cache of two layers."""
    cache = DynamicCache(config=LlamaConfig(num_hidden_layers=2))
    for layer in range(2):
        cache.update(states(tokens, seed + layer, rows), -states(tokens, seed + layer, rows), layer)
    return cache


def test_appending_and_cropping_give_what_the_librarys_own_layer_gives():
    prefix = states(5, 0)[:1].expand(3, -1, -1, -1)
    kept = prefix.clone()
    ours, theirs = PreallocatedLayer(prefix, prefix), DynamicLayer()
    theirs.update(prefix, prefix)
    for step, tokens in enumerate([7, 3, *[1] * 150]):
        new = states(tokens, step + 1)
        for own, library in zip(ours.update(new, -new), theirs.update(new, -new), strict=True):
            assert torch.equal(own, library)
        if step == 1:
            ours.crop(-3), theirs.crop(-3)
            assert torch.equal(ours.keys, theirs.keys)
        assert ours.get_seq_length() == theirs.get_seq_length()
    assert torch.equal(prefix, kept)  # what it began with is shared, so it is never written to


def places(layer):
    """Where the keys lie after each of five tokens."""
    return {layer.update(states(1, step), states(1, step))[0].data_ptr() for step in range(5)}


def test_the_librarys_own_layer_still_copies_everything_at_each_token_and_ours_does_not():
    ours, theirs = PreallocatedLayer(states(5, 0), states(5, 0)), DynamicLayer()
    theirs.update(states(5, 0), states(5, 0))
    held = [theirs.keys]
    moved = 0
    for step in range(5):
        held.append(theirs.update(states(1, step), states(1, step))[0])
        moved += held[-1].data_ptr() != held[-2].data_ptr()
    assert moved == 5, "PreallocatedLayer is no longer needed"
    assert len(places(ours)) == 1


def test_a_shared_copy_is_cropped_and_repeated_without_the_others_notice():
    cache = filled(6)
    before = [layer.keys.clone() for layer in cache.layers]
    copied = transformers_cache.shared_copy(cache)
    assert copied.layers[0].keys.data_ptr() == cache.layers[0].keys.data_ptr()
    transformers_cache.drop_last(copied, 2)
    copied.batch_repeat_interleave(3)
    copied.update(states(1, 9), states(1, 9), 0)
    assert copied.layers[0].keys.shape == (3, 2, 5, 4)
    assert all(torch.equal(layer.keys, kept) for layer, kept in zip(cache.layers, before, strict=True))


def test_cropping_still_wants_a_negative_number_and_none_is_no_tokens():
    cache = filled(6)
    with pytest.raises(ValueError, match="negative"):
        cache.crop(4)
        pytest.fail("drop_last is no longer needed: crop() takes a length again.")
    transformers_cache.drop_last(cache, 0)
    assert cache.get_seq_length() == 6
    transformers_cache.drop_last(cache, 2)
    assert cache.get_seq_length() == 4


def test_a_cache_for_several_rows_shares_what_was_read_and_grows_on_its_own():
    cache = filled(5)
    before = cache.layers[1].keys.clone()
    rows = transformers_cache.for_rows(cache, 3)
    assert rows.layers[1].keys.data_ptr() == cache.layers[1].keys.data_ptr()
    rows.update(states(2, 7), states(2, 7), 1)
    assert torch.equal(rows.layers[1].keys, torch.cat([before.expand(3, -1, -1, -1), states(2, 7)], dim=2))
    assert torch.equal(cache.layers[1].keys, before)


def test_joined_parts_have_their_common_beginning_at_the_left_and_the_rest_at_the_right():
    common, tokens = 2, 7
    two_rows, one_row = filled(common + 3, rows=2, seed=1), filled(common + 5, rows=1, seed=2)
    first, second = two_rows.layers[1].keys.clone(), one_row.layers[1].keys.clone()
    whole = transformers_cache.joined([([0, 2], 3, two_rows), ([1], 5, one_row)], common, tokens)
    keys = whole.layers[1].keys
    assert keys.shape == (3, 2, tokens, 4)
    assert torch.equal(keys[[0, 2], :, :common], first[:, :, :common])
    assert torch.equal(keys[[0, 2], :, tokens - 3 :], first[:, :, common:])
    assert torch.equal(keys[1], second[0])
    assert not keys[[0, 2], :, common : tokens - 3].any()
    assert torch.equal(whole.layers[1].values, -keys)


def test_a_cache_with_sliding_windows_is_not_plain():
    assert transformers_cache.is_plain(DynamicCache(config=LlamaConfig(num_hidden_layers=2)))
    assert not transformers_cache.is_plain(DynamicCache(config=Gemma2Config(num_hidden_layers=2)))
    assert not transformers_cache.is_plain(object())


def test_the_kinds_of_layers_that_can_be_counted_are_still_the_librarys_names():
    kinds = {name for name in dir(cache_utils) if name.endswith("Layer")}
    assert kinds >= transformers_cache.COUNTABLE
    assert {type(layer).__name__ for layer in filled(3).layers} <= transformers_cache.COUNTABLE


def test_a_layers_tensors_are_its_keys_and_values_and_no_counters():
    (layer, _) = filled(3).layers
    layer.counter, layer.states = torch.tensor(1), [torch.zeros(2), {"a": torch.zeros(3)}]
    assert [tensor.numel() for tensor in transformers_cache.tensors_of(layer)] == [24, 24, 2, 3]
