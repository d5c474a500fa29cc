"""The decision board: one evaluation's rows, assumptions and limits in, everything that is shown of them out. Pure.

The page, the endpoints, the command line and reports all read this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from llmops.catalog.prices import TokenPrice
from llmops.core.candidate import Kind
from llmops.core.errors import InputError
from llmops.core.json_object import as_object
from llmops.decision.assumptions import NAMES, Assumptions, assume
from llmops.decision.cost import BreakEven, Cost, break_even
from llmops.decision.decide import Decision, Limits, decide
from llmops.decision.figures import Figures, figures
from llmops.decision.usage import parsed
from llmops.evaluation.metrics import Metrics, compare
from llmops.history.evaluations import Evaluation, Row

LIMIT_NAMES = (
    "stays_here", "no_gpu", "max_memory_gb", "max_p95_s", "max_cost", "min_macro_f1", "licences", "keep_unknown",
    "margin",
)  # fmt: skip
_FLAGS = ("stays_here", "no_gpu", "keep_unknown")
_NUMBERS = {"max_memory_gb": 1e6, "max_p95_s": 1e6, "max_cost": 1e9, "min_macro_f1": 1.0, "margin": 1.0}


@dataclass(frozen=True)
class Board:
    """An evaluation's decision. apis: what the own machines are set against; those of the evaluation, or one that was
    reckoned from another candidate's tokens."""

    evaluation: Evaluation
    at: Assumptions
    limits: Limits
    figures: tuple[Figures, ...]
    decision: Decision
    apis: tuple[Cost, ...]
    break_evens: tuple[BreakEven, ...]

    @property
    def owns(self) -> tuple[Cost, ...]:
        """Costs of the candidates that need a machine here."""
        return tuple(one.cost for one in self.figures if one.cost.usd is not None and one.cost.machines)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "evaluation": asdict(self.evaluation),
            "assumptions": asdict(self.at),
            "limits": asdict(self.limits),
            "candidates": [one.to_json() for one in self.figures],
            "decision": self.decision.to_json(),
            "break_even": [asdict(one) for one in self.break_evens],
        }


def make_board(
    found: Evaluation,
    rows: Sequence[Row],
    given: str | Mapping[str, Any] | None,
    known: Sequence[Metrics] | None = None,
) -> Board:
    """given: an object with any of LIMIT_NAMES, assumptions.NAMES, axis and weights; known: as in figures.figures.

    Raises InputError.
    """
    data = dict(as_object(given))
    axis, weights = data.pop("axis", "cost"), data.pop("weights", None)
    limits, at = read_limits(data), read_assumptions(data, found.machine)
    if not rows:
        raise InputError(f"Nothing is kept of evaluation {found.id} yet.", "Run it, or choose another one.")
    if weights is not None and not isinstance(weights, Mapping):
        raise InputError("weights is an object.", 'Write "weights": {"quality": 2, "cost": 1}.')
    made = figures(rows, found.labels, found.candidates, at, known)
    decision = decide(made, limits, axis, lambda one, other: compare(rows, one, other), at.currency.sign, weights)
    apis = tuple(one.cost for one in made if one.cost.usd is not None and not one.cost.machines)
    apis = apis or reckoned(rows, at)
    owns = [one.cost for one in made]
    pairs = [break_even(own, api, at) for own in owns for api in apis]
    return Board(found, at, limits, tuple(made), decision, apis, tuple(one for one in pairs if one is not None))


def read_limits(data: Mapping[str, Any]) -> Limits:
    """Limits out of an object's LIMIT_NAMES. Raises InputError for a value that is none, and for an unknown name."""
    unknown = sorted(set(data) - {*LIMIT_NAMES, *NAMES})
    if unknown:
        known = ", ".join((*LIMIT_NAMES, "axis", "weights", *NAMES))
        raise InputError(f"Unknown setting: {', '.join(unknown)}.", f"Known: {known}.")
    for name in _FLAGS:
        if not isinstance(data.get(name, False), bool):
            raise InputError(f"{name} is true or false; it is {data[name]!r}.", f'Write "{name}": true.')
    for name, most in _NUMBERS.items():
        value = data.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise InputError(f"{name} is a number from 0 to {most:g}; it is {value!r}.", f"Correct {name}.")
    licences = data.get("licences") or []
    if not isinstance(licences, list | tuple) or not all(isinstance(one, str) for one in licences):
        raise InputError("licences is a list of names.", 'Write "licences": ["Apache-2.0", "MIT"].')
    memory, margin = data.get("max_memory_gb"), data.get("margin")
    return Limits(
        stays_here=data.get("stays_here", False),
        no_gpu=data.get("no_gpu", False),
        max_memory_bytes=None if memory is None else memory * 1e9,
        max_p95_s=data.get("max_p95_s"),
        max_cost=data.get("max_cost"),
        min_macro_f1=data.get("min_macro_f1"),
        licences=tuple(licences),
        keep_unknown=data.get("keep_unknown", False),
        margin=Limits.margin if margin is None else margin,
    )


def read_assumptions(data: Mapping[str, Any], hardware: str) -> Assumptions:
    """Assumptions out of an object's assumptions.NAMES. Raises InputError."""
    return assume({name: data[name] for name in NAMES if name in data}, hardware)


def reckoned(rows: Sequence[Row], at: Assumptions) -> tuple[Cost, ...]:
    """What each API with a price would ask for what a decoder of this evaluation read and wrote; estimated.

    Tokens differ between models, so this is a first guess where no API was evaluated.
    """
    by_candidate: dict[str, list[tuple[int, int]]] = {}
    for row in rows:
        candidate, timing = parsed(row.candidate), row.run.timing
        if candidate is None or candidate.kind != Kind.DECODER or row.failed:
            continue
        if timing.prompt_tokens is not None and timing.output_tokens is not None:
            by_candidate.setdefault(row.candidate, []).append((timing.prompt_tokens, timing.output_tokens))
    if not by_candidate:
        return ()
    name, tokens = next(iter(by_candidate.items()))
    return tuple(
        _reckoned(price, name, tokens) for price in at.tokens if price.model.startswith(("openai/", "hosted/"))
    )


def _reckoned(price: TokenPrice, name: str, tokens: Sequence[tuple[int, int]]) -> Cost:
    usd = sum(read * price.input_usd + wrote * price.output_usd for read, wrote in tokens) / len(tokens) / 1e6
    return Cost(f"{price.model} (estimated from the tokens of {name})", usd, "", "by tokens, estimated", usd, {})
