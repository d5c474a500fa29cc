"""What transformers' generate() calls back: a streamer that tells each token, a criterion that ends it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import StoppingCriteriaList
    from transformers.generation.streamers import BaseStreamer


def token_streamer(
    on_token: Callable[["torch.Tensor"], object], on_prompt_read: Callable[[], None] = lambda: None
) -> "BaseStreamer":
    """on_token: called with each step's tokens, (rows,), already on the CPU, so CUDA has made them."""
    from transformers.generation.streamers import BaseStreamer

    class TokenStreamer(BaseStreamer):  # type: ignore[misc]  # mypy does not follow transformers
        """generate() puts the prompt first, then the tokens of each step."""

        puts = 0

        def put(self, value: "torch.Tensor") -> None:
            self.puts += 1
            if self.puts > 1:
                on_token(value)
            if self.puts == 2:
                on_prompt_read()

        def end(self) -> None:
            """Nothing: an error has no such end, so whoever calls generate() tells it."""

    return TokenStreamer()


def stop_when(is_set: Callable[[], bool]) -> "StoppingCriteriaList":
    """Ends generate() at the next token, in every row, once `is_set()`."""
    import torch
    from transformers import StoppingCriteria, StoppingCriteriaList

    class StopWhen(StoppingCriteria):  # type: ignore[misc]  # mypy does not follow transformers
        stopped: torch.Tensor | None = None  # made once: it is asked for at every token

        def __call__(self, input_ids: torch.Tensor, _scores: Any, **_kwargs: Any) -> torch.Tensor:  # noqa: ANN401
            if self.stopped is None or is_set():
                self.stopped = torch.full((input_ids.shape[0],), is_set(), device=input_ids.device)
            return self.stopped

    return StoppingCriteriaList([StopWhen()])
