"""The clock of a generation. Knows nothing of models; token times are stamped in the thread that makes the token."""

import time
from dataclasses import dataclass, field

from llmops.core.run import Timing


@dataclass
class Stopwatch:
    """Stamps of one generation, in time.perf_counter seconds. One thread writes, others may read after it ended.

    `tick` does not wait for a GPU: call it when the token is on the CPU, which proves that it has been made.
    """

    handed_s: float = field(default_factory=time.perf_counter)
    first_s: float | None = None
    last_s: float | None = None

    def tick(self, at_s: float | None = None) -> float:
        """A token was made, now or at a stamp taken elsewhere; returns the stamp."""
        now = time.perf_counter() if at_s is None else at_s
        if self.first_s is None:
            self.first_s = now
        self.last_s = now
        return now

    def timing(self, prompt_tokens: int | None, output_tokens: int | None) -> Timing:
        """TTFT and E2E from the stamps; token counts as given (a server's own, or ours)."""
        ttft = None if self.first_s is None else self.first_s - self.handed_s
        e2e = None if self.last_s is None else self.last_s - self.handed_s
        return Timing(ttft_s=ttft, e2e_s=e2e, prompt_tokens=prompt_tokens, output_tokens=output_tokens)
