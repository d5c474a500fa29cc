"""A decoder with random weights at a real shape, loaded as the app loads one; and what is asked of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from llmops.catalog.architectures import architectures
from llmops.core.candidate import Candidate, Kind
from llmops.core.request import Generation, Job, Request
from llmops.core.run import Run
from llmops.data.builtin import load_builtin
from llmops.engines.decoder import loading, random_weights
from llmops.engines.decoder.model import DecoderModel
from tests.support.models import tokenizer

TASK = load_builtin("medical")
_SENTENCE = "The patient can't walk to the bus without help, and the chair was tried for two weeks. "


@dataclass(frozen=True)
class Trial:
    """Where it runs and what is measured: shapes by precision, and how much is read and written."""

    device: str
    shapes: dict[str, str]  # precision → model whose shape is taken
    layers: int | None  # None: all
    sentences: int  # of the text that is asked
    new_tokens: int
    requests: int  # at once
    compiles: bool = True  # torch.compile is tried too, which takes most of a minute

    @property
    def is_gpu(self) -> bool:
        """Whether the GPU's promises are to be held."""
        return self.device.startswith("cuda")


def config_of(model: str) -> dict[str, Any]:
    """A published configuration."""
    return next(row.config for row in architectures() if row.id == model)


@contextmanager
def loaded(trial: Trial, precision: str) -> Iterator[tuple[DecoderModel, Any]]:
    """(the app's model, transformers' model behind it), warmed up; unloaded at the end."""
    name = trial.shapes[precision]
    candidate = Candidate(Kind.DECODER, name, precision)
    config = random_weights.sliced_config(config_of(name), trial.layers)
    built, notes, measured = random_weights.build_model(config, candidate, trial.device, Job())
    words = tokenizer()
    built.generation_config.eos_token_id = words.eos_token_id
    model = DecoderModel(loading.DecoderParts(built, words, notes, measured), candidate, trial.device)
    del built
    try:
        model.warm_up()
        yield model, model._model
    finally:
        model.close()


def request(trial: Trial, *, new_tokens: int | None = None) -> Request:
    """One text of some hundred tokens."""
    return Request(TASK, _SENTENCE * trial.sentences, "en", Generation(max_new_tokens=new_tokens or trial.new_tokens))


def run(model: DecoderModel, asked: Request) -> Run:
    """The run that a stream ends with."""
    return list(model.run(asked))[-1].run
