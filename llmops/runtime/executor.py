"""One request on a leased model, and the one complete Run that comes of it.

Comparison, evaluation, probes and the stages of a cascade all come through here. Which text is next, and what is shown
meanwhile, is theirs; waiting, loading, warmth, notes, and errors with their remedy are told here, once.
"""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from llmops.core.errors import EndpointError, LlmopsError, Stopped, cut_out
from llmops.core.events import Event, Finished, Token
from llmops.core.failures import as_run_error
from llmops.core.request import Request, Send
from llmops.core.run import Memory, Run, Timing
from llmops.core.run_settings import RunSettings
from llmops.engines.base import BatchModel, Model
from llmops.runtime.lease import Lease

Emit = Callable[[Event], None]


def _unseen(event: Event) -> None:
    """An event that nobody reads."""


def execute(
    lease: Lease, request: Request, settings: RunSettings, emit: Emit = _unseen, send: Send | None = None
) -> Run:
    """Run a request to its end. What goes wrong is the run's `error`, Stop too: nothing is raised.

    emit: told of every event but the last. send: how the request reaches the model beside others; None: alone.
    """
    with closing(execute_streaming(lease, request, settings, send)) as events:
        while True:
            try:
                emit(next(events))
            except StopIteration as ended:
                run: Run = ended.value
                return run


def execute_streaming(
    lease: Lease, request: Request, settings: RunSettings, send: Send | None = None
) -> Generator[Event, None, Run]:
    """The same as a generator: yields every event but the last, returns the run. Closing it stops the work."""
    parts: list[str] = []
    since = lease.transfers.mark()
    try:
        if request.stop.is_set():
            raise Stopped("Stopped before the run.")
        run = send(request) if send is not None else (yield from _stream(lease.model, request, parts))
    except Exception as caught:  # noqa: BLE001  a run's end: failed() logs it
        text = cut_out("".join(parts), request.connection.secrets)
        return failed(lease, request, settings, caught, text)
    return _completed(run, lease, settings, request, since)


def execute_batch(lease: Lease, requests: Sequence[Request], settings: RunSettings) -> list[Run]:
    """Many requests in one go, on a model that takes batches; a run each, in order. Raises Stopped: none has a result.

    What ran in a batch has no time of its own: its settings say how many texts shared how long.
    """
    model = lease.model
    if not isinstance(model, BatchModel):
        raise TypeError(f"{lease.candidate} takes no batches.")
    since = lease.transfers.mark()
    started_s = time.perf_counter()
    results = model.run_batch(requests)
    shared = {"batch_texts": len(requests), "batch_s": time.perf_counter() - started_s}
    note = f"Ran in a batch of {len(requests)} texts, so it has no latency of its own."
    runs = []
    for request, result in zip(requests, results, strict=True):
        if isinstance(result, LlmopsError):
            run = failed(lease, request, settings, result)
        else:
            run = _completed(replace(result, notes=(*result.notes, note)), lease, settings, request, since)
        runs.append(replace(run, settings=run.settings | shared))
    return runs


def failed(lease: Lease, request: Request, settings: RunSettings, caught: Exception, text: str = "") -> Run:
    """A run that ended in an exception, with what is known of it. text: what had been written."""
    name = str(lease.candidate)
    return Run(
        name,
        text=text,
        warm=lease.warm,
        timing=Timing(load_s=lease.load_s, queue_s=lease.waited_s),
        memory=Memory(weights_bytes=lease.model.weights_bytes, device=lease.model.device),
        settings=settings.record(request),
        error=as_run_error(caught, name, request.connection.secrets),
    )


def never_ran(candidate: str, settings: RunSettings, caught: Exception) -> Run:
    """A run that failed before it had a model: while it waited, fetched or loaded."""
    error = as_run_error(caught, candidate, settings.connection.secrets)
    return Run(candidate, settings=settings.record(), error=error)


def _stream(model: Model, request: Request, parts: list[str]) -> Generator[Event, None, Run]:
    """The model's events but the last, whose run is returned; what is written is kept in `parts` as it comes."""
    with closing(model.run(request)) as events:
        for event in events:
            if isinstance(event, Finished):
                return event.run
            if isinstance(event, Token):
                parts.append(event.text)
            yield event
    raise EndpointError("The run ended without a result.", "Retry.")


def _completed(run: Run, lease: Lease, settings: RunSettings, request: Request, since: int) -> Run:
    """The model's run with what it can't know: who ran, how long it waited, and what was beside it."""
    # A run on a borrowed GPU tells itself what it waited, and whether its model was there; elsewhere the lease knows.
    own = run.timing
    tells_loading = own.load_s is not None
    timing = replace(
        own,
        load_s=own.load_s if tells_loading else lease.load_s,
        queue_s=lease.waited_s + (own.queue_s or 0),
    )
    changes: dict[str, Any] = {
        "candidate": str(lease.candidate),
        "timing": timing,
        "warm": run.warm if tells_loading else lease.warm,
        "notes": tuple(dict.fromkeys((*lease.model.notes, *run.notes, *_notes(run, lease, settings, request, since)))),
        "settings": settings.record(request),
    }
    return replace(run, **changes)


def _notes(run: Run, lease: Lease, settings: RunSettings, request: Request, since: int) -> list[str]:
    notes = []
    if run.finish == "length":
        most = request.generation.max_new_tokens
        notes.append(f"The answer was cut off at {most:,} new tokens (run settings, max new tokens).")
    if settings.all_at_once:
        notes.append("Ran beside other local models: the times disturb each other.")
    if lease.candidate.is_local and lease.transfers.since(since):
        notes.append("Another model was being fetched meanwhile, which may have slowed this run.")
    return notes
