"""The page: what it adds to the first token, what streaming columns cost its server, and a long table."""

import json
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from playwright.sync_api import Browser

from llmops.core.run import Memory, Run, Timing
from llmops.embedded import DECODER_DIR
from llmops.history.evaluations import Evaluation
from llmops.history.evaluations import Row as Kept
from llmops.history.sets import LabelledSet
from llmops.history.store import History
from tests.benchmarks import shapes
from tests.benchmarks.measure import Measured, Row, Sides, timed
from tests.benchmarks.rows.streaming import bare, prompt
from tests.benchmarks.texts import TASK, labelled
from tests.support import browsing, serving
from tests.support.fake_endpoint import FakeEndpoint

_COLUMNS = 8


@dataclass(frozen=True)
class Served:
    """The app in a process of its own, where its data lies, a browser, and an endpoint to stream from."""

    url: str
    data: Path
    browser: Browser
    fake: FakeEndpoint


_kept: list[ExitStack] = []  # where only results count: what keeps the one app that all rows use
_found: list[Served] = []


@contextmanager
def served() -> Iterator[Served]:
    """All of it, fresh; or within `shared` one for all."""
    if not _kept:
        with _fresh() as found:
            yield found
        return
    if not _found:
        _found.append(_kept[0].enter_context(_fresh()))
        _found[0].fake.pace_s = 0.001
    yield _found[0]


@contextmanager
def shared() -> Iterator[None]:
    """One app for all rows, started when the first needs it, and no pauses."""
    with ExitStack() as stack:
        _kept.append(stack)
        try:
            yield
        finally:
            _kept.clear()
            _found.clear()


@contextmanager
def _fresh() -> Iterator[Served]:
    with (
        tempfile.TemporaryDirectory() as name,
        serving.app(Path(name) / "data", Path(name) / "log.txt") as url,
        browsing.chromium() as browser,
        FakeEndpoint("paced") as fake,
    ):
        yield Served(url, Path(name) / "data", browser, fake)


@contextmanager
def _first_token(tiny: bool) -> Iterator[Sides]:
    import torch

    name, text, count = "embedded/decoder@fp32", "The chair is needed.", 4
    settings = {"language": "en", "max_new_tokens": count}
    plain, tokenizer = bare(DECODER_DIR, "fp32")
    ids = prompt(tokenizer, text)
    shape, _ = bare(shapes.llama("tiny" if tiny else "0.1B"), "fp32")

    def generated(model: object, most: int) -> Measured:
        with torch.inference_mode():
            return timed(
                lambda: model.generate(
                    ids, attention_mask=torch.ones_like(ids), max_new_tokens=most, do_sample=False, pad_token_id=0
                )
            )

    with served() as app, httpx.Client(base_url=app.url, timeout=60) as client:

        def ours(repeat: int) -> Measured:
            started, first, column = time.perf_counter(), None, None
            for column in _stream(client, [text, "medical", [name], settings]):
                if first is None and column["text"]:
                    first = time.perf_counter() - started
            assert column["status"] == "done", column
            return Measured(first, column["text"])

        def baseline(repeat: int) -> Measured:
            """TTFT in this process, and one decode step of the 0.1B shape."""
            first, whole = generated(plain, 1).value, generated(plain, count).result
            step = (generated(shape, 9).value - generated(shape, 1).value) / 8
            return Measured(first + step, tokenizer.decode(whole[0, ids.shape[1] :], skip_special_tokens=True))

        ours(0), baseline(0)  # loads and warms up
        yield Sides(ours, baseline, _all_equal)


def _stream(client: httpx.Client, data: list[object]) -> Iterator[dict]:
    """What /stream tells of its one column, as a browser hears it: gradio_client looks for news every 50 ms only."""
    asked = client.post("gradio_api/call/stream", json={"data": data, "session_hash": "benchmark"})
    with client.stream("GET", f"gradio_api/call/stream/{asked.json()['event_id']}") as lines:
        for line in lines.iter_lines():
            if line.startswith("data:") and (told := json.loads(line.removeprefix("data:"))):
                yield told[0]["columns"][0]


