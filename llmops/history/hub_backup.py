"""The history in a private dataset repository of the hub, for machines that forget: a Space is blank after restarts.

`LLMOPS_HISTORY_REPO` names it. At the start it is fetched where there is no history yet; then a consistent copy is
committed every few minutes, and at the end. Only the database goes there; keys are never in it.
"""

import hashlib
import logging
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops.core.errors import HistoryError, redact
from llmops.core.failures import log_unforeseen
from llmops.history.store import History

FILE = "history.sqlite"
_EVERY_MIN = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HubBackup:
    """What became of it, in a sentence; scheduler: what commits, None where it could not begin."""

    said: str
    scheduler: Any = None


def keep(history: Path, repo: str, token: str | None, every_min: float = _EVERY_MIN) -> HubBackup:
    """Fetch what is kept, and begin to keep. Never raises: without its repository the app works as before."""
    try:
        if not token:
            raise HistoryError("No token may write to it.", "Set HF_TOKEN to one that can.")
        restored = _restore(history, repo, token)
        scheduler = _scheduler(history, repo, token, every_min)
    except Exception as error:  # noqa: BLE001  whatever a hub or the way to it may answer; logged below
        words = (
            f"{error.message} {error.remedy}" if isinstance(error, HistoryError) else f"{type(error).__name__}: {error}"
        )
        said = redact(f"The history is not kept in {repo}: {words}", (token,))[:400]
        if isinstance(error, HistoryError):
            _log.warning(said)
        else:
            log_unforeseen(error, said, (token or "",))
        return HubBackup(said)
    return HubBackup(
        f"The history is kept in the private dataset {repo}{', and was fetched from it' if restored else ''}.",
        scheduler,
    )


def _restore(history: Path, repo: str, token: str) -> bool:
    """Fetch the database where there is none here. True if it was."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

    api = HfApi(token=token)
    try:
        if not api.repo_info(repo, repo_type="dataset").private:
            raise HistoryError(f"{repo} is public.", "Make it private: what visitors typed is in the history.")
        if history.exists():
            return False
        with tempfile.TemporaryDirectory() as folder:
            found = api.hf_hub_download(repo, FILE, repo_type="dataset", local_dir=folder)
            History(Path(found))  # refuses what is no history, before it takes the place of one
            history.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, history)
        return True
    except (EntryNotFoundError, RepositoryNotFoundError):
        return False


def _scheduler(history: Path, repo: str, token: str, every_min: float) -> Any:  # noqa: ANN401
    from huggingface_hub import CommitScheduler

    class BackupScheduler(CommitScheduler):
        """Copies the database first; a copy that is the same as the last one is not committed again."""

        last = ""

        def push_to_hub(self) -> Any:  # noqa: ANN401
            """One copy, one commit."""
            if history.exists():
                with tempfile.TemporaryDirectory() as folder:
                    copy = Path(folder) / FILE
                    History(history).back_up(copy)
                    digest = hashlib.sha256(copy.read_bytes()).hexdigest()
                    if digest != self.last:
                        shutil.move(copy, self.folder_path / FILE)
                        self.last = digest
            return super().push_to_hub()

    return BackupScheduler(
        repo_id=repo,
        folder_path=tempfile.mkdtemp(prefix="llmops-history-"),
        every=every_min,
        repo_type="dataset",
        private=True,
        token=token,
        allow_patterns=FILE,
    )
