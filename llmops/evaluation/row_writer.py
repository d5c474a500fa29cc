"""Keeping a candidate's rows while it runs: a full disk or a locked database costs no result, only patience."""

import time
from collections.abc import Callable

from llmops.core.errors import ContextTooLong, EndpointError, HistoryError, InputError
from llmops.history.evaluations import Row
from llmops.history.store import History

PATIENCE_S = 600.0  # for space or a lock at the end of a candidate, before its results are given up
_RETRY_S = 1.0
_PAUSE_S = 5.0
_GIVE_UP = 5  # failures in a row: the candidate is down, and its failures would only say that again


class RowWriter:
    """Writes one candidate's rows. Holds them while it can't, and failures until the candidate has answered again."""

    def __init__(self, history: History, evaluation_id: int) -> None:
        self._history, self._id = history, evaluation_id
        self._held: list[Row] = []
        self._again_s = 0.0
        self.trouble = ""

    def keep(self, *rows: Row) -> None:
        """Keep rows. Raises EndpointError after too many failures in a row, which are then not kept."""
        for row in rows:
            self._held.append(row)
            error = row.run.error
            if error and len(self._held) >= _GIVE_UP and all(_is_down(last) for last in self._held[-_GIVE_UP:]):
                self._held = [held for held in self._held if not held.failed]
                raise EndpointError(f"{_GIVE_UP} texts in a row failed: {error.message}", error.remedy)
        if any(not row.failed for row in rows) and time.monotonic() >= self._again_s:
            self._write()

    def _write(self) -> None:
        """Write what is held; what can't be written stays, and `trouble` says why."""
        try:
            self._history.evaluations.add_rows(self._id, self._held)
            self._held = []
            self.trouble = ""
        except HistoryError as error:
            self.trouble = f"{error.message} {error.remedy} {len(self._held)} results wait in memory."
            self._again_s = time.monotonic() + _PAUSE_S  # a lock is waited for: not at every text

    def flush(self, report: Callable[[str], None], stopped: Callable[[], bool]) -> None:
        """Write the rest, waiting for a lock or a full disk as long as nobody stops it.

        Raises HistoryError where results could not be kept.
        """
        deadline = time.monotonic() + PATIENCE_S
        self._write()
        while self._held and not stopped() and time.monotonic() < deadline:
            report(self.trouble)
            time.sleep(_RETRY_S)
            self._write()
        if self._held:
            raise HistoryError(self.trouble, "Mend it and resume: the texts that are missing run again.")


def _is_down(row: Row) -> bool:
    """A failure that tells of the candidate; one for a text that is too long tells of the text."""
    return row.run.error is not None and row.run.error.kind not in (ContextTooLong.kind, InputError.kind)
