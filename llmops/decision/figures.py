"""Each candidate's figures for a decision: quality, p95, memory, cost, energy, licence, and what leaves the machine."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from llmops.catalog.models import find_model
from llmops.core.candidate import Candidate
from llmops.core.statistics import percentile
from llmops.decision.assumptions import Assumptions
from llmops.decision.cost import Cost, cost
from llmops.decision.energy import EnergyUse, energy
from llmops.decision.usage import basis, parsed, parts
from llmops.evaluation.batch_sizes import ran_alone
from llmops.evaluation.metrics import Metrics, measure
from llmops.history.evaluations import Row

_LATE = 95


@dataclass(frozen=True)
class CandidateFigures:
    """One candidate. cost_per_1000 in the chosen currency; memory_bytes: weights and highest extra here; None: unknown.

    leaving: share of the texts that were sent elsewhere. licences: None where one is not known.
    """

    candidate: str
    texts: int
    accuracy: float
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    p95_s: float | None
    memory_bytes: int | None
    here: bool
    needs_gpu: bool
    leaving: float
    licences: tuple[str, ...] | None
    privacy: str
    cost: Cost
    cost_per_1000: float | None
    energy: EnergyUse

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        data = asdict(self)
        data["energy"]["source"] = str(self.energy.source)
        return data


def figures(
    rows: Sequence[Row],
    labels: Sequence[str],
    order: Sequence[str],
    at: Assumptions,
    known: Sequence[Metrics] | None = None,
) -> list[CandidateFigures]:
    """Figures of each candidate that has rows, in `order`. Repeats count once: the first.

    known: the rows' metrics, where they were measured before; bootstrapping them takes most of the time.
    """
    by_candidate: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.repeat == 0:
            by_candidate[row.candidate].append(row)
    measured = {metrics.candidate: metrics for metrics in (known if known is not None else measure(rows, labels))}
    names = [*(name for name in order if name in by_candidate), *(name for name in by_candidate if name not in order)]
    return [_figures(name, by_candidate[name], measured[name], at) for name in names]


def _figures(candidate: str, rows: Sequence[Row], measured: Metrics, at: Assumptions) -> CandidateFigures:
    answered = [row for row in rows if not row.failed]
    used = [part for row in answered for part in parts(row.run)]
    sent = [row for row in answered if any(part.sent_to for part in parts(row.run))]
    spent = cost(candidate, rows, at)
    here = any(part.here for part in used)
    return CandidateFigures(
        candidate=candidate,
        texts=len(rows),
        accuracy=measured.accuracy,
        macro_f1=measured.macro_f1,
        macro_f1_interval=measured.macro_f1_interval,
        p95_s=_p95_s([row for row in answered if ran_alone(row.run)]),
        memory_bytes=_memory(basis(rows, at.together)) if here else None,
        here=here,
        needs_gpu=any((part.device or "").startswith(("cuda", "mps")) for part in used),
        leaving=len(sent) / len(answered) if answered else 0.0,
        licences=licences(parsed(candidate)),
        privacy=privacy(answered),
        cost=spent,
        cost_per_1000=at.money(None if spent.usd is None else 1000 * spent.usd),
        energy=energy(candidate, rows, at),
    )


def _p95_s(rows: Sequence[Row]) -> float | None:
    """None where any time is unknown, or there are none."""
    known = [seconds for row in rows if (seconds := row.run.timing.e2e_s) is not None]
    return percentile(known, _LATE) if len(known) == len(rows) else None


def _memory(rows: Sequence[Row]) -> int | None:
    """Weights and the highest extra of any run; None where either is unknown."""
    weights = [row.run.memory.weights_bytes for row in rows]
    peaks = [row.run.memory.peak_bytes for row in rows]
    known = [value for value in weights if value is not None], [value for value in peaks if value is not None]
    if not rows or any(len(values) < len(rows) for values in known):
        return None
    return max(known[0]) + max(known[1])


def licences(candidate: Candidate | None) -> tuple[str, ...] | None:
    """The catalogue's licence of a candidate, or of both stages; None where one is not in the catalogue."""
    if candidate is None:
        return None
    specs = [find_model(stage) for stage in candidate.stages or (candidate,)]
    return None if None in specs else tuple(dict.fromkeys(spec.licence for spec in specs if spec))


def privacy(rows: Sequence[Row]) -> str:
    """What left the machine and to whom, in a sentence, from the recorded runs."""
    receivers = [sorted({part.sent_to for part in parts(row.run) if part.sent_to}) for row in rows]
    sent = [names for names in receivers if names]
    if not rows:
        return "No text was answered."
    if not sent:
        return "Nothing leaves this machine."
    whom = " and ".join(sorted({name for names in sent for name in names}))
    if len(sent) == len(rows):
        return f"Every text leaves this machine: it is sent to {whom}."
    return f"{len(sent) / len(rows):.0%} of the texts leave this machine: they are sent to {whom}."
