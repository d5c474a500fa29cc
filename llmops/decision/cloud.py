"""Why not just a cloud API? What the runs at hand say about each side of the question; nothing where they say nothing.

A side is one of SIDES; a sentence names the candidates and figures it rests on. The general text is the page's.
"""

from collections.abc import Sequence

from llmops.catalog.models import find_model
from llmops.core.errors import HistoryError
from llmops.core.format import count, rate, seconds
from llmops.core.run import Run
from llmops.decision.assumptions import Assumptions, assume
from llmops.decision.cost import request_usd
from llmops.decision.energy import request_wh
from llmops.decision.usage import parsed, parts
from llmops.hardware.machine import hardware
from llmops.history.evaluations import LabelledAnswer
from llmops.history.store import History

SIDES = (
    "privacy", "availability", "scaling", "latency", "limits", "cost", "footprint", "stability", "politics",
)  # fmt: skip


def from_runs_and_history(runs: Sequence[Run], history: History) -> dict[str, list[str]]:
    """Sentences of runs on this machine and of the owner's last evaluation, by side; the runs' alone without a history.

    What is wrong with the history is said where it is asked for.
    """
    sentences = from_runs(runs, assume({}, hardware().describe()))
    try:
        last = next((evaluation for evaluation in history.evaluations.newest() if not evaluation.origin), None)
        more = from_evaluation(last.id, history.evaluations.rows(last.id)) if last else {}
    except HistoryError:
        more = {}
    return {side: [*sentences.get(side, []), *more.get(side, [])] for side in SIDES}


def from_runs(runs: Sequence[Run], at: Assumptions) -> dict[str, list[str]]:
    """Sentences of one comparison, by side; a side it says nothing about is absent."""
    answered = [run for run in runs if run.error is None]
    sentences = {
        "privacy": [_sent(run) for run in answered],
        "availability": [f"{run.candidate} did not answer." for run in runs if _broke(run)],
        "scaling": [
            f"{run.candidate}: {rate(run.timing.texts_per_second, 'texts/s')}, one after the other."
            for run in answered
            if run.timing.texts_per_second
        ],
        "latency": [sentence for run in answered if (sentence := _latency(run))],
        "limits": [sentence for run in answered if (sentence := _tokens(run))],
        "cost": [sentence for run in answered if (sentence := _cost(run, at))],
        "footprint": [sentence for run in answered if (sentence := _energy(run, at))],
        "politics": [sentence for run in runs if (sentence := _weights(run))],
    }
    return {side: list(dict.fromkeys(of_side)) for side, of_side in sentences.items() if of_side}


def from_evaluation(number: int, rows: Sequence[LabelledAnswer]) -> dict[str, list[str]]:
    """Sentences of an evaluation: what failed, and what changed its mind when asked again."""
    failed, changed = [], []
    for name in dict.fromkeys(row.candidate for row in rows):
        own_rows = [row for row in rows if row.candidate == name]
        broken = sum(row.failed for row in own_rows)
        failed.append(f"Evaluation {number}, {name}: {broken:,} of {len(own_rows):,} answers failed.")
        verdicts_by_place: dict[int, list[str | None]] = {}
        for row in own_rows:
            verdicts_by_place.setdefault(row.place, []).append(row.y_hat)
        repeated = [verdicts for verdicts in verdicts_by_place.values() if len(verdicts) > 1]
        if repeated:
            differ = sum(len(set(verdicts)) > 1 for verdicts in repeated)
            changed.append(
                f"Evaluation {number}, {name}: {differ:,} of {len(repeated):,} verdicts changed when asked again."
            )
    sentences = {"availability": failed, "stability": changed}
    return {side: of_side for side, of_side in sentences.items() if of_side}


def _sent(run: Run) -> str:
    receivers = sorted({part.sent_to for part in parts(run) if part.sent_to})
    if receivers:
        return f"{run.candidate} sent the text to {' and '.join(receivers)}."
    return f"{run.candidate} kept the text on this machine."


def _broke(run: Run) -> bool:
    return run.error is not None and run.error.kind == "endpoint"


def _latency(run: Run) -> str:
    where = "elsewhere" if any(part.sent_to for part in parts(run)) else "here"
    if run.timing.e2e_s is None:
        return ""
    name, whole = f"{run.candidate}, {where}", seconds(run.timing.e2e_s)
    if run.timing.ttft_s is None:
        return f"{name}: all after {whole}."
    return f"{name}: first token after {seconds(run.timing.ttft_s)}, all after {whole}."


def _tokens(run: Run) -> str:
    """Tokens used, of the context where the catalogue knows it."""
    candidate = parsed(run.candidate)
    spec = find_model(candidate) if candidate and not candidate.stages else None
    if run.timing.prompt_tokens is None:
        return ""
    used = run.timing.prompt_tokens + (run.timing.output_tokens or 0)
    most = f" of {count(spec.context)}" if spec and spec.context else ""
    return f"{run.candidate}: {count(used)}{most} tokens used."


def _cost(run: Run, at: Assumptions) -> str:
    usd, _ = request_usd(run, at)
    money = at.money(None if usd is None else 1000 * usd)
    return "" if money is None else f"{run.candidate}: {money:.3g} {at.currency.code} for 1,000 such texts (estimated)."


def _energy(run: Run, at: Assumptions) -> str:
    wh, _ = request_wh(run, at)
    if wh is None:
        return ""
    low, high = (f"{1000 * end:.3g}" for end in wh)
    how = "measured" if run.energy is not None else "estimated"
    amount = low if low == high else f"{low} to {high}"
    return f"{run.candidate}: {amount} Wh for 1,000 such texts ({how})."


def _weights(run: Run) -> str:
    """Whether the weights could move: local and hosted open ones can, an API's own can't."""
    candidate = parsed(run.candidate)
    if candidate is None or candidate.stages:
        return ""
    spec = find_model(candidate)
    if spec is None:
        return ""
    if spec.licence and "proprietary" not in spec.licence.lower():
        return f"{run.candidate}: open weights ({spec.licence}), they can move."
    return f"{run.candidate}: closed weights, they stay with the provider."
