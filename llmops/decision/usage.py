"""What a recorded run used, stage by stage: where, how long, how many tokens. Cost and energy are sums over these.

Texts that ran alone and texts that shared a batch are never mixed in one figure: `basis` picks one kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from llmops.catalog.models import model_kinds
from llmops.core.candidate import Candidate, Kind, parse_candidate
from llmops.core.errors import InputError
from llmops.core.run import Run, Stage
from llmops.evaluation.batch_sizes import batch_share_s, ran_alone
from llmops.history.evaluations import Row


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


def parts(run: Run) -> tuple[Part, ...]:
    """The parts of a run; none where its candidate can't be read."""
    stages = run.stages or (Stage(run.candidate, run.timing, run.memory.device, run.energy),)
    share_s = batch_share_s(run)
    used = []
    for stage in stages:
        candidate = parsed(stage.candidate)
        if candidate is None or candidate.stages:
            return ()
        remote = candidate.kind in (Kind.OPENAI, Kind.HOSTED)
        # A record from before it was told: an endpoint is elsewhere unless it says otherwise.
        sent_to = ("an endpoint" if run.sent_to is None else run.sent_to) if remote else ""
        used.append(
            Part(
                candidate,
                here=not sent_to,
                device="cpu" if remote else stage.device,
                sent_to=sent_to,
                e2e_s=stage.timing.e2e_s,
                busy_s=stage.timing.e2e_s if share_s is None else share_s,
                prompt_tokens=stage.timing.prompt_tokens,
                output_tokens=stage.timing.output_tokens,
                measured_wh=stage.energy.wh if stage.energy else None,
            )
        )
    return tuple(used)


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
