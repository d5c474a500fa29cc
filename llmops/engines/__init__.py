"""One engine a kind of candidate; a dictionary one can read. Engines are imported when first asked for.

Each engine has a folder with the same names inside: `engine.py` (where two share a folder, `<name>_engine.py`) offers
`make(settings)` and the engine of base.Engine, `model.py` the loaded model of base.Model, both in the protocol's order;
`files.py` finds what must be read, `loading.py` reads it. All else in the folder is a part of that engine alone.
"""

import threading
from importlib import import_module

from llmops.core.candidate import Kind
from llmops.core.settings import Settings
from llmops.engines.base import Engine
from llmops.hardware import zerogpu

_MODULES = {
    Kind.ENCODER: "llmops.engines.encoder.engine",
    Kind.DECODER: "llmops.engines.decoder.engine",
    Kind.OPENAI: "llmops.engines.remote.openai_engine",
    Kind.HOSTED: "llmops.engines.remote.hosted_engine",
}
_ZEROGPU_DECODER = "llmops.engines.decoder.zerogpu_engine"  # local decoders where a GPU is lent for each run


class Engines:
    """The engines of one pool, each made with the process's settings when it is first asked for. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._guard = threading.Lock()
        self._by_kind: dict[Kind, Engine] = {}

    def __call__(self, kind: Kind) -> Engine:
        """The engine of a kind: each module offers `make`. Importing the module loads nothing heavy."""
        with self._guard:
            if kind not in self._by_kind:
                on_zerogpu = kind == Kind.DECODER and zerogpu.active()
                module = import_module(_ZEROGPU_DECODER if on_zerogpu else _MODULES[kind])
                self._by_kind[kind] = module.make(self._settings)
            return self._by_kind[kind]
