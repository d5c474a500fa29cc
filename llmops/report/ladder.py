"""The precision ladder and two evaluations side by side, as tables."""

from collections.abc import Sequence
from html import escape as _e

from llmops.core.format import count, percent, seconds, size
from llmops.evaluation.ladder import Ladder, ladders
from llmops.evaluation.long_texts import other_settings
from llmops.evaluation.metrics import Metrics
from llmops.evaluation.side_by_side import Beside, SideBySide
from llmops.history.evaluations import Row
from llmops.report.tables import Foreign, more, row, sentences, table

_MOST_FLIPS = 200


def ladders_shown(rows: Sequence[Row], measured: Sequence[Metrics]) -> str:
    """Each model that ran in two precisions or more: what flips, memory and speed; nothing where there is none."""
    return "".join(_ladder(ladder) for ladder in ladders(rows, measured))


def _ladder(ladder: Ladder) -> str:
    top = ladder.rungs[0]
    titles = ("Precision", "Accuracy", f"Flips against {top.precision}", "Become right", "Become wrong")
    body = "".join(
        row(
            rung.precision,
            (
                percent(rung.accuracy),
                "" if rung is top else f"{len(rung.flips)} of {rung.texts}",
                "" if rung is top else count(rung.better),
                "" if rung is top else count(rung.worse),
                size(rung.weights_bytes),
                size(rung.peak_bytes),
                seconds(rung.p50_s),
                "" if rung.texts_per_s is None else f"{rung.texts_per_s:.3g}",
            ),
        )
        for rung in ladder.rungs
    )
    flips = [(rung.precision, flip) for rung in ladder.rungs for flip in rung.flips]
    listed = "".join(
        row(
            f"{flip.place + 1}",
            (precision, Foreign(flip.text), Foreign(flip.y_true), _verdict(flip.before), _verdict(flip.after)),
        )
        for precision, flip in flips[:_MOST_FLIPS]
    )
    texts = table(("#", "Precision", "Text", "True label", f"In {top.precision}", "There"), listed) if flips else ""
    return (
        f"<h3>Precision ladder: {_e(ladder.model)}</h3>"
        f"{table((*titles, 'Weights', 'Peak extra', 'p50', 'Texts/s'), body)}"
        f"{more(f'Verdicts that flip: {len(flips)}', texts)}"
    )


def _verdict(label: str | None) -> str:
    return Foreign(label) if label else "no verdict"


def beside(both: SideBySide) -> str:
    """Two evaluations, a row a candidate: A's figure, then B's."""
    heads = [
        f"{name}: evaluation {side.id} ({side.task_name}, {side.created[:10]}), {side.machine}"
        + {"": "", "recorded": ", recorded"}.get(side.origin, f", from {side.origin}")
        + (f". Note: {side.note}" if side.note else "")
        for name, side in (("A", both.one), ("B", both.other))
    ]
    titles = (
        "Candidate", "Common texts", "Same verdict", "Accuracy A", "Accuracy B", "Macro-F1 A", "Macro-F1 B",
        "p50 A", "p50 B", "p99 A", "p99 B", "Texts/s A", "Texts/s B", "Weights A", "Weights B", "Peak A", "Peak B",
    )  # fmt: skip
    body = "".join(_beside(matched) for matched in both.candidates)
    compared = [
        f"{matched.candidate}: {_in_words(sentence)}"
        for matched in both.candidates
        for sentence in (*matched.unanswered, *([matched.pair.sentence] if matched.pair else []))
    ]
    return f"{sentences(heads)}{table(titles, body)}{sentences([*compared, *_settings(both)])}"


def _beside(matched: Beside) -> str:
    sides = (matched.one, matched.other)
    return row(
        matched.candidate,
        (
            count(matched.common),
            percent(matched.agreement),
            *(percent(side.accuracy) if side else "" for side in sides),
            *(percent(side.macro_f1) if side else "" for side in sides),
            *(_time(side, "p50") for side in sides),
            *(_time(side, "p99") for side in sides),
            *("" if side is None or side.texts_per_s is None else f"{side.texts_per_s:.3g}" for side in sides),
            *(size(side.weights_bytes) if side else "" for side in sides),
            *(size(side.peak_bytes) if side else "" for side in sides),
        ),
    )


def _time(side: Metrics | None, name: str) -> str:
    return seconds((side.e2e_s or {}).get(name)) if side else ""


def _in_words(sentence: str) -> str:
    return sentence.replace("the first", "A").replace("the second", "B")


def _settings(both: SideBySide) -> list[str]:
    """What else differs: settings and libraries."""
    lines = []
    for what, first, second in (
        ("Settings", other_settings(both.one.settings), other_settings(both.other.settings)),
        ("Versions", both.one.versions, both.other.versions),
    ):
        changed = [
            f"{name} {first.get(name, 'none')} / {second.get(name, 'none')}"
            for name in sorted({*first, *second})
            if first.get(name) != second.get(name)
        ]
        if changed:
            lines.append(f"{what} that differ (A / B): {', '.join(changed)}.")
    return lines
