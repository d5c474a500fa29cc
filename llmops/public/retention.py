"""What visitors of a public page left is deleted after some days: their evaluations, comparisons, curves and encoders.

Only theirs: what the one user of a private page keeps stays until it is deleted.
"""

import logging
import shutil
import threading
import time
from datetime import UTC, datetime, timedelta

from llmops.core.errors import HistoryError
from llmops.core.settings import Settings
from llmops.history.exchange import owners
from llmops.history.store import History

VISITOR = "v-"
"""How a visitor's id begins (`ui/visitor.py`)."""
_AGAIN_S = 24 * 3600.0
_log = logging.getLogger(__name__)


def start(settings: Settings) -> None:
    """Delete now and once a day, in the background; nothing where there is no limit."""
    if settings.keep_days is not None:
        threading.Thread(target=_daily, args=(settings,), name="expiry", daemon=True).start()


def _daily(settings: Settings) -> None:
    while True:
        try:
            expire(settings)
        except (HistoryError, OSError) as error:
            _log.warning("what is old could not be deleted: %s", error)
        time.sleep(_AGAIN_S)


def expire(settings: Settings, now: datetime | None = None) -> int:
    """Delete what is older than keep_days; how many things that were. Raises HistoryError."""
    if settings.keep_days is None or not settings.history_path.is_file():
        return 0
    oldest = (now or datetime.now(UTC)) - timedelta(days=settings.keep_days)
    deleted = 0
    for owner in owners(settings.history_path):
        if owner.startswith(VISITOR):
            kinds = History(settings.history_path, owner).kinds.values()
            deleted += sum(kind.delete_before(oldest.isoformat(timespec="seconds")) for kind in kinds)
    for folder in settings.data_dir.glob(f"visitors/{VISITOR}*/encoders/*"):
        if folder.stat().st_mtime < oldest.timestamp():
            shutil.rmtree(folder, ignore_errors=True)
            deleted += 1
    return deleted
