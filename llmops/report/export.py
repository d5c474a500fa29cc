"""An evaluation as XLSX (a sheet a candidate), CSV, JSONL, or an HTML report that stands alone.

Cells that a spreadsheet would compute are made text.
"""

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmops.core.errors import HistoryError, InputError
from llmops.decision.decision_report import make_decision_report
from llmops.evaluation.metrics import measure
from llmops.history.evaluations import Evaluation, Row
from llmops.history.store import History
from llmops.i18n.translation import LANGUAGES
from llmops.report.decision import whole
from llmops.report.page import report

FORMATS = ("xlsx", "csv", "jsonl", "html")
_HEADER = (
    "assessment", "language", "y_true", "y_hat", "explanation", "error", "e2e_s", "ttft_s", "tpot_s", "load_s",
    "prompt_tokens", "output_tokens", "weights_bytes", "kv_cache_bytes", "peak_bytes", "device", "probabilities",
)  # fmt: skip
_FIGURES = (
    "candidate", "texts", "accuracy", "low", "high", "macro_f1", "low", "high", "unparsed_rate", "failed_rate", "ece",
    "flip_rate", "p50_s", "p90_s", "p99_s", "texts_per_s", "weights_bytes", "peak_bytes",
)  # fmt: skip
_COMPUTED = ("=", "+", "-", "@", "\t", "\r", "\n")
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_MOST_CELL = 32_767  # characters in a cell of XLSX
_SHEET_NAME = re.compile(r"[\[\]:*?/\\]")


def export(history: History, evaluation_id: int, path: Path, decision: str = "", language: str = "en") -> None:
    """Write an evaluation; the ending of `path` says how.

    decision: HTML for the report, else one without limits. language: the report's; tables for programs have none.
    Raises InputError for another ending or language, HistoryError for an unknown evaluation or where it can't be
    written.
    """
    kind = path.suffix.lstrip(".").lower()
    if kind not in FORMATS:
        raise InputError(f"“{path.name}” is in no format that is known here.", f"End it in {', '.join(FORMATS)}.")
    if language not in LANGUAGES:
        raise InputError(f"“{language}” is no language of the report.", f"Use one of: {', '.join(LANGUAGES)}.")
    evaluation, rows = history.evaluations.get(evaluation_id), history.evaluations.rows(evaluation_id)
    try:
        if kind == "html":
            curves = [curve for curve in history.curves.newest() if curve.data_hash == evaluation.data_hash]
            page = report(evaluation, rows, curves[:1], decision or _decision(evaluation, rows), language)
            path.write_text(page, encoding="utf-8")
        else:
            {"xlsx": _xlsx, "csv": _csv, "jsonl": _jsonl}[kind](path, evaluation, rows)
    except OSError as error:
        raise HistoryError(f"{path.name} can't be written ({error.strerror}).", "Choose another place.") from error


def _decision(evaluation: Evaluation, rows: Sequence[Row]) -> str:
    """The decision board without limits, at the catalogue's prices."""
    return whole(make_decision_report(evaluation, rows, None)) if rows else ""


def _cells(row: Row) -> tuple[Any, ...]:
    timing, memory, error, shares = row.run.timing, row.run.memory, row.run.error, row.run.probabilities
    return (
        safe(row.text), safe(row.language), safe(row.y_true), safe(row.y_hat or ("unparsed" if row.unparsed else "")),
        safe(row.run.text), safe(error.message if error else ""), timing.e2e_s, timing.ttft_s, timing.tpot_s,
        timing.load_s, timing.prompt_tokens, timing.output_tokens, memory.weights_bytes, memory.kv_cache_bytes,
        memory.peak_bytes, safe(memory.device or ""),
        json.dumps(shares) if shares else "",
    )  # fmt: skip


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula: those get an apostrophe before them (OWASP, CSV injection)."""
    cleaned = _ILLEGAL.sub("", text)
    return f"'{cleaned}" if cleaned.startswith(_COMPUTED) else cleaned


def _csv(path: Path, _evaluation: Evaluation, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("candidate", "repeat", *_HEADER))
        writer.writerows((safe(row.candidate), row.repeat, *_cells(row)) for row in rows)


def _jsonl(path: Path, evaluation: Evaluation, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            about = {"evaluation": evaluation.id, "text": row.text, "language": row.language, "y_true": row.y_true}
            file.write(json.dumps({**about, "repeat": row.repeat, "run": row.run.to_json()}, ensure_ascii=False) + "\n")


def _xlsx(path: Path, evaluation: Evaluation, rows: Sequence[Row]) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    about = book.create_sheet("evaluation")
    for name, value in (
        ("created", evaluation.created),
        ("task", evaluation.task_name),
        ("machine", evaluation.machine),
        ("versions", json.dumps(evaluation.versions)),
        ("settings", json.dumps(evaluation.settings)),
        ("texts left out (examples to learn from)", evaluation.left_out),
        ("note", evaluation.note),
    ):
        about.append((name, safe(value) if isinstance(value, str) else value))
    _figures(book.create_sheet("figures"), evaluation, rows)
    names = {"evaluation", "figures"}
    for candidate in dict.fromkeys(row.candidate for row in rows):
        sheet = book.create_sheet(_sheet_name(candidate, names))
        sheet.append((safe(candidate),))
        sheet.append(("repeat", *_HEADER))
        for row in rows:
            if row.candidate == candidate:
                cells = [cell[:_MOST_CELL] if isinstance(cell, str) else cell for cell in _cells(row)]
                sheet.append((row.repeat, *cells))
    book.save(path)


def _figures(sheet: Any, evaluation: Evaluation, rows: Sequence[Row]) -> None:  # noqa: ANN401
    """The metrics, a row a candidate."""
    labels = [f"{what} {label}" for label in evaluation.labels for what in ("precision", "recall", "F1")]
    sheet.append(tuple(safe(name) for name in (*_FIGURES, *labels)))
    for metrics in measure(rows, evaluation.labels) if rows else ():
        times = metrics.e2e_s or {}
        by_label = [metrics.by_label.get(label) for label in evaluation.labels]
        label_values = [
            value
            for of_label in by_label
            for value in ((of_label.precision, of_label.recall, of_label.f1) if of_label else (None,) * 3)
        ]
        sheet.append(
            (
                safe(metrics.candidate), metrics.texts, metrics.accuracy, *metrics.accuracy_interval, metrics.macro_f1,
                *metrics.macro_f1_interval, metrics.unparsed_rate, metrics.failed_rate,
                metrics.calibration.ece if metrics.calibration else None, metrics.flip_rate,
                times.get("p50"), times.get("p90"), times.get("p99"), metrics.texts_per_s,
                metrics.weights_bytes, metrics.peak_bytes, *label_values,
            )
        )  # fmt: skip


def _sheet_name(candidate: str, taken: set[str]) -> str:
    """At most 31 characters, none of those Excel forbids, no name twice."""
    plain = _SHEET_NAME.sub(" ", candidate)[-28:].strip("' ")
    name, number = plain, 1
    while name.casefold() in taken:
        number += 1
        name = f"{plain[:26]} {number}"
    taken.add(name.casefold())
    return name
