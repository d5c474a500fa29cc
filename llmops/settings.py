"""Environment variables and limits, read once, in one place. Every variable starts with LLMOPS_."""

import os
from dataclasses import dataclass
from pathlib import Path

from llmops.publicness import is_public
from llmops.space import data_dir


@dataclass(frozen=True)
class Settings:
    """Limits and places. Bytes, seconds and characters as named."""

    data_dir: Path
    pool_budget_bytes: int | None = None  # None: a share of the memory that is free when first asked
    max_text_chars: int = 1_000_000
    max_upload_bytes: int = 5_000_000
    max_rows: int = 10_000
    max_columns: int = 8
    max_new_tokens: int = 1024
    offline: bool = False
    history_repo: str | None = None  # a private dataset repository of the hub that keeps the history
    public: bool = False  # strangers may come; see publicness.py

    @property
    def history_path(self) -> Path:
        """The history's database."""
        return self.data_dir / "history.sqlite"


def load_settings(share: bool = False, host: str | None = None) -> Settings:
    """Settings from the environment; unknown or absent variables keep the defaults.

    share and host: as given on the command line; with them it is known whether strangers may come.
    """
    env = os.environ
    budget = env.get("LLMOPS_MEMORY_GB")
    return Settings(
        data_dir=data_dir(env),
        pool_budget_bytes=int(float(budget) * 1e9) if budget else None,
        offline=env.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"),
        history_repo=env.get("LLMOPS_HISTORY_REPO", "").strip() or None,
        public=is_public(env, share, host),
    )
