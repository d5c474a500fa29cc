"""What the decoder engine's tests share: small random models, loaded once."""

import pytest

from tests.support import models
from tests.support.decoder_runs import load_model


@pytest.fixture(scope="package")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {
        "llama": models.llama(root / "llama"),
        "gemma": models.gemma(root / "gemma"),
        "drops": models.llama(root / "drops", models.DROPS_SYSTEM),
        "plain": models.llama(root / "plain", None),
        "thinks": models.llama(root / "thinks", models.OPENS_THINKING),
        "ends": models.llama(root / "ends", ends=True),
    }


@pytest.fixture(scope="package")
def model(folders):
    model = load_model(folders["llama"])
    model.warm_up()
    yield model
    model.close()


@pytest.fixture(scope="package")
def long_model(tmp_path_factory):
    """Slow enough to be stopped: a long prompt takes seconds."""
    folder = models.llama(
        tmp_path_factory.mktemp("long"),
        hidden_size=256,
        intermediate_size=1024,
        num_hidden_layers=16,
        num_attention_heads=4,
        max_position_embeddings=16384,
    )
    model = load_model(folder)
    model.warm_up()
    yield model
    model.close()
