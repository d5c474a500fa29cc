"""The interpreter's own knobs, for the whole process: whose turn it is, and what its collector counts."""

import gc
import sys

MADE_FOR = "Python 3.11"
_TURN_S = 0.0005


def take_short_turns() -> None:
    """Threads hand over ten times as often as by default.

    Painting the page takes turns of the interpreter from the thread that is measured; with Python's own 5 ms a turn, a
    warm encoder's E2E read three times too long and a decoder's 60 % (2 cores, 10 paints a second).
    """
    sys.setswitchinterval(_TURN_S)


def leave_uncollected() -> None:
    """What is there now stays for good. Out of the collector's count, it no longer delays what runs leave behind."""
    gc.freeze()
