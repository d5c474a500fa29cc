"""A kept encoder that nobody trained: a head of zeros. Test code only."""

from types import SimpleNamespace

import numpy as np

from llmops.engines.encoder import store
from llmops.engines.encoder.head import Head


def keep_encoder(name, owner, size=4):
    head = Head(("a", "b"), np.zeros((2, size), np.float32), np.zeros(2, np.float32))
    meta = store.Meta("t", "few-shot", "embedded/encoder", ("a", "b"), 1, 0, 2, has_body=False)
    return store.keep(name, SimpleNamespace(), head, meta, owner)
