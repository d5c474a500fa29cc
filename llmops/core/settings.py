"""Environment variables and limits, read once, in one place. Every variable starts with LLMOPS_."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops.core.publicness import is_public
from llmops.core.space import data_dir

_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

# Name of a limit → its variable, how many of our units one of the variable's is, and the default on a public page
# (where it differs). The defaults of a private page are the dataclass's.
_LIMITS: dict[str, tuple[str, int, int | None]] = {
    "max_text_chars": ("LLMOPS_MAX_TEXT_CHARS", 1, 100_000),
    "max_upload_bytes": ("LLMOPS_MAX_UPLOAD_MB", 1_000_000, None),
    "max_rows": ("LLMOPS_MAX_ROWS", 1, 1_000),
    "max_answers": ("LLMOPS_MAX_ANSWERS", 1, 4_000),
    "keep_days": ("LLMOPS_KEEP_DAYS", 1, 30),
    "max_probe_requests": ("LLMOPS_MAX_PROBE_REQUESTS", 1, 256),
    "max_dry_run_bytes": ("LLMOPS_MAX_DRY_RUN_MB", 1_000_000, 2_000_000_000),
    "max_columns": ("LLMOPS_MAX_COLUMNS", 1, None),
    "max_new_tokens": ("LLMOPS_MAX_NEW_TOKENS", 1, 256),
    "visitor_runs": ("LLMOPS_VISITOR_RUNS", 1, 16),
    "visitor_jobs": ("LLMOPS_VISITOR_JOBS", 1, 1),
    "visitor_disk_bytes": ("LLMOPS_VISITOR_DISK_MB", 1_000_000, 200_000_000),
    "visitor_upload_bytes": ("LLMOPS_VISITOR_UPLOAD_MB", 1_000_000, 50_000_000),
}


@dataclass(frozen=True)
class Settings:
    """Limits and places. Bytes, seconds and characters as named; None: no limit.

    max_answers: texts × repeats × candidates of one evaluation. max_probe_requests: of one load probe, or cells of a
    context probe. max_dry_run_bytes: of a dry run's shape. keep_days: after them,
    what visitors left is deleted. Of each visitor: visitor_runs columns at once,
    visitor_jobs evaluations, probes, trainings and dry runs at once, visitor_disk_bytes of kept encoders,
    visitor_upload_bytes in an hour. models and endpoints: what a public page allows beside the catalogue.
    """

    data_dir: Path
    pool_budget_bytes: int | None = None  # None: a share of the memory that is free when first asked
    max_text_chars: int = 1_000_000
    max_upload_bytes: int = 5_000_000
    max_rows: int = 10_000
    max_answers: int | None = None
    keep_days: int | None = None
    max_probe_requests: int | None = None
    max_dry_run_bytes: int | None = None
    max_columns: int = 8
    max_new_tokens: int = 1024
    visitor_runs: int | None = None
    visitor_jobs: int | None = None
    visitor_disk_bytes: int | None = None
    visitor_upload_bytes: int | None = None
    models: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    offline: bool = False
    log_level: str = "INFO"  # of our own messages
    history_repo: str | None = None  # a private dataset repository of the hub that keeps the history
    public: bool = False  # strangers may come; see publicness.py

    @property
    def history_path(self) -> Path:
        """The history's database."""
        return self.data_dir / "history.sqlite"


def kept_folder(data_dir: Path, owner: str) -> Path:
    """Where an owner's kept encoders lie. Raises ValueError for what is no owner's id."""
    if not owner:
        return data_dir / "encoders"
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", owner):
        raise ValueError("That is no owner's id.")
    return data_dir / "visitors" / owner / "encoders"


def load_settings(share: bool = False, host: str | None = None, public: bool | None = None) -> Settings:
    """Settings from the environment; unknown or absent variables keep the defaults. Raises ValueError for a bad one.

    Called once, where a process begins, and passed: the mode is the process's, and the place for data is tried on the
    disk. share and host: as given on the command line; with them it is known whether strangers may come. public: for
    an entry that knows it anyway.
    """
    env = os.environ
    budget = env.get("LLMOPS_MEMORY_GB")
    public = is_public(env, share, host) if public is None else public
    return Settings(
        data_dir=data_dir(env),
        pool_budget_bytes=int(float(budget) * 1e9) if budget else None,
        models=_words(env, "LLMOPS_MODELS"),
        endpoints=_words(env, "LLMOPS_ENDPOINTS"),
        offline=env.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"),
        log_level=_log_level(env),
        history_repo=env.get("LLMOPS_HISTORY_REPO", "").strip() or None,
        public=public,
        **_limits(env, public),
    )


def _limits(env: Mapping[str, str], public: bool) -> dict[str, Any]:
    """The limits that are not the dataclass's defaults."""
    found = {name: most for name, (_, _, most) in _LIMITS.items() if public and most is not None}
    for name, (variable, unit, _) in _LIMITS.items():
        written = env.get(variable, "").strip()
        if not written:
            continue
        if not (written.isascii() and written.isdigit() and int(written) > 0):
            raise ValueError(f"{variable} is a whole number above 0; it is “{written}”.")
        found[name] = int(written) * unit
    return found


def _log_level(env: Mapping[str, str]) -> str:
    level = env.get("LLMOPS_LOG_LEVEL", "").strip().upper() or Settings.log_level
    if level not in _LOG_LEVELS:
        raise ValueError(f"LLMOPS_LOG_LEVEL is one of {', '.join(_LOG_LEVELS)}; it is “{level[:20]}”.")
    return level


def _words(env: Mapping[str, str], variable: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in env.get(variable, "").split(",") if word.strip())
