"""Views as HTML. Pure, and everything that isn't ours is escaped; a model's output never comes through here.

gr.HTML inserts what it is given as it stands, so each foreign piece (candidate text, error, label) goes through `_e`.
"""

from collections.abc import Callable, Sequence
from html import escape as _e

from llmops.catalog.models import find_model, model_kinds
from llmops.core.candidate import Epoch, Kind, parse_candidate
from llmops.core.errors import InputError, LlmopsError
from llmops.core.format import count, percent, rate, seconds, size
from llmops.core.run import Memory, Run, RunError, Source
from llmops.core.task import Task
from llmops.core.view import Status, View

_STATUS = {
    Status.WAITING: "waiting",
    Status.QUEUED: "queued",
    Status.LOADING: "loading",
    Status.RUNNING: "running",
    Status.DONE: "done",
    Status.STOPPED: "stopped",
    Status.FAILED: "failed",
}
_SOURCE = {
    Source.CLIENT: ("c", "client-measured"),
    Source.SERVER: ("s", "server-reported"),
    Source.ESTIMATED: ("e", "estimated"),
}
_LETTER = {source: f'<abbr title="{words}">{letter}</abbr>' for source, (letter, words) in _SOURCE.items()}
_MOST_PROBABILITIES = 5  # of more labels, the likeliest
_LISTED = 3  # names in the line beside Run
LEGEND = (
    '<p class="lo-legend">Behind each figure: <b>c</b> client-measured, <b>s</b> server-reported, '
    "<b>e</b> estimated. What is not known is left out.</p>"
)


def head(view: View) -> str:
    """Name, how it runs, status, and progress while something is fetched or loaded."""
    name, epoch = _name(view.candidate)
    status = _STATUS[view.status]
    detail = f'<div class="lo-message">{_e(view.message)}</div>' if view.message else ""
    bar = ""
    if view.status == Status.LOADING:
        value = "" if view.fraction is None else f' value="{view.fraction:.3f}"'
        bar = f'<progress max="1"{value} aria-label="loading {_e(name, quote=True)}"></progress>'
    return (
        f'<div class="lo-head lo-{epoch}"><div class="lo-name">{_e(name)}</div>'
        f'<code class="lo-id">{_e(view.candidate)}</code>'
        f'<span class="lo-status lo-is-{status}" role="status">{status}</span>{detail}{bar}</div>'
    )


def verdict(view: View, task: Task, language: str) -> str:
    """The label and the probabilities, or the error with what would help."""
    run = view.run
    if run is None:
        return ""
    if run.error is not None:
        return problem(run.error)
    names = {label.id: label.name.get(language) or label.id for label in task.labels}
    if run.label is not None:
        title = f'<div class="lo-verdict">{_e(names.get(run.label, run.label))}</div>'
    elif run.unparsed:
        title = '<div class="lo-verdict lo-unparsed">unparsed <small>no answer word at its start</small></div>'
    else:
        title = ""
    return title + _probabilities(run, names)


def problem(error: RunError | LlmopsError) -> str:
    """What happened and what would help."""
    remedy = f'<div class="lo-remedy">{_e(error.remedy)}</div>' if error.remedy else ""
    return f'<div class="lo-error" role="alert"><b>{_e(error.message)}</b>{remedy}</div>'


def toast(error: LlmopsError) -> str:
    """The same as words for Gradio's toast, which takes its message for HTML."""
    return _e(f"{error.message} {error.remedy}".strip())


def message(sentence: str, notes: Sequence[str] = ()) -> str:
    """A sentence for the user, with notes below it."""
    return f'<div role="status">{_e(sentence)}</div>{_notes(notes)}'


def progress(message: str, fraction: float) -> str:
    """A bar with a sentence."""
    return (
        f'<div role="status">{_e(message)}</div>'
        f'<progress class="lo-progress" max="1" value="{fraction:.3f}" aria-label="progress"></progress>'
    )


def _probabilities(run: Run, names: dict[str, str]) -> str:
    if not run.probabilities:
        return ""
    shown = list(run.probabilities.items())
    if len(shown) > _MOST_PROBABILITIES:
        shown = sorted(shown, key=lambda item: -item[1])[:_MOST_PROBABILITIES]
    rows = "".join(
        f'<div class="lo-prob"><span>{_e(names.get(label, label))}</span>'
        f'<span class="lo-track"><span style="width:{value * 100:.1f}%"></span></span>'
        f"<span>{percent(value)}</span></div>"
        for label, value in shown
    )
    left = len(run.probabilities) - len(shown)
    end = f'<span class="lo-legend">and {left:,} more</span>' if left else ""
    return f'<div class="lo-probs" role="group" aria-label="probability per label">{rows}{end}</div>'