@contextmanager
def _columns(tiny: bool) -> Iterator[Sides]:
    many = 2 if tiny else _COLUMNS
    with served() as app:
        server = server_of(app.url)

        def painted(columns: int) -> Measured:
            names = [f"openai/m{number}" for number in range(columns)]
            page = browsing.open_page(app.browser, browsing.link(app.url, *names))
            browsing.type_address(page, app.fake.url)
            page.wait_for_timeout(500)
            before = cpu_seconds(server)
            browsing.run(page, "The chair is needed.")
            browsing.wait_finished(page, columns)
            spent = cpu_seconds(server) - before
            boxes = page.locator(".lo-column:visible textarea")
            words = [len(box.input_value().split()) for box in boxes.all()]
            page.context.close()
            assert words == [100] * columns, words
            return Measured(1000 * spent / sum(words), words[0])

        if not tiny:
            painted(1)
        yield Sides(lambda repeat: painted(many), lambda repeat: painted(1), _all_equal)


def cpu_seconds(server: psutil.Process) -> float:
    """What a process has used so far, user and system."""
    times = server.cpu_times()
    return times.user + times.system


def server_of(url: str) -> psutil.Process:
    """The process that listens at an address."""
    port = int(url.rstrip("/").rsplit(":", 1)[1])
    for child in psutil.Process().children(recursive=True):
        if any(
            connection.laddr.port == port and connection.status == "LISTEN"
            for connection in child.net_connections("inet")
        ):
            return child
    raise RuntimeError("the app's process was not found")


@contextmanager
def _table(tiny: bool) -> Iterator[Sides]:
    long, short = (60, 20) if tiny else (2000, 100)
    with served() as app:
        for count in (long, short):
            _keep(History(app.data / "history.sqlite"), count)
        page = browsing.open_page(app.browser, app.url)
        browsing.tab(page, "Evaluate")

        def shown(count: int) -> Measured:
            def work() -> str:
                page.get_by_label("Kept evaluations").click()
                page.get_by_role("option", name=re.compile(f"{count} rows")).first.click()
                browsing.expect(page.locator("#rows-counted")).to_contain_text(f"of {count:,} texts", timeout=120_000)
                browsing.expect(page.locator("#rows")).to_contain_text("The chair of row 1 ")
                return "shown"

            return timed(work)

        shown(short), shown(long)
        yield Sides(lambda repeat: shown(long), lambda repeat: shown(short), _all_equal)
        assert page.errors == []
        page.context.close()


def _keep(history: History, count: int) -> None:
    """An evaluation of so many texts, each with a paragraph to read, through two candidates."""
    examples = labelled(1) * count
    names, settings = ("embedded/encoder@fp32", "embedded/decoder@bf16"), {"max_new_tokens": 8, "repeats": 1}
    record = Evaluation(
        task_id=TASK.id, task_name=f"{count} rows", settings=settings, labels=TASK.label_ids,
        data_hash=f"benchmark-{count}", candidates=names, left_out=0,
    )  # fmt: skip
    number = history.evaluations.add_with_set(record, LabelledSet.of(TASK, examples))
    rows = []
    for name in names:
        for place, example in enumerate(examples):
            said = TASK.label_ids[(place % 3 > 0) != (name == names[0])]
            run = Run(
                name, "Because it is so. " * 10, said, probabilities=dict.fromkeys(TASK.label_ids, 0.5),
                timing=Timing(e2e_s=0.1), memory=Memory(weights_bytes=1),
            )  # fmt: skip
            text = f"The chair of row {place + 1} is needed. " + example.text * 4
            rows.append(Kept(name, place, 0, text, "en", example.label, said, False, False, "2026-01-01", run))
    history.evaluations.add_rows(number, rows)


def _all_equal(ours: list[object], baseline: list[object]) -> str:
    assert len({json.dumps(result) for result in [*ours, *baseline]}) == 1, (ours, baseline)
    return "same text"


TTFT = Row(
    "ttft-page", "TTFT through the app's API (`/stream`), embedded decoder, warm",
    "TTFT in the same process, bare, plus one decode step of the 0.1B shape", "s", _first_token, at_most=1.0,
)  # fmt: skip
COLUMNS = Row(
    "columns-8", "page with 8 streaming columns: server CPU per painted token", "one column", "ms", _columns,
    at_most=1.5,
)  # fmt: skip
TABLE = Row(
    "table-2000",
    "the table of 2,000 rows: chosen to readable",
    "a table of 100 rows",
    "s",
    _table,
    at_most=1.5,
    turns=3,
)
