"""How cost grows: time and memory against texts, prompt, answer, requests at once, and columns."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from llmops.core.events import Finished
from llmops.core.request import Generation, Request
from llmops.hardware.memory import PeakMemory
from tests.benchmarks import shapes
from tests.benchmarks.powers import Curve
from tests.benchmarks.rows import encoder, page, streaming
from tests.benchmarks.texts import TASK, labelled, texts
from tests.support import browsing


@dataclass(frozen=True)
class Growth:
    """A plot by name. measure(tiny) gives (x, seconds, megabytes or None) a point."""

    name: str
    what: str
    axis: str
    measure: Callable[[bool], list[tuple[float, float, float | None]]]

    def curves(self, points: list[tuple[float, float, float | None]]) -> list[Curve]:
        """Seconds, and megabytes where they are known."""
        curves = [Curve("seconds", tuple((x, seconds) for x, seconds, _ in points))]
        known = tuple((x, megabytes) for x, _, megabytes in points if megabytes)
        return [*curves, Curve("MB above idle", known)] if len(known) > 2 else curves


def _costs(work: Callable[[], Any]) -> tuple[float, float | None]:
    """(seconds, highest megabytes above the start): time and memory in separate passes."""
    work()
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    with PeakMemory("cpu") as peak:
        work()
        extra = peak.extra_bytes
    return seconds, extra / 1e6 if extra else None


def _texts(tiny: bool) -> list[tuple[float, float, float | None]]:
    model = encoder.load("int8", tiny)
    requests = [Request(TASK, text, TASK.languages[0]) for text in texts(30 if tiny else 10_000, most=6)]
    counts = (10, 20, 30) if tiny else (10, 30, 100, 300, 1000, 3000, 10_000)
    return [(n, *_costs(lambda n=n: model.run_batch(requests[:n]))) for n in counts]


def _words(count: int) -> str:
    return " ".join("The chair is needed." for _ in range(count // 4))


def _prompts(tiny: bool) -> list[tuple[float, float, float | None]]:
    model = streaming.load(shapes.llama("tiny" if tiny else "0.1B"), "fp32")
    points: list[tuple[float, float, float | None]] = []
    for words in (8, 32, 64) if tiny else (64, 128, 256, 512, 1024, 2048):
        request = Request(TASK, _words(words), "en", Generation(max_new_tokens=1))
        runs: list[Any] = []
        _, extra = _costs(lambda request=request, runs=runs: runs.append(_last(model, request)))
        points.append((float(runs[-1].timing.prompt_tokens), min(run.timing.ttft_s for run in runs), extra))
    model.close()
    return points


def _last(model: Any, request: Request) -> Any:
    return next(event.run for event in model.run(request) if isinstance(event, Finished))


def _answers(tiny: bool) -> list[tuple[float, float, float | None]]:
    model = streaming.load(shapes.llama("tiny" if tiny else "0.1B"), "fp32")
    points: list[tuple[float, float, float | None]] = []
    for tokens in (4, 8, 16) if tiny else (16, 32, 64, 128, 256):
        request = Request(TASK, "The chair is needed.", "en", Generation(max_new_tokens=tokens))
        started = time.perf_counter()
        run = _last(model, request)
        seconds = run.timing.e2e_s or time.perf_counter() - started
        points.append((float(tokens), seconds, (run.memory.kv_cache_bytes or 0) / 1e6 or None))
    model.close()
    return points


def _requests(tiny: bool) -> list[tuple[float, float, float | None]]:
    model = streaming.load(shapes.llama("tiny" if tiny else "0.1B"), "fp32")
    tokens = 4 if tiny else 24
    points: list[tuple[float, float, float | None]] = []
    for count in (1, 2, 4) if tiny else (1, 2, 4, 8, 16):
        requests = [
            Request(TASK, example.text, example.language, Generation(max_new_tokens=tokens))
            for example in labelled(count)
        ]
        with PeakMemory("cpu") as peak:  # the cache of all of them is made at the start
            with (
                model.parallel(count, 128 + tokens) as send,
                ThreadPoolExecutor(count) as users,
            ):
                seconds, _ = _costs(lambda users=users, send=send, requests=requests: list(users.map(send, requests)))
            extra = peak.extra_bytes
        points.append((float(count), seconds, extra / 1e6 if extra else None))
    model.close()
    return points


def _columns(tiny: bool) -> list[tuple[float, float, float | None]]:
    """Server CPU seconds of a whole run of so many columns, and the server's memory."""
    points: list[tuple[float, float, float | None]] = []
    with page.served() as app:
        server = page.server_of(app.url)
        for count in (1, 2, 3) if tiny else (1, 1, 2, 4, 8):
            names = [f"openai/m{number}" for number in range(count)]
            shown = browsing.open_page(app.browser, browsing.link(app.url, *names))
            browsing.type_address(shown, app.fake.url)
            shown.wait_for_timeout(500)
            before = page.cpu_seconds(server)
            browsing.run(shown, "The chair is needed.")
            browsing.wait_finished(shown, count)
            points.append((float(count), page.cpu_seconds(server) - before, server.memory_info().rss / 1e6))
            shown.context.close()
    return points if tiny else points[1:]  # the first pays for what later ones find ready


GROWTH = (
    Growth("texts", "Encoder, int8: texts at once", "texts", _texts),
    Growth("prompt", "0.1B shape, fp32: time to first token by prompt length", "prompt tokens", _prompts),
    Growth("answer", "0.1B shape, fp32: E2E and KV cache by answer length", "output tokens", _answers),
    Growth("requests", "0.1B shape, fp32: requests at once, 24 tokens each", "requests at once", _requests),
    Growth("columns", "Page: server CPU and resident memory by streaming columns", "columns", _columns),
)
