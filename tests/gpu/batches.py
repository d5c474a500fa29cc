"""Many requests at once, as one batch, beside one after the other."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from llmops.engines.decoder.model import DecoderModel
from tests.gpu.loaded import Trial, request
from tests.gpu.rows import Row


def batch_rows(trial: Trial, step: str, model: DecoderModel) -> Iterator[Row]:
    """Tokens a second of `requests` at once and of one at a time, both through the probes' way."""
    asked = request(trial)
    many = trial.requests
    tokens = 4 * len(asked.text) + asked.generation.max_new_tokens
    with model.parallel(many, tokens) as send:
        send(asked)
        alone_s, alone = _timed(lambda: [send(asked) for _ in range(2)])
        with ThreadPoolExecutor(many) as threads:
            list(threads.map(send, [asked] * many))  # once to warm up
            together_s, together = _timed(lambda: list(threads.map(send, [asked] * many)))
    rate_alone, rate = alone / alone_s, together / together_s
    yield Row(step, "one request at a time", rate_alone, "tok/s")
    yield Row(step, f"{many} at once", rate, "tok/s", note="all together")
    target = 10.0 if trial.is_gpu else None
    yield Row(step, f"{many} at once against one", rate / rate_alone, "×", target, at_least=True)


def _timed(work) -> tuple[float, int]:
    started_s = time.perf_counter()
    runs = work()
    return time.perf_counter() - started_s, sum(run.timing.output_tokens or 0 for run in runs)
