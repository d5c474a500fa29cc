"""What a recorded run used, stage by stage: where, how long, how many tokens. Cost and energy are sums over these.

Texts that ran alone and texts that shared a batch are never mixed in one figure: `basis` picks one kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from llmops.catalog.models import model_kinds
from llmops.core.candidate import Candidate, Kind, parse_candidate
from llmops.core.errors import InputError
from llmops.evaluation.batch_sizes import ran_alone
from llmops.history.store import Row


@dataclass(frozen=True)
class Part:
    """One stage of a run, or the whole of one without stages. here: its work was done on this machine.

    e2e_s: its own latency. busy_s: what it took of its machine: that, or its share of its batch's seconds.
    sent_to: who got the text; empty: nobody. measured_wh: above idle, where counters told.
    """

    candidate: Candidate
    here: bool
    device: str | None
    sent_to: str
    e2e_s: float | None
    busy_s: float | None
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
    settings = run.get("settings") or {}
    shared = settings["batch_s"] / settings["batch_texts"] if "batch_texts" in settings else None
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
                busy_s=timing["e2e_s"] if shared is None else shared,
                prompt_tokens=timing["prompt_tokens"],
                output_tokens=timing["output_tokens"],
                measured_wh=energy["wh"] if energy else None,
            )
        )
    return tuple(found)


def basis(rows: Sequence[Row], together: bool) -> list[Row]:
    """The answered rows that a candidate's times, cost and energy are taken from.

    Those that ran alone; together: those that shared a batch. Where there are none of the kind, the other.
    """
    answered = [row for row in rows if not row.failed]
    batched = [row for row in answered if not ran_alone(row.run)]
    alone = [row for row in answered if ran_alone(row.run)]
    return (batched or alone) if together else (alone or batched)


@lru_cache(maxsize=256)
def parsed(text: str) -> Candidate | None:
    """A candidate; None where its text can't be read."""
    try:
        return parse_candidate(text, model_kinds())
    except InputError:
        return None
