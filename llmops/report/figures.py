"""What an evaluation shows: quality with intervals, pairs in words, calibration, confusion, speed and memory."""

from collections.abc import Sequence
from html import escape as _e
from math import sqrt

from llmops.core.format import count, percent, seconds, size
from llmops.evaluation import long_texts
from llmops.evaluation.metrics import Calibration, LabelMetrics, Metrics, measure
from llmops.evaluation.pairs import compare_all
from llmops.history.evaluations import Evaluation, Row
from llmops.report import ladder
from llmops.report.axis import percent_axis
from llmops.report.chart import figure
from llmops.report.confusion import FEW, confusions
from llmops.report.plot import Mark, Plot, Series
from llmops.report.tables import Foreign, known, more, row, sentences, table, valued_row

_MANY_PAIRS = 6


def figures(evaluation: Evaluation, rows: Sequence[Row]) -> str:
    """All of it, for the page and the report."""
    if not rows:
        return '<p class="lo-lead">Nothing is kept of this evaluation yet.</p>'
    measured = ordered(evaluation, rows)
    return (
        f"{heading(evaluation)}{quality(measured)}{_pairs(rows, measured)}{_speed(measured)}"
        f"{ladder.ladders_shown(rows, measured)}{calibrations(measured)}"
        f"{more('Precision, recall and F1 of each label', _labels(measured))}"
        f"{more('Confusion: what was said of what is true', confusions(measured, evaluation.labels))}"
    )


def ordered(evaluation: Evaluation, rows: Sequence[Row]) -> list[Metrics]:
    """The metrics in the order in which the candidates were chosen."""
    order = {name: number for number, name in enumerate(evaluation.candidates)}
    return sorted(measure(rows, evaluation.labels), key=lambda metrics: order.get(metrics.candidate, 0))


def heading(evaluation: Evaluation) -> str:
    """What was run, when and where; recorded ones say so; what was left out, and why."""
    title = f"Evaluation {evaluation.id}: {evaluation.task_name}"
    where = f"{evaluation.created[:16].replace('T', ' ')} UTC, on {evaluation.machine}"
    recorded = '<span class="lo-recorded">recorded, not run here</span> ' if evaluation.origin else ""
    origin = f" Taken in from {evaluation.origin}." if evaluation.origin not in ("", "recorded") else ""
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in evaluation.left_out_why.items())
    out = f" Left out: {reasons or f'{evaluation.left_out:,} examples to learn from'}." if evaluation.left_out else ""
    long = "".join(f" {sentence}" for sentence in long_texts.sentences(evaluation.settings))
    note = f" Note: {evaluation.note}" if evaluation.note else ""
    return f'<p class="lo-lead">{recorded}<b>{_e(title)}</b>, {_e(where + "." + origin + out + long + note)}</p>'


def quality(measured: Sequence[Metrics]) -> str:
    """Accuracy and macro-F1 with intervals, what was not answered, calibration, stability, languages."""
    titles = ("Quality", "Texts", "Accuracy", "95 %", "Macro-F1", "95 %", "Unparsed", "Failed", "ECE", "Flips")
    languages = list(dict.fromkeys(language for metrics in measured for language in metrics.by_language))
    rows = [
        (
            metrics.candidate,
            (
                count(metrics.texts),
                percent(metrics.accuracy),
                _span(metrics.accuracy_interval),
                percent(metrics.macro_f1),
                _span(metrics.macro_f1_interval),
                _rate(metrics.unparsed_rate, metrics.unparsed_interval),
                _rate(metrics.failed_rate, metrics.failed_interval),
                "" if metrics.calibration is None else f"{metrics.calibration.ece:.3f}",
                _rate(metrics.flip_rate, metrics.flip_interval),
                *(_language(metrics, language) for language in languages),
            ),
        )
        for metrics in measured
    ]
    legend = (
        "Intervals: 95 %, of rates by Wilson, of macro-F1 by a bootstrap within labels. "
        "Unparsed and failed count as wrong. ECE: mean gap between confidence and accuracy. "
        "Flips: texts whose verdict changes over repeats. By language: accuracy / macro-F1."
    )
    return known((*titles, *languages), rows) + f'<p class="lo-legend">{legend}</p>'


def _language(metrics: Metrics, language: str) -> str:
    if language not in metrics.by_language:
        return ""
    accuracy = _rate(metrics.by_language[language], metrics.by_language_interval[language])
    return f"{accuracy} / {percent(metrics.macro_f1_by_language[language])}"


def _rate(rate: float | None, interval: tuple[float, float] | None) -> str:
    """A rate with its interval, such as "5.0 % (1 to 13)"."""
    return percent(rate) + (f" ({_span(interval)})" if interval else "")


