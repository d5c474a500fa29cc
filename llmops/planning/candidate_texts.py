"""Candidate texts out of what a person picks: a model, precisions, and for an encoder how it learns."""

from llmops.catalog.models import model_kinds
from llmops.core.candidate import DEFAULT_K, Candidate, Kind, parse_candidate
from llmops.core.errors import InputError


def candidate_texts(kind: Kind, model: str, precisions: list[str], method: str, k: float | None) -> list[str]:
    """One a precision; k: examples a class. Raises InputError."""
    model = model.strip()
    if kind in (Kind.OPENAI, Kind.HOSTED):
        return [str(parse_candidate(str(Candidate(kind, model))))]
    if not precisions:
        raise InputError("No precision is ticked.", "Tick at least one.")
    options = tuple(sorted(_options(kind, model, method, k).items()))
    candidates = [Candidate(kind, model, precision, options) for precision in precisions]
    return [str(parse_candidate(str(candidate), model_kinds())) for candidate in candidates]


def _options(kind: Kind, model: str, method: str, k: float | None) -> dict[str, str]:
    """What the text must say beside the model: an encoder's method and k, else the kind where nothing tells it."""
    if kind == Kind.ENCODER and not model.startswith("trained/"):
        counted = k and k != DEFAULT_K and method != "zero-shot"
        return {"method": method} | ({"k": str(int(k))} if counted and k else {})
    kind_is_known = model_kinds().get(model) == kind or model.startswith(("embedded/", "trained/"))
    return {} if kind_is_known else {"kind": str(kind)}
