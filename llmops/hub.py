"""Is a model hub in reach? Asked once in the background, so that neither the first page nor a run waits for it."""

import os
import threading
import urllib.error
import urllib.request

_TIMEOUT_S = 2.0


class HubProbe:
    """`in_reach` is None until known. Counts any HTTP answer as reach: a refusal is an answer too."""

    def __init__(self, offline: bool) -> None:
        self._known = threading.Event()
        self._in_reach = False
        if offline:
            self._known.set()
        else:
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
        """True, False, or None while unknown after waiting."""
        return self._in_reach if self._known.wait(wait_s) else None
