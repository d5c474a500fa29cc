"""Make the recorded example anew: `python -m llmops.scripts.record_example`, on a quiet machine.

About ten minutes on 2 cores.

The built-in medical task's held-out split through encoders and the embedded decoder in every precision of its ladder,
every text alone, so that each has a latency of its own; then the learning curve on the same texts.
"""

import argparse
import gzip
import shutil
import sys
import tempfile
import threading
from pathlib import Path

from llmops.core.request import Job
from llmops.core.run_settings import RunSettings
from llmops.core.settings import load_settings
from llmops.data.builtin import load_builtin
from llmops.evaluation.batch_sizes import AnswerMode
from llmops.evaluation.curve import CurveSettings, learning_curve
from llmops.evaluation.curve_work import CurveWork
from llmops.evaluation.runner import CandidateEnded, EvaluationBegun, evaluate
from llmops.evaluation.spec import EvaluationSpec
from llmops.history.exchange import hand_out
from llmops.history.recorded import FILE
from llmops.history.store import History
from llmops.runtime.pool import Pool

CANDIDATES = (
    "embedded/encoder@fp32?method=few-shot",
    "embedded/encoder@int8?method=few-shot",
    "embedded/encoder@fp32?method=setfit",
    "embedded/encoder@int8?method=setfit",
    "embedded/decoder@fp32",
    "embedded/decoder@bf16",
    "embedded/decoder@int8",
    "embedded/decoder@nf4",
)


def record(folder: Path, target: Path) -> None:
    """Run it all with a history in `folder`, and write the file."""
    task, pool, stop = load_builtin("medical"), Pool(load_settings()), threading.Event()
    history = History(folder / "history.sqlite")
    mode = AnswerMode(batched=False)
    spec = EvaluationSpec(task, task.split("test"), CANDIDATES, RunSettings(task.languages[0]), mode=mode)
    number = 0
    for update in evaluate(pool, spec, history, stop):
        if isinstance(update, EvaluationBegun):
            number = update.evaluation_id
        if isinstance(update, CandidateEnded):
            if update.error is not None:
                raise RuntimeError(f"{update.candidate}: {update.error.message}")
            _tell(f"{update.candidate} done", None)
    settings = CurveSettings.read(None)
    work = CurveWork.of(history, task, number, settings)
    work.keep(list(learning_curve(pool, work.task, work.texts, settings, Job(report=_tell, stop=stop))))
    hand_out(history, folder / "out.sqlite")
    with (folder / "out.sqlite").open("rb") as source, gzip.GzipFile(target, "wb", 9, mtime=0) as packed:
        shutil.copyfileobj(source, packed)


def _tell(message: str, _fraction: float | None) -> None:
    sys.stderr.write(f"{message}\n")


def main() -> None:
    """Parse the command line and record."""
    parser = argparse.ArgumentParser(description="Make the recorded example anew.")
    parser.add_argument("--to", type=Path, default=FILE, help="where to (default: in place of the one that ships)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder), args.to)


if __name__ == "__main__":
    main()