def _span(interval: tuple[float, float]) -> str:
    return f"{interval[0] * 100:.0f} to {interval[1] * 100:.0f}"


def _speed(measured: Sequence[Metrics]) -> str:
    titles = ("Speed and memory", "p50", "p90", "p99", "Texts/s", "Batched/s", "Weights", "Peak extra")
    rows = [
        (
            metrics.candidate,
            (
                *(seconds((metrics.e2e_s or {}).get(name)) for name in ("p50", "p90", "p99")),
                *("" if pace is None else f"{pace:.3g}" for pace in (metrics.texts_per_s, metrics.batched_texts_per_s)),
                size(metrics.weights_bytes),
                size(metrics.peak_bytes),
            ),
        )
        for metrics in measured
    ]
    legend = (
        "E2E a text, client-measured, of texts that ran alone; loading is in none of it. Texts/s: one after the other, "
        "Batched/s: many at once. p99 of fewer than 100 texts is near the slowest."
    )
    return known(titles, rows) + f'<p class="lo-legend">{legend}</p>'


def _pairs(rows: Sequence[Row], measured: Sequence[Metrics]) -> str:
    """Who gave no verdicts; then each pair in a sentence: of many, those of the best first, the others on a click."""
    compared = compare_all(rows, [metrics.candidate for metrics in measured])
    alone = sentences(list(compared.unanswered.values()))
    if not compared.pairs:
        return alone
    answering = [metrics for metrics in measured if metrics.candidate not in compared.unanswered]
    best = max(answering, key=lambda metrics: metrics.accuracy).candidate
    few = len(compared.pairs) <= _MANY_PAIRS
    first = [pair.sentence for pair in compared.pairs if few or best in (pair.one, pair.other)]
    rest = [pair.sentence for pair in compared.pairs if not few and best not in (pair.one, pair.other)]
    how = "McNemar's exact test on the texts that both have"
    if len(compared.pairs) > 1:
        how += ", corrected by Holm's method for being several"
    legend = f'<p class="lo-legend">Pairs: {how}.</p>'
    return f"{alone}{sentences(first)}{more(f'The other {len(rest)} pairs', sentences(rest))}{legend}"


def calibrations(measured: Sequence[Metrics]) -> str:
    """A reliability plot a candidate that has probabilities."""
    plots = "".join(
        _reliability(metrics.candidate, metrics.calibration) for metrics in measured if metrics.calibration is not None
    )
    if not plots:
        return ""
    legend = (
        "Below the grey line it is surer than it is right, above it less sure. Mark size: number of texts. "
        "A decoder's probabilities are the likelihoods of its answer words."
    )
    return f'<h3>Reliability</h3><div class="lo-plots">{plots}</div><p class="lo-legend">{legend}</p>'


def _reliability(name: str, calibration: Calibration) -> str:
    most = max(number for _, _, number in calibration.bins)
    marks = tuple(
        Mark(
            sure,
            right,
            f"{percent(sure)} sure, {percent(right)} right, {number} texts",
            radius=3 + 7 * sqrt(number / most),
        )
        for sure, right, number in calibration.bins
    )
    line = tuple((sure, right) for sure, right, _ in calibration.bins) if len(calibration.bins) > 1 else ()
    x, y = percent_axis("confidence"), percent_axis("accuracy")
    plot = Plot(f"Reliability of {name}", x, y, (Series("", 0, marks, line),), guides=(((0, 0), (1, 1)),))
    body = "".join(row(percent(sure), (percent(right), count(number))) for sure, right, number in calibration.bins)
    numbers = more("Figures", table(("Confidence", "Accuracy", "Texts"), body))
    return figure(plot, f"{name}: ECE {calibration.ece:.3f}", numbers)


def _labels(measured: Sequence[Metrics]) -> str:
    titles = ("Candidate", "Label", "Precision", "Recall", "F1", "Texts")
    body = "".join(
        valued_row(
            metrics.candidate,
            (
                (Foreign(label), label),
                _known_rate(m.precision, m.precision_interval),
                _known_rate(m.recall, m.recall_interval),
                (percent(m.f1), m.f1),
                (count(m.support), m.support),
            ),
        )
        for metrics in measured
        for label, m in _worst_first(metrics)
    )
    return table(titles, body, is_sortable=True)


def _known_rate(rate: float, interval: tuple[float, float] | None) -> tuple[str, float | None]:
    """(as it is shown, to sort by); nothing where there was nothing to count."""
    return (_rate(rate, interval), rate) if interval else ("", None)


def _worst_first(metrics: Metrics) -> list[tuple[str, LabelMetrics]]:
    """Many labels by their F1, the lowest first; few in the task's order."""
    labels = list(metrics.by_label.items())
    return labels if len(labels) <= FEW else sorted(labels, key=lambda label: label[1].f1)
