"""One engine a kind of candidate; a dictionary one can read. Engines are imported when first asked for."""

from functools import cache
from importlib import import_module

from llmops.core.candidate import Kind
from llmops.engines.base import Engine
from llmops.hardware import zerogpu

_MODULES = {
    Kind.ENCODER: "llmops.engines.encoder.engine",
    Kind.DECODER: "llmops.engines.decoder.engine",
    Kind.OPENAI: "llmops.engines.remote.openai_compatible",
    Kind.HOSTED: "llmops.engines.remote.hosted",
}
_ZEROGPU_DECODER = "llmops.engines.decoder.zerogpu_engine"  # local decoders where a GPU is lent for each run


@cache
def engine_for(kind: Kind) -> Engine:
    """The engine of a kind: each module offers it as `ENGINE`. Importing the module loads nothing heavy."""
    on_zerogpu = kind == Kind.DECODER and zerogpu.active()
    engine: Engine = import_module(_ZEROGPU_DECODER if on_zerogpu else _MODULES[kind]).ENGINE
    return engine
