"""What a recorded run used, stage by stage: where, how long, how many tokens. Cost and energy are sums over these."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from llmops.candidate import Candidate, Kind, parse_candidate
from llmops.catalog import kinds
from llmops.errors import InputError


@dataclass(frozen=True)
class Part:
    """One stage of a run, or the whole of one without stages. here: its work was done on this machine.

    sent_to: who got the text; empty: nobody. measured_wh: above idle, where counters told.
    """

    candidate: Candidate
    here: bool
    device: str | None
    sent_to: str
    e2e_s: float | None
    prompt_tokens: int | None
    output_tokens: int | None
    measured_wh: float | None

    @property
    def name(self) -> str:
        """The candidate's text without options, as prices are listed."""
        return str(self.candidate).partition("?")[0]


def parts(run: Mapping[str, Any]) -> tuple[Part, ...]:
    """The parts of a run as Run.to_json gives it; none where its candidate can't be read."""
    stages = run.get("stages") or [
        {
            "candidate": run["candidate"],
            "timing": run["timing"],
            "device": run["memory"]["device"],
            "energy": run.get("energy"),
        }
    ]
    found = []
    for stage in stages:
        candidate = parsed(stage["candidate"])
        if candidate is None or candidate.stages:
            return ()
        remote = candidate.kind in (Kind.OPENAI, Kind.HOSTED)
        # A record from before it was told: an endpoint is elsewhere unless it says otherwise.
        sent_to = run.get("sent_to", "an endpoint") if remote else ""
        timing, energy = stage["timing"], stage.get("energy")
        found.append(
            Part(
                candidate,
                here=not sent_to,
                device="cpu" if remote else stage["device"],
                sent_to=sent_to or "",
                e2e_s=timing["e2e_s"],
                prompt_tokens=timing["prompt_tokens"],
                output_tokens=timing["output_tokens"],
                measured_wh=energy["wh"] if energy else None,
            )
        )
    return tuple(found)


@lru_cache(maxsize=256)
def parsed(text: str) -> Candidate | None:
    """A candidate; None where its text can't be read."""
    try:
        return parse_candidate(text, kinds())
    except InputError:
        return None
