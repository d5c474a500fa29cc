"""The app's own way with a model in a folder: every precision through the engine, two columns, energy, the encoder."""

import gc
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from llmops.compare.comparison import Comparison, run_all
from llmops.core.candidate import parse_candidate
from llmops.core.request import Generation, Job
from llmops.core.run import Run
from llmops.core.run_settings import RunSettings
from llmops.core.settings import load_settings
from llmops.embedded import DECODER_DIR
from llmops.engines.decoder.engine import make
from llmops.hardware.memory import held_bytes
from llmops.runtime.pool import Pool
from tests.gpu.loaded import TASK, Trial, loaded, request, run
from tests.gpu.rows import Row
from tests.support import decoder_runs

PRECISIONS = ("fp32", "bf16", "fp16", "int8", "nf4")
_TEXT = "The chair is needed: without it the patient can't leave the house."


def engine_rows(trial: Trial) -> Iterator[Row]:
    """The embedded decoder in every precision, as the app loads it: it answers, and nothing of it stays."""
    for precision in PRECISIONS:
        _answer(precision)  # libraries keep some MB for themselves after their first use
        before = held_bytes(trial.device) or 0
        done, weights = _answer(precision)
        where = done.memory.device
        note = f"{done.label}: {done.text[:50]!r} on {where}"
        answered = done.label is not None and where == trial.device
        yield Row("engine", f"embedded decoder in {precision} answers", float(answered), "1 = yes", 1, True, note)
        if trial.is_gpu:
            left = (held_bytes(trial.device) or 0) - before
            yield Row("engine", f"left after unloading, {precision}", left / weights, "weights", 0.01)


def _answer(precision: str) -> tuple[Run, int]:
    """The run, and the bytes of the weights, which are given back."""
    model = make(load_settings()).load(parse_candidate(f"{DECODER_DIR}@{precision}"), TASK, Job())
    try:
        model.warm_up()
        return decoder_runs.finished_run(model, decoder_runs.request(_TEXT)), model.weights_bytes or 1
    finally:
        model.close()
        del model
        gc.collect()


def column_rows(_trial: Trial) -> Iterator[Row]:
    """Two columns on one device: in turn, and at once, with the same answers."""
    names = [f"{DECODER_DIR}@bf16", f"{DECODER_DIR}@nf4"]
    texts = []
    for at_once in (False, True):
        with TemporaryDirectory() as folder:
            pool = Pool(replace(load_settings(), data_dir=Path(folder), pool_budget_bytes=None))
            options = RunSettings("en", Generation(max_new_tokens=48), all_at_once=at_once)
            runs = run_all(Comparison(pool, TASK, _TEXT, names, options))
            pool.close()
        errors = "; ".join(done.error.message for done in runs if done.error)
        good = not errors and all(done.label for done in runs)
        how = "at once" if at_once else "in turn"
        yield Row("columns", f"two columns {how}", float(good), "1 = yes", 1, True, errors)
        texts.append([done.text for done in runs])
    yield Row("columns", "at once writes the same as in turn", float(texts[0] == texts[1]), "1 = yes", 1, True)


def energy_rows(trial: Trial) -> Iterator[Row]:
    """NVML's counter through the app's window, beside the same counter read by hand around it."""
    if not trial.is_gpu:
        return
    import pynvml

    pynvml.nvmlInit()
    handle = pynvml.nvmlDeviceGetHandleByIndex(0)
    with loaded(trial, "nf4") as (model, _):
        asked = request(trial, new_tokens=4 * trial.new_tokens)
        run(model, asked)
        before_mj, started_s = pynvml.nvmlDeviceGetTotalEnergyConsumption(handle), time.perf_counter()
        done = run(model, asked)
        joules = (pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) - before_mj) / 1000
        seconds = time.perf_counter() - started_s
    energy = done.energy
    if energy is None:
        yield Row("energy", "measured by NVML", 0, "1 = yes", 1, True, "no counter was found")
        return
    total = energy.total_wh * 3600
    note = f"{total:.0f} J of {joules:.0f} J in {seconds:.1f} s; idle {energy.idle_w:.0f} W; {', '.join(energy.covers)}"
    yield Row(
        "energy", "the window's joules against the counter's", abs(total - joules) / joules, "of it", 0.15, note=note
    )
    yield Row("energy", "energy of one answer above idle", energy.wh * 1000, "mWh")
