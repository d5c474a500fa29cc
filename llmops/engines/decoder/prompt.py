"""A task's text as token ids: chat template, system role or none, and the context limit. Knows no generation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmops.core.candidate import Candidate
from llmops.core.errors import ContextTooLong, ModelRefused
from llmops.core.request import Request
from llmops.engines.decoder import memory_check

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

_CUT_TRIES = 4
_TEMPLATES = 32
_SYSTEM_ROLE: dict[str, bool] = {}  # chat template → whether it takes a system turn
_TAIL = 8  # tokens in which a template would open a thought


@dataclass(frozen=True)
class TokenizedPrompt:
    """ids: (1, tokens). notes say what was done to make it fit. opens_thinking: the template has begun a thought."""

    ids: "torch.Tensor"
    notes: tuple[str, ...]
    opens_thinking: bool = False


def context_length(config: "PretrainedConfig", tokenizer: "PreTrainedTokenizerBase") -> int:
    """Tokens of prompt and answer together."""
    text = config.get_text_config()
    for name in ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"):
        value = getattr(text, name, None)
        if isinstance(value, int) and value > 0:
            return value
    return min(int(tokenizer.model_max_length), 1_000_000)


def build(request: Request, tokenizer: "PreTrainedTokenizerBase", limit: int) -> TokenizedPrompt:
    """The prompt of a request. Raises ContextTooLong unless the request allows cutting the text."""
    room = room_of(request, limit)
    ids, notes = _render(request, request.text, tokenizer)
    thinking = tokenizer.decode(ids[0, -_TAIL:]).rstrip().endswith("<think>")
    used = ids.shape[1]
    if used <= room:
        return TokenizedPrompt(ids, notes, thinking)
    if request.long_texts != "cut":
        raise ContextTooLong(
            f"The prompt has {used:,} tokens; {room:,} fit beside {request.generation.max_new_tokens:,} new ones "
            f"(context {limit:,}).",
            f"Shorten the text to about {len(request.text) * room // used:,} characters, or have long texts cut or "
            "read in windows (run settings, long_texts in a program).",
        )
    text_ids = tokenizer(request.text, add_special_tokens=False)["input_ids"]
    keep = len(text_ids) - (used - room)
    for _ in range(_CUT_TRIES):
        if keep < 1:
            break
        # A cut through a character leaves U+FFFD at the end.
        ids, notes = _render(request, tokenizer.decode(text_ids[:keep]).rstrip("\ufffd"), tokenizer)
        if ids.shape[1] <= room:
            cut = f"The text was cut: the last {len(text_ids) - keep:,} of its {len(text_ids):,} tokens were left out."
            return TokenizedPrompt(ids, (*notes, cut), thinking)
        keep -= max(1, ids.shape[1] - room)  # cutting can split a character into more tokens
    raise ContextTooLong(f"The instruction alone needs more than {room:,} tokens.", "Lower max new tokens.")


def room_of(request: Request, limit: int) -> int:
    """Tokens that are left for the prompt beside the new ones. Raises ContextTooLong where there are none."""
    room = limit - request.generation.max_new_tokens
    if room < 1:
        raise ContextTooLong(
            f"{request.generation.max_new_tokens:,} new tokens leave no room in a context of {limit:,}.",
            "Lower max new tokens.",
        )
    return room


def lengths(request: Request, texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """Tokens of the request's prompt with each of the texts in its place."""
    return [_render(request, text, tokenizer)[0].shape[1] for text in texts]


def check(
    ids: "torch.Tensor", model: "PreTrainedModel", candidate: Candidate, device: str, max_new_tokens: int
) -> None:
    """Raise ModelRefused for a token that the model does not know, OutOfMemory where the cache would not fit."""
    check_tokens(ids, model, candidate)
    memory_check.check_run(model.config, candidate, device, ids.shape[1] + max_new_tokens)


def check_tokens(ids: "torch.Tensor", model: "PreTrainedModel", candidate: Candidate) -> None:
    """Raise ModelRefused for a token that the model does not know."""
    rows = model.get_input_embeddings().weight.shape[0]
    if int(ids.max()) >= rows:  # on CUDA such an id would take the whole process's context down
        raise ModelRefused(
            f"The tokenizer of “{candidate.model}” makes token {int(ids.max())}; the model knows {rows}.",
            "The files do not belong together: fetch the model again.",
        )


def _render(
    request: Request, text: str, tokenizer: "PreTrainedTokenizerBase"
) -> tuple["torch.Tensor", tuple[str, ...]]:
    messages = request.task.messages(text, request.language)
    messages = [message for message in messages if message["content"]]
    if not tokenizer.chat_template:
        plain = "\n\n".join(message["content"] for message in messages) + "\n\n"
        note = "This model has no chat template: instruction and text were sent as plain text."
        return tokenizer(plain, return_tensors="pt", split_special_tokens=True)["input_ids"], (note,)
    if _takes_system_role(tokenizer, messages):
        return _apply(tokenizer, messages), ()
    folded = [{"role": "user", "content": "\n\n".join(message["content"] for message in messages)}]
    return _apply(tokenizer, folded), ("This model has no system role: the instruction went into the user turn.",)


def _apply(tokenizer: "PreTrainedTokenizerBase", messages: list[dict[str, str]], **kwargs: Any) -> Any:  # noqa: ANN401
    rendered = tokenizer.apply_chat_template(
        messages,
        add_generation_prompt=True,
        return_tensors="pt",
        sanitize_control_tokens=True,  # a user's text can't open a system turn
        enable_thinking=False,  # templates without such a switch ignore it
        **kwargs,
    )
    return rendered["input_ids"]


def _takes_system_role(tokenizer: "PreTrainedTokenizerBase", messages: list[dict[str, str]]) -> bool:
    """False where the template refuses a system turn (gemma-2) or drops it silently."""
    if messages[0]["role"] != "system":
        return True
    template = str(tokenizer.chat_template)  # some have several, by name
    if template not in _SYSTEM_ROLE:
        if len(_SYSTEM_ROLE) >= _TEMPLATES:
            _SYSTEM_ROLE.clear()
        _SYSTEM_ROLE[template] = _renders_system_role(tokenizer)
    return _SYSTEM_ROLE[template]


def _renders_system_role(tokenizer: "PreTrainedTokenizerBase") -> bool:
    import jinja2

    probe = [{"role": "system", "content": "PROBE"}, {"role": "user", "content": "x"}]
    try:
        return "PROBE" in str(tokenizer.apply_chat_template(probe, add_generation_prompt=True, tokenize=False))
    except jinja2.exceptions.TemplateError:
        return False
