"""Texts too long for a decoder's context, read in windows: the mean of the windows' probabilities is the verdict.

No explanation is written: it would be one about a part.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from llmops.core.errors import LlmopsError
from llmops.core.long_texts import windows_of
from llmops.core.request import Request
from llmops.core.run import Run, Timing
from llmops.engines.decoder import prompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_TEMPLATE_TOKENS = 256  # more than a chat template adds
Answer = Callable[[Sequence[Request]], list[Run | LlmopsError]]


def are_needed(request: Request, tokenizer: "PreTrainedTokenizerBase", context: int) -> bool:
    """True of a request that is to be split. Raises ContextTooLong where there is no room at all."""
    if request.long_texts != "windows":
        return False
    room = prompt.room_of(request, context)
    said = "".join(message["content"] for message in request.task.messages(request.text, request.language))
    if len(said.encode()) + _TEMPLATE_TOKENS <= room:  # a token has a byte at least: no need to count
        return False
    return prompt.lengths(request, [request.text], tokenizer)[0] > room


def windows(request: Request, tokenizer: "PreTrainedTokenizerBase", context: int) -> list[Request]:
    """A request a window; the request itself where it fits, or is not to be split. Raises ContextTooLong."""
    if not are_needed(request, tokenizer, context):
        return [request]
    room = prompt.room_of(request, context)
    texts = windows_of(request.text, lambda parts: prompt.lengths(request, parts, tokenizer), room)
    return [replace(request, text=text, verdict_only=True) for text in texts]


def answer(
    requests: Sequence[Request], tokenizer: "PreTrainedTokenizerBase", context: int, ask: Answer
) -> list[Run | LlmopsError]:
    """As `ask` answers them, long ones in windows. ask: see engines.base.BatchModel.run_batch; asked of one kind."""
    results: dict[int, Run | LlmopsError] = {}
    split: dict[int, list[Request]] = {}
    for number, request in enumerate(requests):
        try:
            split[number] = windows(request, tokenizer, context)
        except LlmopsError as error:
            results[number] = error
    whole = [number for number, parts in split.items() if len(parts) == 1]
    if whole:
        results |= zip(whole, ask([requests[number] for number in whole]), strict=True)
    long = [number for number, parts in split.items() if len(parts) > 1]
    runs = iter(ask([part for number in long for part in split[number]]) if long else ())
    for number in long:
        results[number] = _joined([next(runs) for _ in split[number]], requests[number])
    return [results[number] for number in range(len(requests))]


def _joined(runs: Sequence[Run | LlmopsError], request: Request) -> Run | LlmopsError:
    """One run out of a text's windows; the first error of one where there is any."""
    sound = [run for run in runs if isinstance(run, Run)]
    error = next((run for run in runs if isinstance(run, LlmopsError)), None)
    if error is not None:
        return error
    shares = _mean([run.probabilities for run in sound])
    label = max(shares, key=lambda name: shares[name]) if shares else _commonest([run.label for run in sound], request)
    note = (
        f"Too long: read in {len(runs)} windows, their probabilities averaged, no explanation."
        if shares
        else f"Too long: read in {len(runs)} windows, the commonest verdict taken, no explanation."
    )
    prompt_tokens, output_tokens = (
        sum(getattr(run.timing, name) or 0 for run in sound) for name in ("prompt_tokens", "output_tokens")
    )
    return replace(
        sound[0],
        text="",
        label=label,
        unparsed=label is None,
        probabilities=shares,
        timing=Timing(prompt_tokens=prompt_tokens, output_tokens=output_tokens),
        notes=(*sound[0].notes, note),
        finish="verdict",
    )


def _mean(shares: Sequence[dict[str, float] | None]) -> dict[str, float] | None:
    known = [each for each in shares if each]
    if len(known) < len(shares):
        return None
    return {label: sum(each[label] for each in known) / len(known) for label in known[0]}


def _commonest(labels: Sequence[str | None], request: Request) -> str | None:
    """Of equals the task's first; None where no window has a verdict."""
    counted = Counter(label for label in labels if label is not None)
    ordered = [label for label in request.task.label_ids if label in counted]
    return max(ordered, key=lambda label: counted[label]) if ordered else None