def _notes(notes: Sequence[str]) -> str:
    items = "".join(f"<li>{_e(note)}</li>" for note in notes)
    return f'<ul class="lo-notes">{items}</ul>' if items else ""


def figures(view: View) -> str:
    """The run's figures as a table: name, value, where it comes from; notes below. Unknown ones are left out."""
    run = view.run
    if run is None:
        return _notes(view.notes)
    timing, memory = run.timing, run.memory
    rows = [
        ("E2E", seconds(timing.e2e_s), "timing"),
        ("TTFT", seconds(timing.ttft_s), "timing"),
        ("TPOT", seconds(timing.tpot_s), "timing"),
        ("Decode", rate(timing.decode_rate, "tok/s"), "timing"),
        ("Prefill", rate(timing.prefill_rate, "tok/s"), "timing"),
        ("Texts", rate(timing.texts_per_second, "/s") if timing.ttft_s is None else "", "timing"),
        ("Tokens in", count(timing.prompt_tokens), "tokens"),
        ("Tokens out", count(timing.output_tokens), "tokens"),
        ("Load, earlier" if run.warm else "Load", seconds(timing.load_s), "load"),
        ("Queue", seconds(timing.queue_s), "load"),
        ("Weights", size(memory.weights_bytes), "memory"),
        ("KV cache", size(memory.kv_cache_bytes), "memory"),
        ("Peak extra", size(memory.peak_bytes), "memory"),
        ("Left after unload", size(memory.left_bytes), "memory"),
        ("Energy above idle", _watt_hours(run), "energy"),
        ("Device", memory.device or "", ""),
    ]
    body = "".join(
        f'<tr><th scope="row">{name}</th><td>{_e(value)}</td><td>{_source(run, group)}</td></tr>'
        for name, value, group in rows
        if value
    )
    body += _expected(run)
    caption = f'<caption class="lo-sr">figures of {_e(run.candidate)}</caption>'
    table = f'<table class="lo-figures">{caption}<tbody>{body}</tbody></table>' if body else ""
    return table + _notes(run.notes)


def _watt_hours(run: Run) -> str:
    """Measured by counters, of a cascade its stages' sum; empty where any of it was not measured."""
    spent = [stage.energy for stage in run.stages] or [run.energy]
    known = [energy.wh for energy in spent if energy is not None]
    return f"{sum(known):.3g} Wh" if len(known) == len(spent) else ""


def _expected(run: Run) -> str:
    """Weights, cache and peak as the planner expected them, and the measured gap."""
    if run.predicted is None:
        return ""
    pairs = (
        ("Weights", run.predicted.weights_bytes, run.memory.weights_bytes),
        ("KV cache", run.predicted.kv_cache_bytes, run.memory.kv_cache_bytes),
        ("Weights and peak", _sum(run.predicted), _sum(run.memory)),
    )
    return "".join(
        f'<tr class="lo-expected"><th scope="row">{name}, expected</th>'
        f"<td>{size(expected)} ({(measured - expected) / expected:+.1%})</td><td>{_LETTER[Source.ESTIMATED]}</td></tr>"
        for name, expected, measured in pairs
        if expected and measured is not None
    )


def _sum(memory: Memory) -> int | None:
    known = memory.weights_bytes is not None and memory.peak_bytes is not None
    return (memory.weights_bytes or 0) + (memory.peak_bytes or 0) if known else None


def _source(run: Run, group: str) -> str:
    source = Source.CLIENT if group in ("load", "energy") else run.source.get(group)
    if source is None:
        return ""
    return _LETTER[source]


def selected(candidates: Sequence[str]) -> str:
    """What Run would run, by name."""
    if not candidates:
        return '<div class="lo-line">Nothing is selected: choose candidates in Past, Present or Future.</div>'
    names = _listed([_own_name(candidate) for candidate in candidates])
    return f'<div class="lo-line"><span>Selected:</span> {names}</div>'


