"""The decision report: one evaluation's rows, assumptions and limits in, everything that is shown of them out. Pure.

The page, the endpoints, the command line and reports all read this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import Field

from llmops.catalog.prices import TokenPrice
from llmops.core.candidate import Kind
from llmops.core.errors import InputError
from llmops.core.given import Names
from llmops.decision.assumptions import Assumptions, AssumptionSettings
from llmops.decision.cost import BreakEven, Cost, break_even
from llmops.decision.decide import AXES, QUALITY, Axis, Decision, Limits, decide
from llmops.decision.figures import CandidateFigures, figures
from llmops.decision.usage import parsed
from llmops.evaluation.metrics import Metrics
from llmops.evaluation.pairs import compare_all
from llmops.history.evaluations import Evaluation, Row


class DecisionSettings(AssumptionSettings):
    """A decision as it is asked for: hard limits (left out: no limit), axis, weights, and what cost rests on."""

    stays_here: bool = Field(False, description="data must not leave the machine")
    no_gpu: bool = Field(False, description="there is no GPU to run on")
    max_memory_gb: float | None = Field(None, ge=0, le=1e6, description="memory on this machine, in GB (1e9 bytes)")
    max_p95_s: float | None = Field(None, ge=0, le=1e6, description="seconds that 95 of 100 texts may take")
    max_cost: float | None = Field(None, ge=0, le=1e9, description="budget for 1,000 requests, in the chosen currency")
    min_macro_f1: float | None = Field(None, ge=0, le=1, description="least quality, 0 to 1")
    licences: Names | None = Field(None, examples=[["Apache-2.0", "MIT"]], description="those that are allowed")
    keep_unknown: bool = Field(False, description="an unknown figure under a limit is no exclusion")
    margin: float | None = Field(
        None, ge=0, le=1, description=f"how much less accurate a cheaper choice may be, {Limits.margin} unless told"
    )
    axis: Axis = Field("cost", title="axis", description=f"what quality is set against: {', '.join(AXES)}")
    weights: dict[str, Any] | None = Field(
        None, examples=[{"quality": 2, "cost": 1}], description=f"of {QUALITY} and the axes, each a number"
    )

    @property
    def limits(self) -> Limits:
        """The hard limits."""
        return Limits(
            stays_here=self.stays_here,
            no_gpu=self.no_gpu,
            max_memory_bytes=None if self.max_memory_gb is None else self.max_memory_gb * 1e9,
            max_p95_s=self.max_p95_s,
            max_cost=self.max_cost,
            min_macro_f1=self.min_macro_f1,
            licences=self.licences or (),
            keep_unknown=self.keep_unknown,
            margin=Limits.margin if self.margin is None else self.margin,
        )


@dataclass(frozen=True)
class DecisionReport:
    """An evaluation's decision. apis: what the own machines are set against; those of the evaluation, or one that was
    reckoned from another candidate's tokens."""

    evaluation: Evaluation
    at: Assumptions
    limits: Limits
    figures: tuple[CandidateFigures, ...]
    decision: Decision
    apis: tuple[Cost, ...]
    break_evens: tuple[BreakEven, ...]

    @property
    def owns(self) -> tuple[Cost, ...]:
        """Costs of the candidates that need a machine here."""
        return tuple(figures.cost for figures in self.figures if figures.cost.usd is not None and figures.cost.machines)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "evaluation": asdict(self.evaluation),
            "assumptions": asdict(self.at),
            "limits": asdict(self.limits),
            "candidates": [figures.to_json() for figures in self.figures],
            "decision": self.decision.to_json(),
            "break_even": [asdict(each) for each in self.break_evens],
        }


def make_decision_report(
    evaluation: Evaluation,
    rows: Sequence[Row],
    given: str | Mapping[str, Any] | None,
    known: Sequence[Metrics] | None = None,
) -> DecisionReport:
    """given: an object with any of DecisionSettings; known: as in figures.figures. Raises InputError."""
    asked = DecisionSettings.read(given)
    limits, at = asked.limits, asked.assumptions(evaluation.machine)
    if not rows:
        raise InputError(f"Nothing is kept of evaluation {evaluation.id} yet.", "Run it, or choose another one.")
    candidate_figures = figures(rows, evaluation.labels, evaluation.candidates, at, known)
    compared = compare_all(rows, [each.candidate for each in candidate_figures])
    decision = decide(candidate_figures, limits, asked.axis, compared, at.currency.sign, asked.weights)
    costs = [each.cost for each in candidate_figures]
    apis = tuple(cost for cost in costs if cost.usd is not None and not cost.machines) or reckoned(rows, at)
    pairs = [break_even(own, api, at) for own in costs for api in apis]
    break_evens = tuple(pair for pair in pairs if pair is not None)
    return DecisionReport(evaluation, at, limits, tuple(candidate_figures), decision, apis, break_evens)


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
