"""Parallel requests against one candidate: throughput, latency and failures by load, under a stated objective.

Closed loop: so many users, each sending its next request when the last is answered. Open loop: requests arrive at a
rate whatever happens, with exponential gaps. Every prompt begins with a number of its own, new each time a probe runs,
so that no prefix cache flatters.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from random import Random, SystemRandom
from typing import Any

from llmops.catalog.models import model_kinds
from llmops.compare.comparison import Options
from llmops.core.candidate import parse_candidate
from llmops.core.errors import EndpointError, InputError, LlmopsError, Stopped, redact
from llmops.core.events import Finished
from llmops.core.request import Report, Request, Send
from llmops.core.run import Run
from llmops.core.task import Task
from llmops.hardware.memory import PeakMemory
from llmops.runtime.pool import Pool

_PERCENTILES = (50, 90, 99)
_MOST = 256  # users or arrivals a second: above it the probe measures its own threads


@dataclass(frozen=True)
class Objective:
    """A request is good when it meets both: seconds to the first token, and a token after it. MLPerf's for an 8B."""

    ttft_s: float = 2.0
    tpot_s: float = 0.1


@dataclass(frozen=True)
class LoadPoint:
    """One level. Percentiles over its answered requests (p99 of fewer than 100 is near the slowest); None: none came.

    users: closed loop; rate: arrivals a second of an open loop. goodput_per_s: within slo_ttft_s and slo_tpot_s.
    memory_per_request_bytes: highest extra memory against the lowest level's, for each request more; None where it
    can't be known: endpoints, the first level, and where the process took no more than for the lowest.
    """

    loop: str
    users: int | None
    rate: float | None
    requests: int
    failures: int
    seconds: float
    requests_per_s: float
    output_tokens_per_s: float
    goodput_per_s: float
    slo_ttft_s: float
    slo_tpot_s: float
    ttft_s: dict[str, float] | None
    tpot_s: dict[str, float] | None
    e2e_s: dict[str, float] | None
    peak_bytes: int | None
    memory_per_request_bytes: int | None
    errors: tuple[str, ...]
    stopped: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Settings:
    """What a load probe does. levels: users (closed) or arrivals a second (open); each level sends requests_each."""

    levels: tuple[float, ...] = (1, 2, 4, 8)
    loop: str = "closed"
    requests_each: int = 16
    max_new_tokens: int = 32
    seed: int = 0
    objective: Objective = Objective()

    def check(self) -> None:
        """Raise InputError for what makes no sense."""
        if self.loop not in ("closed", "open"):
            raise InputError(f"“{self.loop}” is no kind of loop.", "Use closed or open.")
        whole = self.loop == "closed"
        if not self.levels or any(not 0 < one <= _MOST or (whole and one != int(one)) for one in self.levels):
            raise InputError(
                f"The levels are {list(self.levels)}.",
                f"Give {'whole numbers of users' if whole else 'arrivals a second'}, above 0 and at most {_MOST}.",
            )
        if not 1 <= self.requests_each <= 100_000:
            raise InputError(f"{self.requests_each} requests a level are asked.", "Use 1 to 100,000.")


def load_probe(
    pool: Pool,
    task: Task,
    texts: Sequence[str],
    candidate: str,
    options: Options,
    settings: Settings,
    report: Report,
    stop: threading.Event,
) -> Generator[LoadPoint, None, None]:
    """A point a level, as it is measured; ends early, after a partial point, when stop is set or everything fails.

    Raises LlmopsError where the candidate can't be had at all.
    """
    settings.check()
    parsed = parse_candidate(candidate, model_kinds()).owned_by(options.connection.owner)
    if not texts:
        raise InputError("There are no texts to send.", "Use a task with examples.")
    asked = (parsed, task, options.connection, report, stop)
    numbers = SystemRandom()
    with pool.alone(*asked) as lease:
        report("warming up", None)
        warm = replace(settings, loop="closed", requests_each=2)
        sent = _requests(task, texts, options, warm, numbers, stop)
        first = _level(lease.model, sent, options, warm, 2, report, stop)  # in no figure: first calls cost more
    if first.failures == first.requests and first.errors:
        raise EndpointError(first.errors[0], "")
    lowest: LoadPoint | None = None
    for level in settings.levels:
        if stop.is_set():
            return
        with pool.alone(*asked) as lease:
            sent = _requests(task, texts, options, settings, numbers, stop)
            point = _level(lease.model, sent, options, settings, level, report, stop)
        point = replace(point, memory_per_request_bytes=_per_request(lowest, point))
        lowest = lowest or point
        yield point
        if point.stopped or point.failures == point.requests:
            return


