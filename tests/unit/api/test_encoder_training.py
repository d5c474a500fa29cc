"""Trained encoders that wait for a name: how many are held, and what is said where none is."""

import pytest

from llmops.api.encoder_training import UnkeptEncoder, UnkeptEncoders, keep_encoder
from llmops.core.errors import InputError
from llmops.engines.encoder.store import EncoderMeta


def unkept(method="setfit"):
    meta = EncoderMeta("t", method, "embedded/encoder", ("a", "b"), 2, 0, 4, has_body=method == "setfit")
    return UnkeptEncoder(object(), meta)


def test_only_the_newest_few_with_weights_of_their_own_are_held():
    encoders, held = UnkeptEncoders(), [unkept() for _ in range(6)]
    small = [unkept("few-shot") for _ in range(6)]
    for encoder in [*small, *held]:
        encoders.hold(encoder)
    assert [encoder.trained is not None for encoder in held] == [False, False, True, True, True, True]
    assert all(encoder.trained is not None for encoder in small)


@pytest.mark.parametrize("nothing", [None, UnkeptEncoder(None, unkept().meta)])
def test_nothing_can_be_kept_before_a_training_or_twice(nothing):
    with pytest.raises(InputError, match="Nothing is trained"):
        keep_encoder(nothing, "mine", None)
