"""A kept encoder that nobody trained: a head of zeros. Test code only."""

from types import SimpleNamespace

import numpy as np

from llmops.core.settings import load_settings
from llmops.engines.encoder import store
from llmops.engines.encoder.head import Head


def encoder_store(owner=""):
    """The owner's kept encoders, where the test's environment says."""
    return store.EncoderStore(load_settings(), owner)


def keep_encoder(name, owner, size=4):
    head = Head(("a", "b"), np.zeros((2, size), np.float32), np.zeros(2, np.float32))
    meta = store.EncoderMeta("t", "few-shot", "embedded/encoder", ("a", "b"), 1, 0, 2, has_body=False)
    return encoder_store(owner).save(name, SimpleNamespace(), head, meta)