def _level(
    model: Any,  # noqa: ANN401
    requests: Sequence[Request],
    options: Options,
    settings: Settings,
    level: float,
    report: Report,
    stop: threading.Event,
) -> LoadPoint:
    at_once = int(level) if settings.loop == "closed" else len(requests)
    results: list[Run | LlmopsError] = []
    said = f"{'users' if settings.loop == 'closed' else 'arrivals a second'}: {level:g}"

    def take(result: Run | LlmopsError) -> None:
        results.append(result)
        report(f"{said}, {len(results)} of {len(requests)} answered", len(results) / len(requests))

    report(said, 0.0)
    device = model.device
    with PeakMemory(device) if device != "remote" else _no_peak() as peak:
        with _sender(model, requests, at_once, stop) as send:
            started = time.perf_counter()
            drive = _closed if settings.loop == "closed" else _open
            drive(send, requests, level, settings.seed, take, stop)
            seconds = time.perf_counter() - started
        extra = peak.extra_bytes if peak is not None else None
    return _point(settings, level, results, seconds, extra, stop.is_set(), options.connection.secrets)


def _requests(
    task: Task, texts: Sequence[str], options: Options, settings: Settings, numbers: Random, stop: threading.Event
) -> list[Request]:
    """Requests that begin differently: a number that no other has, before the instruction and before the text."""
    generation = replace(options.generation, max_new_tokens=settings.max_new_tokens, temperature=0.0)
    made = []
    for index in range(settings.requests_each):
        number = f"{numbers.randrange(10**8):08d}"
        prompt = task.prompt(options.language)
        fresh = replace(prompt, system=f"{number} {prompt.system}")
        changed = replace(task, prompts={**task.prompts, options.language: fresh})
        text = f"{number} {texts[index % len(texts)]}"
        made.append(Request(changed, text, options.language, generation, options.connection, stop, truncate=True))
    return made


@contextmanager
def _sender(model: Any, requests: Sequence[Request], at_once: int, stop: threading.Event) -> Iterator[Send]:  # noqa: ANN401
    """Endpoints take streams side by side; local decoders a batch; an encoder one text after the other."""
    if model.device == "remote":
        yield lambda request: _drain(model, request)
    elif hasattr(model, "parallel"):
        longest = max(len(one.text) + len(one.task.prompt(one.language).instruction) for one in requests)
        tokens = min(longest, 4096) + requests[0].generation.max_new_tokens  # a token is a character at least
        with model.parallel(min(at_once, 64), tokens, stop) as send:
            yield send
    else:
        lock = threading.Lock()

        def one_by_one(request: Request) -> Run:
            handed_s = time.perf_counter()
            with lock:
                run = _drain(model, request)
            waited = time.perf_counter() - handed_s
            return replace(run, timing=replace(run.timing, e2e_s=waited))

        yield one_by_one


def _drain(model: Any, request: Request) -> Run:  # noqa: ANN401
    with closing(model.run(request)) as events:
        for event in events:
            if isinstance(event, Finished):
                return event.run
    raise Stopped("The run ended without a result.")


@contextmanager
def _no_peak() -> Iterator[None]:
    yield None


