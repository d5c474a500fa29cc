"""What became of the last process: a small file says that one runs, and is removed when it ends as it should.

A file left behind by a process that is gone means that it was killed. What was finished is in the history by then; this
says so, names what was not, and clears away what was half written.
"""

import atexit
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from llmops.core.errors import HistoryError, LlmopsError
from llmops.core.settings import Settings
from llmops.history.store import History

if TYPE_CHECKING:
    from llmops.engines.encoder.store import EncoderStore

_FILE = "running.json"
_LITTLE_DISK = 200_000_000  # bytes: below it a model or a long evaluation may not fit
_ALIVE_S = 10.0
_HALF_WRITTEN = (".partial-", "tmp")  # how the encoder store and the int8 copies name what is not in place yet


@dataclass(frozen=True)
class CrashNotice:
    """began, last_seen: of a process that was killed, UTC; empty where the last one ended well, or there was none."""

    began: str = ""
    last_seen: str = ""


ENDED_WELL = CrashNotice()


def begin(data_dir: Path) -> CrashNotice:
    """Say that this process runs, and tell how the last one ended. Neither a full nor a read-only disk stops it."""
    notice = _crash_of_last_process(data_dir / _FILE)
    if notice.began:
        _remove_half_written(data_dir)
    process = {"pid": os.getpid(), "created": psutil.Process().create_time(), "began": _now()}
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        (data_dir / _FILE).write_text(json.dumps(process), encoding="utf-8")
        atexit.register(_end, data_dir / _FILE)
        threading.Thread(target=_touch, args=(data_dir / _FILE,), name="alive", daemon=True).start()
    except OSError:  # said by `notices`, which looks at the disk itself
        pass
    return notice


def notices(notice: CrashNotice, settings: Settings, owner: str) -> list[str]:
    """Sentences for a visitor: what happened, what is kept, what can be done about it. Empty when all is well."""
    from llmops.engines.encoder.store import EncoderStore

    encoders = EncoderStore(settings, owner)
    return [*_about_crash(notice, settings, owner), *_about_disk(settings.data_dir), *_about_encoders(encoders)]


def _about_crash(notice: CrashNotice, settings: Settings, owner: str) -> Iterator[str]:
    if not notice.began:
        return
    yield (
        f"The app was ended without warning (killed, or out of memory) after {_clock(notice.last_seen)} UTC, and was "
        "started again. Whatever was finished before is in the history."
    )
    try:
        history = History(settings.history_path, owner)
        for evaluation in history.evaluations.newest():
            if evaluation.origin or evaluation.created < notice.began:
                continue
            repeats = int(evaluation.settings.get("repeats", 1))
            texts = history.evaluations.labelled(evaluation.id).texts
            wanted = len(texts) * len(evaluation.candidates) * repeats
            answered = history.evaluations.count_rows(evaluation.id)
            if answered < wanted:
                yield (
                    f"Evaluation {evaluation.id} was not finished: {answered:,} of {wanted:,} answers are kept. "
                    "Choose it in the Evaluate tab and press Resume."
                )
    except HistoryError as error:
        yield f"{error.message} {error.remedy}"


def _about_disk(data_dir: Path) -> Iterator[str]:
    try:
        existing = next(folder for folder in (data_dir, *data_dir.parents) if folder.is_dir())
        free = shutil.disk_usage(existing).free
    except (OSError, StopIteration):
        return
    if free < _LITTLE_DISK:
        yield (
            f"The disk is nearly full: {free / 1e6:.0f} MB are left where results are kept. What is kept already is "
            "safe; new results may not be. Free some space."
        )
    elif not os.access(existing, os.W_OK):
        yield "Results can't be kept: their place can't be written. Set LLMOPS_DATA to one that can."


def _about_encoders(encoders: "EncoderStore") -> Iterator[str]:
    for name in encoders.names():
        try:
            encoders.check(name)
        except LlmopsError:
            yield f"The kept encoder “{name}” is damaged: a file of it was cut short. Delete it, and train it again."


def _crash_of_last_process(file: Path) -> CrashNotice:
    try:
        written = json.loads(file.read_text(encoding="utf-8"))
        began, last_seen = str(written["began"]), _time(file.stat().st_mtime)
        if psutil.pid_exists(int(written["pid"])):
            process = psutil.Process(int(written["pid"]))
            if abs(process.create_time() - float(written["created"])) < 1 and process.pid != os.getpid():
                return ENDED_WELL  # it still runs, beside this one
    except FileNotFoundError:
        return ENDED_WELL
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        # Cut short itself: a disk that was full, or a power cut.
        return CrashNotice(_time(0), _time(file.stat().st_mtime if file.exists() else time.time()))
    return CrashNotice(began, last_seen)


def _remove_half_written(data_dir: Path) -> None:
    """Remove what was being written when the process was killed; it is put in place whole, or not at all."""
    folders = [data_dir / "encoders", data_dir / "openvino", *data_dir.glob("visitors/*/encoders")]
    for folder in folders:
        for entry in folder.iterdir() if folder.is_dir() else ():
            if entry.name.startswith(_HALF_WRITTEN):
                shutil.rmtree(entry, ignore_errors=True)


def _touch(file: Path) -> None:
    """So that the file's own time tells when the process was last seen."""
    while True:
        time.sleep(_ALIVE_S)
        with suppress(OSError):
            file.touch()


def _end(file: Path) -> None:
    file.unlink(missing_ok=True)


def _clock(when: str) -> str:
    return when[:16].replace("T", " ")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