def run_line(views: Sequence[View], run_id: str) -> str:
    """How far a comparison is, in a line; `data-run` tells the page when another one has begun."""
    ended = [view for view in views if view.ended]
    if len(ended) < len(views):
        doing = [
            f"{_own_name(view.candidate)}: <span>{_e(view.message or _STATUS[view.status])}</span>"
            for view in _active(views)
        ]
        words = f"<span>{len(ended)} of {len(views)} finished.</span> {_listed(doing, ' · ')}"
    else:
        failed = sum(view.status == Status.FAILED for view in views)
        stopped = sum(view.status == Status.STOPPED for view in views)
        parts = [f"Done: {len(views) - failed - stopped} of {len(views)} answered"]
        parts += [f"{failed} failed"] if failed else []
        parts += [f"{stopped} stopped"] if stopped else []
        words = ", ".join(f"<span>{part}</span>" for part in parts)
    return f'<div class="lo-line" role="status" data-run="{_e(run_id, quote=True)}">{words}</div>'


def _own_name(candidate: str) -> str:
    return f'<span translate="no">{_e(_name(candidate)[0])}</span>'


def _active(views: Sequence[View]) -> list[View]:
    """Those at work; those that only wait where none is."""
    at_work = [view for view in views if view.status in (Status.LOADING, Status.RUNNING)]
    return at_work or [view for view in views if not view.ended]


def _listed(pieces: Sequence[str], mark: str = ", ") -> str:
    """The first few pieces of HTML, and how many more there are."""
    more = f" <span>and {len(pieces) - _LISTED} more</span>" if len(pieces) > _LISTED else ""
    return mark.join(pieces[:_LISTED]) + more


def summary(views: Sequence[View]) -> str:
    """Bars above the columns: each figure against the best of the finished runs."""
    runs = [view.run for view in views if view.run is not None and view.run.error is None]
    if not runs:
        return ""
    charts = "".join(
        (
            _bars("E2E", runs, lambda run: run.timing.e2e_s, seconds, smaller=True),
            _bars("TTFT", runs, lambda run: run.timing.ttft_s, seconds, smaller=True),
            _bars("Decode rate", runs, lambda r: r.timing.decode_rate, lambda v: rate(v, "tok/s"), smaller=False),
            _bars("Peak memory (weights and extra)", runs, _held, size, smaller=True),
        )
    )
    return f'<div class="lo-summary">{charts}</div>{LEGEND}'


def _held(run: Run) -> float | None:
    """Weights plus the highest extra of the run: what the candidate takes on its device."""
    if run.memory.weights_bytes is None or run.memory.peak_bytes is None:
        return None
    return run.memory.weights_bytes + run.memory.peak_bytes


def _bars(
    title: str,
    runs: Sequence[Run],
    value_of: Callable[[Run], float | None],
    written: Callable[[float], str],
    smaller: bool,
) -> str:
    known = [(run, value) for run in runs if (value := value_of(run)) is not None]
    if not known:
        return ""
    values = [value for _, value in known]
    best, longest = (min(values) if smaller else max(values)), max(values) or 1.0
    rows = "".join(
        f'<div class="lo-bar{" lo-best" if value == best else ""}">'
        f'<span class="lo-bar-name" title="{_e(run.candidate, quote=True)}">{_e(run.candidate)}</span>'
        f'<span class="lo-track"><span style="width:{max(1.0, 100 * value / longest):.1f}%"></span></span>'
        f'<span class="lo-bar-value">{_e(written(value))}{_against(value, best, smaller)}</span></div>'
        for run, value in known
    )
    return f'<section class="lo-chart" aria-label="{_e(title)}"><h3>{_e(title)}</h3>{rows}</section>'


def _against(value: float, best: float, smaller: bool) -> str:
    if value == best or not best or not value:
        return ' <span class="lo-x">best</span>' if value == best else ""
    ratio = value / best if smaller else best / value
    return f' <span class="lo-x">{ratio:.3g} ×</span>'


def _name(candidate: str) -> tuple[str, Epoch]:
    """The catalogue's name with precision and method, or the text itself; and the epoch."""
    try:
        parsed = parse_candidate(candidate, model_kinds())
    except InputError:
        return candidate, Epoch.PRESENT
    if parsed.stages:
        first, second = (_name(str(stage))[0] for stage in parsed.stages)
        return f"{first}, below {parsed.threshold:.6g}: {second}", parsed.epoch
    spec = find_model(parsed)
    parts = [spec.name if spec else parsed.model.rstrip("/").rsplit("/", 1)[-1], parsed.precision or ""]
    if parsed.kind == Kind.OPENAI and spec is None:
        parts.append("endpoint")
    if parsed.kind == Kind.ENCODER and not parsed.model.startswith("trained/"):
        parts.append(parsed.method)
    return " · ".join(part for part in parts if part), parsed.epoch
