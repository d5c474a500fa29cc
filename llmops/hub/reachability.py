"""Is a model hub in reach? Asked in the background, so that neither the first page nor a run waits for it.

A no is asked again after a while: a laptop comes and goes.
"""

import os
import threading
import time
import urllib.error
import urllib.request

_TIMEOUT_S = 2.0
_AGAIN_S = 60.0


class HubProbe:
    """`in_reach` is None until known. Counts any HTTP answer as reach: a refusal is an answer too."""

    def __init__(self, offline: bool) -> None:
        self._known = threading.Event()
        self._in_reach = False
        self._offline = offline
        self._asked_s = 0.0
        if offline:
            self._known.set()
        else:
            self._start()

    def _start(self) -> None:
        self._asked_s = time.monotonic()
        threading.Thread(target=self._ask, name="hub-probe", daemon=True).start()

    def _ask(self) -> None:
        address = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
        try:
            request = urllib.request.Request(address, method="HEAD")
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S):
                self._in_reach = True
        except urllib.error.HTTPError:
            self._in_reach = True
        except (OSError, ValueError):
            self._in_reach = False
        self._known.set()

    def in_reach(self, wait_s: float = 0.0) -> bool | None:
        """True, False, or None while unknown after waiting. An old no holds until the new answer is there."""
        old = time.monotonic() - self._asked_s > _AGAIN_S
        if self._known.is_set() and not self._in_reach and not self._offline and old:
            self._start()
        return self._in_reach if self._known.wait(wait_s) else None