def _closed(
    send: Send,
    requests: Sequence[Request],
    users: float,
    seed: int,
    take: Callable[[Run | LlmopsError], None],
    stop: threading.Event,
) -> None:
    left = iter(requests)
    guard = threading.Lock()

    def user() -> None:
        while not stop.is_set():
            with guard:
                request = next(left, None)
            if request is None:
                return
            take(_try(send, request))

    _join([threading.Thread(target=user, daemon=True) for _ in range(int(users))])


def _open(
    send: Send,
    requests: Sequence[Request],
    rate: float,
    seed: int,
    take: Callable[[Run | LlmopsError], None],
    stop: threading.Event,
) -> None:
    rng = Random(seed)
    threads = []
    due = time.perf_counter()
    for request in requests:
        if stop.wait(max(0.0, due - time.perf_counter())):
            break
        thread = threading.Thread(target=lambda one=request: take(_try(send, one)), daemon=True)
        thread.start()
        threads.append(thread)
        due += rng.expovariate(rate)
    for thread in threads:
        thread.join()


def _join(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _try(send: Callable[[Request], Run], request: Request) -> Run | LlmopsError:
    try:
        run = send(request)
    except LlmopsError as error:
        return error
    except Exception as error:  # one request's failure is a figure, not the probe's end
        return LlmopsError(f"{type(error).__name__}: {error}", "")
    return Stopped("stopped") if run.finish == "stopped" else run


def _point(
    settings: Settings,
    level: float,
    results: Sequence[Run | LlmopsError],
    seconds: float,
    peak_bytes: int | None,
    stopped: bool,
    secrets: tuple[str, ...],
) -> LoadPoint:
    runs = [one for one in results if isinstance(one, Run)]
    failed = [one for one in results if isinstance(one, LlmopsError) and not isinstance(one, Stopped)]
    closed = settings.loop == "closed"
    return LoadPoint(
        loop=settings.loop,
        users=int(level) if closed else None,
        rate=None if closed else level,
        requests=len(runs) + len(failed),
        failures=len(failed),
        seconds=seconds,
        requests_per_s=len(runs) / seconds,
        output_tokens_per_s=sum(run.timing.output_tokens or 0 for run in runs) / seconds,
        goodput_per_s=sum(_is_good(run, settings.objective) for run in runs) / seconds,
        slo_ttft_s=settings.objective.ttft_s,
        slo_tpot_s=settings.objective.tpot_s,
        ttft_s=_percentiles([run.timing.ttft_s for run in runs]),
        tpot_s=_percentiles([run.timing.tpot_s for run in runs]),
        e2e_s=_percentiles([run.timing.e2e_s for run in runs]),
        peak_bytes=peak_bytes,
        memory_per_request_bytes=None,
        errors=tuple(dict.fromkeys(redact(f"{one.message} {one.remedy}".strip(), secrets) for one in failed))[:3],
        stopped=stopped,
    )


def _is_good(run: Run, objective: Objective) -> bool:
    """vLLM's goodput: within every objective; one token has no TPOT and counts as within."""
    first = run.timing.ttft_s if run.timing.ttft_s is not None else run.timing.e2e_s
    return first is not None and first <= objective.ttft_s and (run.timing.tpot_s or 0.0) <= objective.tpot_s


def _percentiles(values: Sequence[float | None]) -> dict[str, float] | None:
    import numpy as np

    known = [value for value in values if value is not None]
    if not known:
        return None
    return {f"p{p}": float(np.percentile(known, p)) for p in _PERCENTILES}


def _per_request(lowest: LoadPoint | None, point: LoadPoint) -> int | None:
    if lowest is None or lowest.peak_bytes is None or point.peak_bytes is None:
        return None
    if not point.users or not lowest.users or point.users <= lowest.users:
        return None
    more = (point.peak_bytes - lowest.peak_bytes) // (point.users - lowest.users)
    return more if more > 0 else None  # a process that took no more may have used again what it held
