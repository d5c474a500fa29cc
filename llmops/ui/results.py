"""Evaluations as HTML and table rows. Pure; foreign text is escaped, in the table it is text by its kind."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape as _e
from itertools import combinations
from typing import Any

from llmops.evaluation.metrics import Metrics, compare, measure
from llmops.evaluation.runner import Begun, Ended, Progress, Update
from llmops.format import percent, seconds, size
from llmops.history.store import Evaluation, Row
from llmops.ui.charts import table as html_table


@dataclass
class Run:
    """How far an evaluation is, from its updates."""

    evaluation_id: int | None = None
    texts: int = 0
    left_out: int = 0
    candidates: dict[str, Progress | Ended] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)

    def take(self, update: Update) -> None:
        """One more update."""
        if isinstance(update, Begun):
            self.evaluation_id, self.texts, self.left_out = update.evaluation_id, update.texts, update.left_out
            return
        if isinstance(update, Progress):
            self.done[update.candidate] = update.done
        self.candidates[update.candidate] = update


def progress(run: Run) -> str:
    """A line and a bar a candidate."""
    if run.evaluation_id is None:
        return ""
    head = f"Evaluation {run.evaluation_id}: {run.texts:,} texts"
    head += f", {run.left_out:,} left out (examples to learn from)" if run.left_out else ""
    lines = "".join(_line(name, state, run.done.get(name, 0)) for name, state in run.candidates.items())
    return f'<p class="lo-lead" role="status">{_e(head)}</p>{lines}'


def _line(name: str, state: Progress | Ended, done: int) -> str:
    if isinstance(state, Ended):
        if state.error is None:
            return f'<div class="lo-eval"><span>{_e(name)}</span><span>done, {done:,} texts</span></div>'
        words = f"<b>{_e(state.error.message)}</b> {_e(state.error.remedy)}"
        return f'<div class="lo-error" role="alert">{_e(name)}: {words}</div>'
    left = "" if state.seconds_left is None else f", about {seconds(state.seconds_left)} left"
    said = f"{state.done:,} of {state.total:,}{left} {state.message}".strip()
    value = state.done / state.total if state.total else 0
    bar = f'<progress class="lo-progress" max="1" value="{value:.3f}" aria-label="{_e(name, quote=True)}"></progress>'
    return f'<div class="lo-eval"><span>{_e(name)}</span><span>{_e(said)}</span>{bar}</div>'


def metrics(found: Evaluation, rows: Sequence[Row]) -> str:
    """Figures, paired sentences and confusion matrices of an evaluation."""
    if not rows:
        return '<p class="lo-lead">Nothing is kept of this evaluation yet.</p>'
    order = {name: number for number, name in enumerate(found.candidates)}
    measured = sorted(measure(rows, found.labels), key=lambda one: order.get(one.candidate, 0))
    titles = (
        "Candidate", "Texts", "Accuracy", "95 %", "Macro-F1", "95 %", "Unparsed", "Failed", "ECE", "Flips",
        "p50", "p90", "p99", "Texts/s", "Batched/s", "Weights", "By language",
    )  # fmt: skip
    body = "".join(_metrics_row(one) for one in measured)
    pairs = combinations([one.candidate for one in measured], 2)
    sentences = "".join(f"<li>{_e(compare(rows, one, other).sentence)}</li>" for one, other in pairs)
    where = f"{found.task_name}, {found.created[:16].replace('T', ' ')} UTC, {found.machine}"
    origin = f", from {found.origin}" if found.origin else ""
    matrices = "".join(_confusion(one, found.labels) for one in measured)
    return (
        f'<p class="lo-lead"><b>{_e(where + origin)}</b></p>{html_table(titles, body)}'
        f'<ul class="lo-notes">{sentences}</ul><div class="lo-matrices">{matrices}</div>'
        '<p class="lo-legend">Intervals: bootstrap. Pairs: McNemar\'s exact test. Unparsed and failed count as wrong. '
        "ECE: mean gap between confidence and accuracy. Times are client-measured, E2E, of texts that ran alone; "
        "Texts/s is one after the other, Batched/s many at once.</p>"
    )


def _metrics_row(one: Metrics) -> str:
    times = one.e2e_s or {}
    cells = (
        f"{one.texts:,}",
        percent(one.accuracy),
        _span(one.accuracy_interval),
        percent(one.macro_f1),
        _span(one.macro_f1_interval),
        percent(one.unparsed_rate),
        percent(one.failed_rate),
        "" if one.calibration is None else f"{one.calibration.ece:.3f}",
        "" if one.flip_rate is None else percent(one.flip_rate),
        *(seconds(times.get(name)) for name in ("p50", "p90", "p99")),
        "" if one.texts_per_s is None else f"{one.texts_per_s:.3g}",
        "" if one.batched_texts_per_s is None else f"{one.batched_texts_per_s:.3g}",
        size(one.weights_bytes),
        ", ".join(f"{language} {percent(value)}" for language, value in one.by_language.items()),
    )
    return f'<tr><th scope="row">{_e(one.candidate)}</th>' + "".join(f"<td>{_e(cell)}</td>" for cell in cells) + "</tr>"


def _span(interval: tuple[float, float]) -> str:
    return f"{interval[0] * 100:.0f} to {interval[1] * 100:.0f}"


def _confusion(one: Metrics, labels: Sequence[str]) -> str:
    columns = [*labels, *(["(none)"] if any("(none)" in line for line in one.confusion.values()) else [])]
    header = "".join(f'<th scope="col">{_e(name)}</th>' for name in columns)
    lines = "".join(
        f'<tr><th scope="row">{_e(name)}</th>'
        + "".join(_count(line.get(column, 0), name == column) for column in columns)
        + "</tr>"
        for name, line in one.confusion.items()
    )
    caption = f"<caption>{_e(one.candidate)}: true (rows) and said (columns)</caption>"
    inner = f"{caption}<thead><tr><td></td>{header}</tr></thead><tbody>{lines}</tbody>"
    return f'<div class="lo-scroll" tabindex="0"><table class="lo-models lo-confusion">{inner}</table></div>'


def _count(count: int, right: bool) -> str:
    return f'<td class="{"lo-right" if right else "lo-wrong" if count else ""}">{count}</td>'


def table(rows: Sequence[Row], which: str) -> dict[str, list[Any]]:
    """Text × candidate verdicts for a Dataframe: all, those where candidates disagree, or where one was wrong."""
    candidates = list(dict.fromkeys(row.candidate for row in rows))
    by_place: dict[int, dict[str, Row]] = {}
    for row in rows:
        if row.repeat == 0:
            by_place.setdefault(row.place, {})[row.candidate] = row
    data = []
    for place, found in sorted(by_place.items()):
        verdicts = [_verdict(found.get(name)) for name in candidates]
        one = next(iter(found.values()))
        if which == "disagree" and len(set(verdicts)) < 2:
            continue
        if which == "wrong" and all(verdict == one.y_true for verdict in verdicts):
            continue
        data.append([place + 1, one.text, one.language, one.y_true, *verdicts])
    return {"headers": ["#", "Text", "Language", "True label", *candidates], "data": data}


def _verdict(row: Row | None) -> str:
    if row is None:
        return ""
    return "failed" if row.failed else row.y_hat or "unparsed"


def answers(rows: Sequence[Row]) -> str:
    """All answers to one text in full."""
    if not rows:
        return ""
    first = rows[0]
    head = f'<p class="lo-lead"><b>{_e(first.text)}</b> ({_e(first.y_true)})</p>'
    items = "".join(
        f"<li><b>{_e(row.candidate)}{f', repeat {row.repeat + 1}' if row.repeat else ''}</b>: {_e(_verdict(row))}"
        f"{_e(_said(row))}</li>"
        for row in rows
    )
    return f'{head}<ul class="lo-notes">{items}</ul>'


def _said(row: Row) -> str:
    error = row.run["error"]
    return f" — {error['message']}" if error else f" — {row.run['text']}" if row.run["text"] else ""
