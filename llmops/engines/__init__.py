"""One engine a kind of candidate; a dictionary one can read. Engines are imported when first asked for."""

from functools import cache
from importlib import import_module

from llmops import zerogpu
from llmops.candidate import Kind
from llmops.engines.base import Engine

_MODULES = {
    Kind.ENCODER: "llmops.engines.encoder",
    Kind.DECODER: "llmops.engines.decoder",
    Kind.OPENAI: "llmops.engines.openai_compatible",
    Kind.HOSTED: "llmops.engines.hosted",
}
_LENT = "llmops.engines.lent"  # local decoders where a GPU is lent for each run


@cache
def engine_for(kind: Kind) -> Engine:
    """The engine of a kind: each module offers it as `ENGINE`. Importing the module loads nothing heavy."""
    lent = kind == Kind.DECODER and zerogpu.active()
    engine: Engine = import_module(_LENT if lent else _MODULES[kind]).ENGINE
    return engine
