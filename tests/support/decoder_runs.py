"""A decoder loaded and asked as the pool and the executor would, without them. Test code only."""

import threading

from llmops.core.candidate import parse_candidate
from llmops.core.request import Generation, Job, Request
from llmops.core.settings import load_settings
from llmops.data.builtin import load_builtin
from llmops.engines.decoder.engine import make

TASK = load_builtin("medical")


def load_model(folder, precision="fp32"):
    candidate = parse_candidate(f"{folder}@{precision}")
    return make(load_settings()).load(candidate, TASK, Job())


def request(text="The chair is needed.", language="en", *, stop=None, long_texts="refuse", **generation):
    generation = Generation(**{"max_new_tokens": 24, **generation})
    stop = stop or threading.Event()
    return Request(TASK, text, language, generation, stop=stop, long_texts=long_texts)


def finished_run(model, asked):
    """The Run that the last event brings."""
    return list(model.run(asked))[-1].run
