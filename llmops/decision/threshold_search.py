"""How a cascade's threshold is chosen: what it is to be best in, within which limits, and how that is asked for."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from pydantic import Field

from llmops.core.given import Seed
from llmops.decision.assumptions import AssumptionSettings

Goal = Literal["quality", "cost", "latency", "energy", "privacy"]
GOALS: tuple[str, ...] = get_args(Goal)


@dataclass(frozen=True)
class Bounds:
    """Limits of a choice; None: no limit. As in decide.Limits, and the share of texts that may leave."""

    max_cost: float | None = None
    max_p95_s: float | None = None
    max_leaving: float | None = None
    min_macro_f1: float | None = None


@dataclass(frozen=True)
class ThresholdSearch:
    """What the best threshold is best in (one of GOALS), within which limits; seed: of the split in two halves."""

    bounds: Bounds = field(default_factory=Bounds)
    goal: str = "quality"
    seed: int = 0


class CascadeSettings(AssumptionSettings):
    """A cascade's choice as it is asked for: goal, bounds (what is left out is none), and what cost rests on."""

    goal: Goal = Field("quality", title="goal", description=f"what the best threshold is best in: {', '.join(GOALS)}")
    seed: Seed | None = Field(None, description="of the split in two halves, 0 unless told")
    max_cost: float | None = Field(None, ge=0, le=1e9, description="for 1,000 requests, in the chosen currency")
    max_p95_s: float | None = Field(None, ge=0, le=1e6, description="seconds that 95 of 100 texts may take")
    max_leaving: float | None = Field(None, ge=0, le=1, description="share of texts that may leave this machine")
    min_macro_f1: float | None = Field(None, ge=0, le=1, description="least quality, 0 to 1")

    @property
    def search(self) -> ThresholdSearch:
        """How the threshold is chosen."""
        bounds = Bounds(self.max_cost, self.max_p95_s, self.max_leaving, self.min_macro_f1)
        return ThresholdSearch(bounds, self.goal, self.seed or 0)
