"""What an evaluation shows: quality with intervals, pairs in words, calibration, confusion, speed and memory."""

from collections.abc import Sequence
from html import escape as _e
from itertools import combinations
from math import sqrt

from llmops.core.format import count, percent, seconds, size
from llmops.evaluation.metrics import Calibration, Metrics, compare, measure
from llmops.history.store import Evaluation, Row
from llmops.report import ladder
from llmops.report.svg import Plot, Point, percent_axis
from llmops.report.tables import Foreign, head, known, more, row, sentences, table

_MANY_PAIRS = 6


def figures(found: Evaluation, rows: Sequence[Row]) -> str:
    """All of it, for the page and the report."""
    if not rows:
        return '<p class="lo-lead">Nothing is kept of this evaluation yet.</p>'
    measured = ordered(found, rows)
    return (
        f"{heading(found)}{quality(measured)}{_pairs(rows, measured)}{_speed(measured)}"
        f"{ladder.ladders_shown(rows, measured)}{calibrations(measured)}"
        f"{more('Precision, recall and F1 of each label', _labels(measured))}"
        f"{more('Confusion: what was said of what is true', _confusions(measured, found.labels))}"
    )


def ordered(found: Evaluation, rows: Sequence[Row]) -> list[Metrics]:
    """The metrics in the order in which the candidates were chosen."""
    order = {name: number for number, name in enumerate(found.candidates)}
    return sorted(measure(rows, found.labels), key=lambda one: order.get(one.candidate, 0))


def heading(found: Evaluation) -> str:
    """What was run, when and where; recorded ones say so; what was left out, and why."""
    title = f"Evaluation {found.id}: {found.task_name}"
    where = f"{found.created[:16].replace('T', ' ')} UTC, on {found.machine}"
    recorded = '<span class="lo-recorded">recorded, not run here</span> ' if found.origin else ""
    origin = f" Taken in from {found.origin}." if found.origin not in ("", "recorded") else ""
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in found.left_out_why.items())
    out = f" Left out: {reasons or f'{found.left_out:,} examples to learn from'}." if found.left_out else ""
    note = f" Note: {found.note}" if found.note else ""
    return f'<p class="lo-lead">{recorded}<b>{_e(title)}</b>, {_e(where + "." + origin + out + note)}</p>'


def quality(measured: Sequence[Metrics]) -> str:
    """Accuracy and macro-F1 with intervals, what was not answered, calibration, stability, languages."""
    titles = ("Quality", "Texts", "Accuracy", "95 %", "Macro-F1", "95 %", "Unparsed", "Failed", "ECE", "Flips")
    languages = list(dict.fromkeys(language for one in measured for language in one.by_language))
    rows = [
        (
            one.candidate,
            (
                count(one.texts),
                percent(one.accuracy),
                _span(one.accuracy_interval),
                percent(one.macro_f1),
                _span(one.macro_f1_interval),
                percent(one.unparsed_rate),
                percent(one.failed_rate),
                "" if one.calibration is None else f"{one.calibration.ece:.3f}",
                percent(one.flip_rate),
                *(_language(one, language) for language in languages),
            ),
        )
        for one in measured
    ]
    legend = (
        "Intervals: 95 % bootstrap. Unparsed and failed count as wrong. ECE: mean gap between confidence and accuracy. "
        "Flips: texts whose verdict changes over repeats. By language: accuracy / macro-F1."
    )
    return known((*titles, *languages), rows) + f'<p class="lo-legend">{legend}</p>'


def _language(one: Metrics, language: str) -> str:
    if language not in one.by_language:
        return ""
    return f"{percent(one.by_language[language])} / {percent(one.macro_f1_by_language[language])}"


def _span(interval: tuple[float, float]) -> str:
    return f"{interval[0] * 100:.0f} to {interval[1] * 100:.0f}"


def _speed(measured: Sequence[Metrics]) -> str:
    titles = ("Speed and memory", "p50", "p90", "p99", "Texts/s", "Batched/s", "Weights", "Peak extra")
    rows = [
        (
            one.candidate,
            (
                *(seconds((one.e2e_s or {}).get(name)) for name in ("p50", "p90", "p99")),
                *("" if pace is None else f"{pace:.3g}" for pace in (one.texts_per_s, one.batched_texts_per_s)),
                size(one.weights_bytes),
                size(one.peak_bytes),
            ),
        )
        for one in measured
    ]
    legend = (
        "E2E a text, client-measured, of texts that ran alone; loading is in none of it. Texts/s: one after the other, "
        "Batched/s: many at once. p99 of fewer than 100 texts is near the slowest."
    )
    return known(titles, rows) + f'<p class="lo-legend">{legend}</p>'


