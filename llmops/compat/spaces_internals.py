"""The `spaces` package from inside: the children that it forks for a lent GPU."""

import atexit
import multiprocessing.util  # registers its own waiting for children, which must come after ours: last in, first out

MADE_FOR = "spaces 0.51.3"


def end_children_at_exit() -> None:
    """Children wait for their next call and take a polite end (SIGTERM) for nothing; Python would wait for them."""
    atexit.register(_kill_children)


def _kill_children() -> None:
    for child in multiprocessing.active_children():
        child.kill()
