"""Parallel requests against one candidate: throughput, latency and failures by load, under a stated objective.

Closed loop: so many users, each sending its next request when the last is answered. Open loop: requests arrive at a
rate whatever happens, with exponential gaps. Every prompt begins with a number of its own, new each time a probe runs,
so that no prefix cache flatters.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from random import Random, SystemRandom
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from llmops.core.errors import EndpointError, InputError
from llmops.core.given import GivenSettings, Numbers, Whole
from llmops.core.request import Job, Request, Send
from llmops.core.run import Run
from llmops.core.run_settings import GivenRunSettings, RunSettings
from llmops.core.settings import Settings
from llmops.core.statistics import percentiles
from llmops.hardware.memory import PeakMemory
from llmops.probes.target import ProbeTarget, check_count
from llmops.runtime.executor import execute
from llmops.runtime.lease import Lease
from llmops.runtime.pool import Pool

_PERCENTILES = (50, 90, 99)
_MOST_ERRORS = 3  # told of a level
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


class LoadSettings(GivenSettings):
    """What a load probe does."""

    levels: Numbers = Field((1, 2, 4, 8), description="users (closed loop) or arrivals a second (open), a level each")
    loop: Literal["closed", "open"] = Field(
        "closed", title="kind of loop", description="closed: users who wait for their answer; open: arrivals at a rate"
    )
    requests_each: Whole = Field(16, ge=1, le=100_000, description="requests a level")
    max_new_tokens: Whole = Field(32, ge=1, description="tokens of an answer, at most")
    seed: Whole = Field(0, ge=0, le=2**32 - 1, description="of the texts' order, of arrivals and of sampling")
    slo_ttft_s: float = Field(Objective.ttft_s, gt=0, description="seconds to the first token of a good request")
    slo_tpot_s: float = Field(Objective.tpot_s, gt=0, description="seconds a token of a good request")

    @property
    def objective(self) -> Objective:
        """What makes a request good."""
        return Objective(self.slo_ttft_s, self.slo_tpot_s)

    @model_validator(mode="after")
    def _levels_can_be_run(self) -> Self:
        whole = self.loop == "closed"
        if not self.levels or any(not 0 < level <= _MOST or (whole and level % 1) for level in self.levels):
            raise InputError(
                f"The levels are {list(self.levels)}.",
                f"Give {'whole numbers of users' if whole else 'arrivals a second'}, above 0 and at most {_MOST}.",
            )
        return self


class GivenLoad(LoadSettings, GivenRunSettings):
    """A load probe as it is asked for: what it does, and how the candidate runs."""

    @classmethod
    def within(
        cls, given: str | Mapping[str, Any] | None, limits: Settings, called: Mapping[str, str] | None = None
    ) -> Self:
        """As for run settings. Raises TooMuch, too, for more requests than are made here."""
        settings = super().within(given, limits, called)
        check_count("requests", len(settings.levels) * settings.requests_each, limits)
        return settings


def load_probe(pool: Pool, target: ProbeTarget, settings: LoadSettings, job: Job) -> Generator[LoadPoint, None, None]:
    """A point a level, as it is measured; ends early, after a partial point, when stop is set or everything fails.

    Raises LlmopsError where the candidate can't be had at all.
    """
    candidate, job = target.parsed(), target.job(job)
    texts = target.texts()
    numbers = SystemRandom()
    with pool.exclusive(candidate, target.task, job) as lease:
        job.report("warming up", None)
        warm = settings.model_copy(update={"loop": "closed", "requests_each": 2})
        sent = _requests(target, texts, warm, numbers, job.stop)
        first = _Level(lease, target.settings, warm, 2, job).run(sent)  # in no figure: first calls cost more
    if first.failures == first.requests and first.errors:
        raise EndpointError(first.errors[0], "")
    lowest: LoadPoint | None = None
    for level in settings.levels:
        if job.stop.is_set():
            return
        with pool.exclusive(candidate, target.task, job) as lease:
            sent = _requests(target, texts, settings, numbers, job.stop)
            point = _Level(lease, target.settings, settings, level, job).run(sent)
        point = replace(point, memory_per_request_bytes=_per_request(lowest, point))
        lowest = lowest or point
        yield point
        if point.stopped or point.failures == point.requests:
            return


@dataclass(frozen=True)
class _Level:
    """One level of load on a leased model."""

    lease: Lease
    options: RunSettings
    settings: LoadSettings
    level: float
    job: Job

    def run(self, requests: Sequence[Request]) -> LoadPoint:
        """Send all requests, and sum up."""
        closed = self.settings.loop == "closed"
        at_once = int(self.level) if closed else len(requests)
        runs: list[Run] = []
        words = f"{'users' if closed else 'arrivals a second'}: {self.level:g}"

        def take(run: Run) -> None:
            runs.append(run)
            self.job.report(f"{words}, {len(runs)} of {len(requests)} answered", len(runs) / len(requests))

        self.job.report(words, 0.0)
        device = self.lease.model.device
        with PeakMemory(device) if device != "remote" else nullcontext() as peak:
            with _sender(self.lease, self.options, requests, at_once) as send:
                started_s = time.perf_counter()
                if closed:
                    _closed(send, requests, at_once, take, self.job.stop)
                else:
                    _open(send, requests, self.level, self.settings.seed, take, self.job.stop)
                seconds = time.perf_counter() - started_s
            extra_bytes = peak.extra_bytes if peak is not None else None
        return _point(self.settings, self.level, runs, seconds, extra_bytes, self.job.stop.is_set())


def _requests(
    target: ProbeTarget, texts: Sequence[str], settings: LoadSettings, numbers: Random, stop: threading.Event
) -> list[Request]:
    """Requests that begin differently: a number that no other has, before the instruction and before the text."""
    task, options = target.task, target.settings
    generation = replace(options.generation, max_new_tokens=settings.max_new_tokens, temperature=0.0)
    requests = []
    for index in range(settings.requests_each):
        number = f"{numbers.randrange(10**8):08d}"
        prompt = task.prompt(options.language)
        fresh = replace(prompt, system=f"{number} {prompt.system}")
        changed = replace(task, prompts={**task.prompts, options.language: fresh})
        text = f"{number} {texts[index % len(texts)]}"
        requests.append(
            Request(changed, text, options.language, generation, options.connection, stop, long_texts="cut")
        )
    return requests


@contextmanager
def _sender(lease: Lease, options: RunSettings, requests: Sequence[Request], at_once: int) -> Iterator[Send]:
    """Endpoints take streams side by side; local decoders a batch; an encoder one text after the other."""
    model: Any = lease.model
    if model.device == "remote":
        yield lambda request: execute(lease, request, options)
    elif hasattr(model, "parallel"):
        longest = max(
            len(request.text) + len(request.task.prompt(request.language).instruction) for request in requests
        )
        tokens = min(longest, 4096) + requests[0].generation.max_new_tokens  # a token is a character at least
        with model.parallel(at_once, tokens) as send:
            yield lambda request: execute(lease, request, options, send=send)
    else:
        guard = threading.Lock()

        def in_turn(request: Request) -> Run:
            handed_s = time.perf_counter()
            with guard:
                run = execute(lease, request, options)
            if run.error is not None:
                return run
            return replace(run, timing=replace(run.timing, e2e_s=time.perf_counter() - handed_s))

        yield in_turn


def _closed(
    send: Send, requests: Sequence[Request], users: int, take: Callable[[Run], None], stop: threading.Event
) -> None:
    left = iter(requests)
    guard = threading.Lock()

    def user() -> None:
        while not stop.is_set():
            with guard:
                request = next(left, None)
            if request is None:
                return
            take(send(request))

    _join([threading.Thread(target=user, daemon=True) for _ in range(users)])


def _open(
    send: Send,
    requests: Sequence[Request],
    rate: float,
    seed: int,
    take: Callable[[Run], None],
    stop: threading.Event,
) -> None:
    rng = Random(seed)
    threads = []
    due_s = time.perf_counter()
    for request in requests:
        if stop.wait(max(0.0, due_s - time.perf_counter())):
            break
        thread = threading.Thread(target=lambda request=request: take(send(request)), daemon=True)
        thread.start()
        threads.append(thread)
        due_s += rng.expovariate(rate)
    for thread in threads:
        thread.join()


def _join(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _point(
    settings: LoadSettings,
    level: float,
    results: Sequence[Run],
    seconds: float,
    peak_bytes: int | None,
    stopped: bool,
) -> LoadPoint:
    answered = [run for run in results if run.error is None and not run.stopped]
    errors = [run.error for run in results if run.error is not None and not run.stopped]
    closed = settings.loop == "closed"
    return LoadPoint(
        loop=settings.loop,
        users=int(level) if closed else None,
        rate=None if closed else level,
        requests=len(answered) + len(errors),
        failures=len(errors),
        seconds=seconds,
        requests_per_s=len(answered) / seconds,
        output_tokens_per_s=sum(run.timing.output_tokens or 0 for run in answered) / seconds,
        goodput_per_s=sum(_is_good(run, settings.objective) for run in answered) / seconds,
        slo_ttft_s=settings.objective.ttft_s,
        slo_tpot_s=settings.objective.tpot_s,
        ttft_s=percentiles([run.timing.ttft_s for run in answered], _PERCENTILES),
        tpot_s=percentiles([run.timing.tpot_s for run in answered], _PERCENTILES),
        e2e_s=percentiles([run.timing.e2e_s for run in answered], _PERCENTILES),
        peak_bytes=peak_bytes,
        memory_per_request_bytes=None,
        errors=tuple(dict.fromkeys(f"{error.message} {error.remedy}".strip() for error in errors))[:_MOST_ERRORS],
        stopped=stopped,
    )


def _is_good(run: Run, objective: Objective) -> bool:
    """vLLM's goodput: within every objective; one token has no TPOT and counts as within."""
    first = run.timing.ttft_s if run.timing.ttft_s is not None else run.timing.e2e_s
    return first is not None and first <= objective.ttft_s and (run.timing.tpot_s or 0.0) <= objective.tpot_s


def _per_request(lowest: LoadPoint | None, point: LoadPoint) -> int | None:
    if lowest is None or lowest.peak_bytes is None or point.peak_bytes is None:
        return None
    if not point.users or not lowest.users or point.users <= lowest.users:
        return None
    more = (point.peak_bytes - lowest.peak_bytes) // (point.users - lowest.users)
    return more if more > 0 else None  # a process that took no more may have used again what it held
