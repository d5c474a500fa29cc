"""Many requests through one loaded decoder: checked one by one, answered in batches that fit, told as Runs.

A text that can't be asked has its own error; a batch that breaks is halved until the text at fault is alone. What a
batch computes is `batching`'s.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from llmops.core.candidate import Candidate
from llmops.core.errors import LlmopsError, Stopped
from llmops.core.request import Request
from llmops.core.run import Memory, Run, Source, Timing
from llmops.core.verdict import read_verdict
from llmops.engines.decoder import answer_tokens, batching, memory_check, prompt, sampling, stream
from llmops.engines.decoder.generate_callbacks import stop_when
from llmops.engines.decoder.prefix_cache import PrefixCache

if TYPE_CHECKING:
    from transformers import GenerationConfig

_VERDICT_TOKENS = 16  # where only the verdict is asked and it is not proven: it stands in the first words
_Numbered = tuple[int, prompt.TokenizedPrompt]
_Results = dict[int, Run | LlmopsError]


@dataclass(frozen=True)
class LoadedDecoder:
    """A loaded decoder and what goes with it; context: tokens of prompt and answer."""

    candidate: Candidate
    model: Any
    tokenizer: Any
    base_config: "GenerationConfig"
    context: int
    interrupt: stream.Interrupt
    layer_interrupt: stream.LayerInterrupt


class BatchRunner:
    """Answers requests in batches; keeps what their prompts have in common."""

    def __init__(self, loaded: LoadedDecoder) -> None:
        self._loaded = loaded
        self._prefix_cache = PrefixCache()
        self._tokenized: dict[tuple[tuple[str, str], ...], answer_tokens.AnswerTokens | None] = {}

    def answer(self, requests: Sequence[Request], weights_bytes: int | None) -> list[Run | LlmopsError]:
        """See engines.base.BatchModel.run_batch."""
        loaded = self._loaded
        device = self._device
        loaded.interrupt.begin(requests[0].stop)
        memory = Memory(weights_bytes=weights_bytes, device=device)
        results: _Results = {}
        groups: dict[str, list[_Numbered]] = defaultdict(list)
        checked = 0  # tokens that there is room for
        for number, request in enumerate(requests):
            try:
                built = prompt.build(request, loaded.tokenizer, loaded.context)
                prompt.check_tokens(built.ids, loaded.model, loaded.candidate)
                needed = built.ids.shape[1] + request.generation.max_new_tokens
                if needed > checked:
                    memory_check.check_run(loaded.model.config, loaded.candidate, device, needed)
                    checked = needed
                if label_tokens := self._label_tokens(request):
                    length = built.ids.shape[1]
                    memory_check.check_verdict(loaded.model.config, loaded.candidate, device, length, label_tokens)
                groups[request.language].append((number, built))
            except LlmopsError as error:
                results[number] = error
        loaded.layer_interrupt.enable()
        try:
            self._run_groups(requests, groups, results)
        finally:
            loaded.layer_interrupt.disable()
        return [
            result if isinstance(result, LlmopsError) else replace(result, memory=memory)
            for result in (results[number] for number in range(len(requests)))
        ]

    def _run_groups(self, requests: Sequence[Request], groups: dict[str, list[_Numbered]], results: _Results) -> None:
        """Each language's prompts, as many at a time as there is room for."""
        loaded, device = self._loaded, self._device
        for group in groups.values():
            longest = max(built.ids.shape[1] for _, built in group) + requests[group[0][0]].generation.max_new_tokens
            label_tokens = self._label_tokens(requests[group[0][0]])
            rows = memory_check.rows_that_fit(loaded.model.config, loaded.candidate, device, longest, label_tokens)
            for start in range(0, len(group), rows):
                results.update(self._batch(requests, group[start : start + rows]))

    def _label_tokens(self, request: Request) -> int:
        """Tokens of all answer words, which lie behind each prompt where the verdict alone is asked; else 0."""
        words = self._words(request) if request.verdict_only else None
        return sum(map(len, words.ids)) if words else 0

    def _words(self, request: Request) -> answer_tokens.AnswerTokens | None:
        ends = self._loaded.base_config.eos_token_id or ()
        answers = tuple(request.task.answers(request.language).items())
        if answers not in self._tokenized:
            self._tokenized = {answers: answer_tokens.tokenize_answers(self._loaded.tokenizer, dict(answers), ends)}
        return self._tokenized[answers]

    def forget(self) -> None:
        """Drop what was kept, which lies on the device where the model was."""
        self._prefix_cache = PrefixCache()

    @property
    def _device(self) -> str:
        return str(self._loaded.model.device)

    def _batch(self, requests: Sequence[Request], group: Sequence[_Numbered]) -> _Results:
        """One batch of one language; halved where it does not work, so that only the text at fault fails."""
        try:
            return self._answers(requests, group)
        except stream.Interrupted:
            raise Stopped("Stopped while a batch was running.") from None
        except RuntimeError as error:
            loaded, full = self._loaded, memory_check.is_out_of_memory(error)
            explained = (
                memory_check.release_and_explain(error, loaded.candidate, self._device)
                if full
                else LlmopsError(f"{type(error).__name__}: {error}"[:500], "Run this text alone.")
            )
        if len(group) == 1:
            return {group[0][0]: explained}
        half = len(group) // 2
        return self._batch(requests, group[:half]) | self._batch(requests, group[half:])

    def _answers(self, requests: Sequence[Request], group: Sequence[_Numbered]) -> _Results:
        loaded, first = self._loaded, requests[group[0][0]]
        # A thought comes before the verdict, so the words after the prompt say nothing then.
        thinks = any(built.opens_thinking for _, built in group)
        words = None if thinks else self._words(first)
        max_tokens = first.generation.max_new_tokens
        tokens = min(_VERDICT_TOKENS, max_tokens) if first.verdict_only and words else max_tokens
        prompts = [built.ids[0].tolist() for _, built in group]
        batch = batching.PromptBatch(prompts, words, tokens, first.verdict_only)
        batch_answers = batching.answer_batch(
            loaded.model, loaded.base_config, self._prefix_cache, batch, stop_when(loaded.interrupt.is_set)
        )
        if loaded.interrupt.is_set():
            raise Stopped("Stopped while a batch was running.")
        runs = {
            number: self._run(requests[number], built, answer)
            for (number, built), answer in zip(group, batch_answers, strict=True)
        }
        cut_off = {number for number, run in runs.items() if run.unparsed and run.finish == "length"}
        if tokens < max_tokens and cut_off:  # no verdict so early: these are asked for the whole answer
            whole = [replace(request, verdict_only=False) for request in requests]
            return {**runs, **self._answers(whole, [member for member in group if member[0] in cut_off])}
        return {**runs}

    def _run(self, request: Request, built: prompt.TokenizedPrompt, answer: batching.BatchAnswer) -> Run:
        loaded = self._loaded
        text = loaded.tokenizer.decode(list(answer.ids), skip_special_tokens=True)
        label = read_verdict(("<think>" if built.opens_thinking else "") + text, request.task, request.language)
        measured = ("tokens", "memory", *(("probabilities",) if answer.shares else ()))
        return Run(
            candidate=str(loaded.candidate),
            text=text,
            label=label,
            unparsed=label is None,
            probabilities=answer.shares,
            timing=Timing(prompt_tokens=built.ids.shape[1], output_tokens=len(answer.ids)),
            source=dict.fromkeys(measured, Source.CLIENT),
            notes=built.notes,
            finish="verdict" if answer.proven else sampling.finish(loaded.base_config, answer.ids),
        )
