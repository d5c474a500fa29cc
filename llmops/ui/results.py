"""A running evaluation as HTML, and its rows as a table that is filtered and paged here. Pure.

Foreign text is escaped in HTML; in the table it is text by its kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape as _e
from typing import Any

from llmops.core.format import seconds
from llmops.evaluation.runner import CandidateEnded, CandidateProgress, EvaluationBegun, EvaluationUpdate
from llmops.history.evaluations import LabelledAnswer, Row

PAGE = 50
ANY = "(any)"


@dataclass
class EvaluationProgress:
    """How far an evaluation is, from its updates. notes: what was wrong with the file."""

    begun: EvaluationBegun | None = None
    notes: Sequence[str] = ()
    candidates: dict[str, CandidateProgress | CandidateEnded] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)

    def take(self, update: EvaluationUpdate) -> None:
        """One more update."""
        if isinstance(update, EvaluationBegun):
            self.begun = update
            return
        if isinstance(update, CandidateProgress):
            self.done[update.candidate] = update.done
        self.candidates[update.candidate] = update


def progress(evaluation: EvaluationProgress) -> str:
    """How many texts count and why not the others; a line and a bar a candidate."""
    if evaluation.begun is None:
        return ""
    begun = evaluation.begun
    head = f"Evaluation {begun.evaluation_id}: {begun.texts:,} texts"
    if begun.left_out:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in begun.why.items())
        head += f", {begun.left_out:,} left out ({reasons or 'examples to learn from'})"
    unknown = [
        f"{name} keeps no record of what it was trained on: its score may be too good." for name in begun.unknown
    ]
    notes = "".join(f"<li>{_e(note)}</li>" for note in (*evaluation.notes, *unknown, *begun.long))
    lines = "".join(_line(name, state, evaluation.done.get(name, 0)) for name, state in evaluation.candidates.items())
    listed = f'<ul class="lo-notes">{notes}</ul>' if notes else ""
    return f'<p class="lo-lead" role="status">{_e(head)}</p>{listed}{lines}'


def _line(name: str, state: CandidateProgress | CandidateEnded, done: int) -> str:
    if isinstance(state, CandidateEnded):
        if state.error is None:
            return f'<div class="lo-eval"><span>{_e(name)}</span><span>done, {done:,} texts</span></div>'
        words = f"<b>{_e(state.error.message)}</b> {_e(state.error.remedy)}"
        return f'<div class="lo-error" role="alert">{_e(name)}: {words}</div>'
    left = "" if state.seconds_left is None else f", about {seconds(state.seconds_left)} left"
    count = f"{state.done:,} of {state.total:,}{left} {state.message}".strip()
    value = state.done / state.total if state.total else 0
    bar = f'<progress class="lo-progress" max="1" value="{value:.3f}" aria-label="{_e(name, quote=True)}"></progress>'
    return f'<div class="lo-eval"><span>{_e(name)}</span><span>{_e(count)}</span>{bar}</div>'


@dataclass(frozen=True)
class Filter:
    """Which texts to show. which: all, disagree or wrong; label, language: ANY or a value; who: whose errors count."""

    which: str = "all"
    label: str = ANY
    language: str = ANY
    who: str = ANY
    words: str = ""


def page(rows: Sequence[LabelledAnswer], chosen: Filter, number: int) -> tuple[dict[str, Any], str, int]:
    """(table value, what is shown in words, the page's number): text × candidate verdicts, a page of them."""
    candidates = list(dict.fromkeys(row.candidate for row in rows))
    by_place: dict[int, dict[str, LabelledAnswer]] = {}
    for row in rows:
        by_place.setdefault(row.place, {})[row.candidate] = row
    passing = [place for place in sorted(by_place) if _passes(by_place[place], candidates, chosen)]
    number = max(0, min(number, (len(passing) - 1) // PAGE))
    shown = passing[number * PAGE : (number + 1) * PAGE]
    data = [_cells(place, by_place[place], candidates) for place in shown]
    first = number * PAGE + 1
    span = f"{first:,} to {first + len(shown) - 1:,} of {len(passing):,} texts" if shown else "No text fits."
    return {"headers": ["#", "Text", "Language", "True label", *candidates], "data": data}, span, number


def _cells(place: int, by_candidate: dict[str, LabelledAnswer], candidates: Sequence[str]) -> list[Any]:
    any_row = next(iter(by_candidate.values()))
    verdicts = (verdict(by_candidate.get(name)) for name in candidates)
    return [place + 1, any_row.text, any_row.language, any_row.y_true, *verdicts]


def _passes(by_candidate: dict[str, LabelledAnswer], candidates: Sequence[str], chosen: Filter) -> bool:
    any_row = next(iter(by_candidate.values()))
    if chosen.label not in (ANY, any_row.y_true) or chosen.language not in (ANY, any_row.language):
        return False
    if chosen.words and chosen.words.casefold() not in any_row.text.casefold():
        return False
    if chosen.which == "disagree":
        return len({verdict(by_candidate[name]) for name in candidates if name in by_candidate}) > 1
    if chosen.which == "wrong":
        judged = [row for name, row in by_candidate.items() if chosen.who in (ANY, name)]
        return any(row.y_hat != row.y_true for row in judged)
    return True


def verdict(row: LabelledAnswer | None) -> str:
    """A row's verdict in a word; blank where there is none yet."""
    if row is None:
        return ""
    return "failed" if row.failed else row.y_hat or "unparsed"


def answers(rows: Sequence[Row]) -> str:
    """All answers to one text in full."""
    if not rows:
        return ""
    first = rows[0]
    head = f'<p class="lo-lead"><b>{_e(first.text)}</b> (true label: {_e(first.y_true)})</p>'
    items = "".join(
        f"<li><b>{_e(row.candidate)}{f', repeat {row.repeat + 1}' if row.repeat else ''}</b>: "
        f"{'✓' if row.y_hat == row.y_true else '✗'} {_e(verdict(row))}{_sure(row)}"
        f'<div class="lo-answer">{_e(_explanation(row))}</div></li>'
        for row in rows
    )
    return f'{head}<ul class="lo-notes lo-full">{items}</ul>'


def _sure(row: Row) -> str:
    sure = (row.run.probabilities or {}).get(row.y_hat or "")
    time = row.run.timing.e2e_s
    parts = [
        *([f"{sure * 100:.1f} % sure"] if sure is not None else []),
        *([seconds(time)] if time is not None else []),
    ]
    return f" ({_e(', '.join(parts))})" if parts else ""


def _explanation(row: Row) -> str:
    error = row.run.error
    return f"{error.message} {error.remedy}".strip() if error else row.run.text
