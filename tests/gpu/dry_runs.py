"""The app's dry run of the whole shape, beside the plan: rows that may go into recorded_dry_runs.toml."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from llmops.core.request import Job
from llmops.core.settings import load_settings
from llmops.planning.dry_run import dry_run
from llmops.planning.settings import GivenDryRun
from llmops.runtime.pool import Pool
from tests.gpu.loaded import Trial, config_of
from tests.gpu.rows import Row, gap


def dry_run_rows(trial: Trial) -> Iterator[Row]:
    """In two precisions, 128 prompt tokens as on the page."""
    for precision in ("bf16", "nf4"):
        model = trial.shapes[precision]
        asked = GivenDryRun(model=model, precision=precision, layers=trial.layers, new_tokens=trial.new_tokens)
        with TemporaryDirectory() as folder:
            pool = Pool(replace(load_settings(), data_dir=Path(folder), max_dry_run_bytes=None))
            found = dry_run(asked, config_of(model), pool, Job())
        measured, predicted = found.measured, found.predicted
        step = f"dry {precision}"
        yield gap(step, "weights", measured.weights_bytes, predicted.weights_bytes, 0.02)
        if trial.is_gpu:
            yield gap(step, "peak", measured.peak_bytes or 0, predicted.peak_bytes or 1, 0.15)
        yield Row(step, f"prefill of {asked.prompt_tokens} tokens", measured.prefill_tokens_per_s or 0, "tok/s")
        yield Row(step, "decode", measured.decode_tokens_per_s or 0, "tok/s")
