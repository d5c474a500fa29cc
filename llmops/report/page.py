"""The report: one HTML file with figures, plots, decision and answers, in English or German, that asks nobody.

A policy inside forbids every request and every script; there is none to run.
"""

from collections.abc import Sequence
from html import escape as _e
from pathlib import Path

from llmops import __version__
from llmops.evaluation import long_texts
from llmops.history.curves import Curve
from llmops.history.evaluations import Evaluation, Row
from llmops.i18n.translation import german
from llmops.report.curve import curve
from llmops.report.figures import figures
from llmops.report.tables import Foreign, more, row, table

_DIR = Path(__file__).parent
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_MOST_TEXTS = 2000


def figures_css() -> str:
    """What the page and the report share."""
    return _css("plot.css", "figures.css")


def _css(*names: str) -> str:
    return "".join((_DIR / name).read_text(encoding="utf-8") for name in names)


def report(
    evaluation: Evaluation, rows: Sequence[Row], curves: Sequence[Curve] = (), decision: str = "", language: str = "en"
) -> str:
    """The whole file. decision: HTML of the decision board, where one was made. language: "en" or "de"."""
    title = f"llm-ops: {evaluation.task_name}, evaluation {evaluation.id}"
    css = figures_css() + _css("theme.css", "page.css")
    parts = [
        f"<h1>{_e(evaluation.task_name)}</h1>",
        "<h2>Figures</h2>",
        figures(evaluation, rows),
        f"<h2>Decision</h2>{decision}" if decision else "",
        *(f"<h2>Learning curve</h2>{curve(kept)}" for kept in curves),
        f"<h2>Answers</h2>{_answers(rows)}",
        f"<h2>How it was made</h2>{how_made(evaluation)}",
    ]
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_e(title)}</title><style>{css}</style>"
    )
    whole = f'<!doctype html><html lang="{language}"><head>{head}</head><body>{"".join(parts)}</body></html>\n'
    return german().document(whole) if language == "de" else whole


def _answers(rows: Sequence[Row]) -> str:
    """A table a candidate, closed: text, true label, verdict, answer or error."""
    names = list(dict.fromkeys(answer.candidate for answer in rows))
    return "".join(more(name, _answer_table([answer for answer in rows if answer.candidate == name])) for name in names)


def _answer_table(rows: Sequence[Row]) -> str:
    first = [answer for answer in rows if answer.repeat == 0]
    body = "".join(
        row(
            str(answer.place + 1),
            (
                Foreign(answer.text),
                Foreign(answer.language),
                Foreign(answer.y_true),
                _verdict(answer),
                _explanation(answer),
            ),
        )
        for answer in first[:_MOST_TEXTS]
    )
    left = len(first) - _MOST_TEXTS
    end = f'<p class="lo-legend">And {left:,} more: export CSV or JSONL for all.</p>' if left > 0 else ""
    titles = ("#", "Text", "Language", "True label", "Verdict", "Explanation")
    return f'<div class="lo-answers">{table(titles, body)}</div>{end}'


def _verdict(answer: Row) -> str:
    if answer.failed:
        return "failed"
    return Foreign(answer.y_hat) if answer.y_hat else "unparsed"


def _explanation(answer: Row) -> str:
    return answer.run.error.message if answer.run.error else Foreign(answer.run.text)


def how_made(evaluation: Evaluation) -> str:
    """Machine, candidates, settings, versions and data of an evaluation, as a table."""
    settings = ", ".join(f"{name} {value}" for name, value in long_texts.other_settings(evaluation.settings).items())
    versions = ", ".join(f"{name} {value}" for name, value in evaluation.versions.items())
    lines = (
        ("Machine", evaluation.machine),
        ("Created", f"{evaluation.created} (evaluation {evaluation.id})"),
        ("Taken in from", evaluation.origin),
        ("Candidates", Foreign(", ".join(evaluation.candidates))),
        ("Labels", Foreign(", ".join(evaluation.labels))),
        ("Settings", settings),
        ("Long texts", " ".join(long_texts.sentences(evaluation.settings))),
        ("Versions", Foreign(versions)),
        ("Texts", f"SHA-256 {evaluation.data_hash[:16]}…; {evaluation.left_out:,} left out"),
        ("Note", Foreign(evaluation.note)),
        ("Written by", f"llm-ops {__version__}"),
    )
    return table(("", ""), "".join(row(name, (value,)) for name, value in lines if value))