def _pairs(rows: Sequence[Row], measured: Sequence[Metrics]) -> str:
    """Each pair in a sentence: with many, those of the best candidate first, the others on a click."""
    best = max(measured, key=lambda one: one.accuracy).candidate
    pairs = list(combinations([one.candidate for one in measured], 2))
    said = {pair: compare(rows, *pair).sentence for pair in pairs}
    first = [text for pair, text in said.items() if len(pairs) <= _MANY_PAIRS or best in pair]
    rest = [text for pair, text in said.items() if len(pairs) > _MANY_PAIRS and best not in pair]
    if not said:
        return ""
    end = " Each pair stands for itself: of twenty, one may show a difference by chance." if len(pairs) > 4 else ""
    legend = f'<p class="lo-legend">Pairs: McNemar\'s exact test on the texts that both have.{end}</p>'
    return f"{sentences(first)}{more(f'The other {len(rest)} pairs', sentences(rest))}{legend}"


def calibrations(measured: Sequence[Metrics]) -> str:
    """A reliability plot a candidate that has probabilities."""
    plots = "".join(_reliability(one.candidate, one.calibration) for one in measured if one.calibration is not None)
    if not plots:
        return ""
    legend = (
        "Below the grey line it is surer than it is right, above it less sure. Mark size: number of texts. "
        "A decoder's probabilities are the likelihoods of its answer words."
    )
    return f'<h3>Reliability</h3><div class="lo-plots">{plots}</div><p class="lo-legend">{legend}</p>'


def _reliability(name: str, found: Calibration) -> str:
    plot = Plot(f"Reliability of {name}", percent_axis("confidence"), percent_axis("accuracy"))
    plot.guide(((0, 0), (1, 1)))
    most = max(number for _, _, number in found.bins)
    words = [f"{percent(sure)} sure, {percent(right)} right, {number} texts" for sure, right, number in found.bins]
    if len(found.bins) > 1:
        plot.line([(sure, right) for sure, right, _ in found.bins], 0, thin=True)
    marks = [
        Point(sure, right, said, 3 + 7 * sqrt(number / most))
        for (sure, right, number), said in zip(found.bins, words, strict=True)
    ]
    plot.points(marks, 0)
    body = "".join(row(percent(sure), (percent(right), count(number))) for sure, right, number in found.bins)
    numbers = more("Figures", table(("Confidence", "Accuracy", "Texts"), body))
    return f"<figure><figcaption>{_e(name)}: ECE {found.ece:.3f}</figcaption>{plot.svg}{numbers}</figure>"


def _labels(measured: Sequence[Metrics]) -> str:
    titles = ("Candidate", "Label", "Precision", "Recall", "F1", "Texts")
    body = "".join(
        row(one.candidate, (Foreign(label), percent(m.precision), percent(m.recall), percent(m.f1), count(m.support)))
        for one in measured
        for label, m in one.by_label.items()
    )
    return table(titles, body)


def _confusions(measured: Sequence[Metrics], labels: Sequence[str]) -> str:
    return f'<div class="lo-matrices">{"".join(_confusion(one, labels) for one in measured)}</div>'


def _confusion(one: Metrics, labels: Sequence[str]) -> str:
    columns = [*map(Foreign, labels), *(["(none)"] if any("(none)" in line for line in one.confusion.values()) else [])]
    header = "".join(head(name, "col") for name in columns)
    lines = "".join(
        f"<tr>{head(Foreign(name), 'row')}"
        + "".join(_cell(line.get(column, 0), name == column) for column in columns)
        + "</tr>"
        for name, line in one.confusion.items()
    )
    caption = f"<caption>{_e(one.candidate)}: true (rows) and said (columns)</caption>"
    inner = f"{caption}<thead><tr><td></td>{header}</tr></thead><tbody>{lines}</tbody>"
    return f'<div class="lo-scroll" tabindex="0"><table class="lo-models lo-confusion">{inner}</table></div>'


def _cell(number: int, right: bool) -> str:
    return f'<td class="{"lo-right" if right else "lo-wrong" if number else ""}">{number}</td>'
