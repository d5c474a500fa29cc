"""Token likelihoods out of a decoder's hidden states: its output layer only where it is needed, some places at a time.

Logits of every place at once are (places × vocabulary) numbers: 77 labels of four tokens and a vocabulary of 152,000
made half a gigabyte for one text. A model whose logits are more than its output layer's is found out by one token.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

LOGITS_BYTES = 128_000_000  # of logits at a time: what memory_check counts
_BESIDE = 8  # bytes a logit beside the model's own format: in fp32, and its exponential
_After = Callable[["torch.Tensor", Any], "torch.Tensor"]
_FOUND: "WeakKeyDictionary[PreTrainedModel, _After | None]" = WeakKeyDictionary()


class OutputHead:
    """A model as two steps: the states at the last places of its rows, and what is likely to follow them."""

    def __init__(self, model: "PreTrainedModel", after: _After | None) -> None:
        """after: what the model does to its output layer's logits; None: unknown, states are the logits themselves."""
        self._model, self._after = model, after

    def states(self, keep: int, **inputs: Any) -> "torch.Tensor":  # noqa: ANN401
        """(rows, keep, width) at the last `keep` places; inputs as the model's own."""
        if self._after is None:
            logits: torch.Tensor = self._model(**inputs, logits_to_keep=keep).logits
            return logits
        states: torch.Tensor = self._model.base_model(**inputs).last_hidden_state
        return states[:, -keep:]

    def read(
        self, states: "torch.Tensor", places: Sequence[int] = (), tokens: Sequence[int] = ()
    ) -> tuple["torch.Tensor", "torch.Tensor"]:
        """Out of (states, width): log-likelihood of each token after its place, float64; and each state's likeliest.

        places, tokens: of equal length, a place is the number of a state. Both results lie on the CPU.
        """
        import torch

        wanted = torch.tensor(list(places), dtype=torch.long, device=states.device)
        targets = torch.tensor(list(tokens), dtype=torch.long, device=states.device)
        found = torch.zeros(len(wanted), dtype=torch.float32, device=states.device)
        best = []
        rows = self._rows(states)
        for start in range(0, len(states), rows):
            logits = self._logits(states[start : start + rows]).float()
            best.append(logits.argmax(dim=-1))
            mine = (wanted >= start) & (wanted < start + rows)
            if mine.any():
                normalizers = torch.logsumexp(logits, dim=-1)
                here = wanted[mine] - start
                found[mine] = logits[here, targets[mine]] - normalizers[here]
        return found.double().cpu(), torch.cat(best).cpu() if best else targets.cpu()

    def _logits(self, states: "torch.Tensor") -> "torch.Tensor":
        if self._after is None:
            return states
        logits: torch.Tensor = self._model.get_output_embeddings()(states)
        return self._after(logits, _config(self._model))

    def _rows(self, states: "torch.Tensor") -> int:
        vocabulary = states.shape[-1] if self._after is None else _config(self._model).vocab_size
        return max(1, int(LOGITS_BYTES // (vocabulary * (states.element_size() + _BESIDE))))


def head_of(model: "PreTrainedModel") -> OutputHead:
    """The model's head; what follows its output layer is found once."""
    if model not in _FOUND:
        _FOUND[model] = _after(model)
    return OutputHead(model, _FOUND[model])


def _after(model: "PreTrainedModel") -> _After | None:
    """What follows the output layer: the first of those known that gives the model's own logits of a token."""
    import torch

    if model.get_output_embeddings() is None or model.base_model is model:
        return None
    ids = torch.ones(1, 1, dtype=torch.long, device=model.device)
    try:
        with torch.inference_mode():
            expected = model(input_ids=ids, use_cache=False).logits
            plain = model.get_output_embeddings()(model.base_model(input_ids=ids, use_cache=False).last_hidden_state)
    except (TypeError, AttributeError, ValueError):
        return None
    config = _config(model)
    for name, after in _KNOWN.items():
        if (not name or getattr(config, name, None) is not None) and torch.allclose(
            after(plain, config).float(), expected.float(), rtol=1e-3, atol=1e-4, equal_nan=True
        ):
            return after
    return None


def _softcapped(logits: "torch.Tensor", config: Any) -> "torch.Tensor":  # noqa: ANN401
    import torch

    capped: torch.Tensor = torch.tanh(logits / config.final_logit_softcapping) * config.final_logit_softcapping
    return capped


_KNOWN: dict[str, _After] = {
    # The setting that has to be there → what it makes of the logits (Gemma 2, Cohere, Granite).
    "": lambda logits, _config: logits,
    "final_logit_softcapping": _softcapped,
    "logit_scale": lambda logits, config: logits * config.logit_scale,
    "logits_scaling": lambda logits, config: logits / config.logits_scaling,
}


def _config(model: "PreTrainedModel") -> Any:  # noqa: ANN401
    return model.config.get_text_config(decoder=True)
