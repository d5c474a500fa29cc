"""What a plan and a dry run are asked with."""

from pydantic import Field

from llmops.core.given import GivenSettings, Text, Whole
from llmops.sizing.memory import PRECISIONS, Precision

MOST_TOKENS, MOST_REQUESTS = 100_000_000, 1_000_000
_MODEL = "catalogue or hub id, embedded/decoder, or a folder"
_PRECISION = ", ".join(PRECISIONS)


class PlanSettings(GivenSettings):
    """How a model would run."""

    precision: Precision = Field("bf16", title="precision", description=_PRECISION)
    context: Whole = Field(4096, ge=2, le=MOST_TOKENS, description="tokens of prompt and answer together")
    requests: Whole = Field(1, ge=1, le=MOST_REQUESTS, description="requests at a time")
    new_tokens: Whole = Field(128, ge=1, le=MOST_TOKENS, description="tokens of the answer")


class GivenPlan(PlanSettings):
    """A plan as it is asked for."""

    model: str = Field(description=_MODEL)
    gpu: Text = Field(None, description="one GPU by name; else all")


class GivenDryRun(GivenSettings):
    """A dry run as it is asked for."""

    model: str = Field(description=_MODEL)
    precision: Precision = Field("bf16", title="precision", description=_PRECISION)
    layers: Whole | None = Field(
        None, description="measure so many and stretch to the whole, marked estimated; else all"
    )
    prompt_tokens: Whole = Field(128, description="read at once")
    new_tokens: Whole = Field(32, description="written one by one")
