"""Many visitors at once, against the real app with the embedded models: `python -m tests.visitors`.

Fifty simulated visitors for ten minutes (`--visitors`, `--minutes`), all on a public page of this machine: modest ones
(one candidate after the other, through the API and through the page's own events), greedy ones (eight columns at a
time, evaluations one after the other) and restless ones (they leave in the middle of a run). Prints errors, memory by
minute, how long each kind waited, and a verdict: no error, memory flat after the first minute, and the modest ones'
mean waits within ten per cent of each other.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import psutil

from tests.support.serving import app

TEXTS = (
    "All requirements for the wheelchair are met.",
    "The hearing aid is not recommended, because the loss is too small.",
    "Die Versorgung mit dem Rollstuhl wird empfohlen.",
    "Die Voraussetzungen für das Hilfsmittel sind nicht erfüllt.",
)
ENCODER, DECODER = "embedded/encoder@fp32", "embedded/decoder@bf16"
EIGHT = [
    DECODER, ENCODER, "embedded/decoder@fp32", "embedded/encoder@fp32?method=zero-shot", "embedded/decoder@nf4",
    "embedded/encoder@fp32?k=4", "embedded/decoder@int8", "embedded/encoder@fp32?k=8",
]  # fmt: skip
FAIR = 0.10  # the largest difference of a modest visitor's mean wait from all modest visitors' mean
FLAT = 0.05  # growth of resident memory after the first minute
ENOUGH_RUNS = 8  # of each modest visitor: below it a mean says nothing
_TIMEOUT = httpx.Timeout(900.0)


@dataclass
class Told:
    """What one visitor has seen."""

    kind: str
    waits_s: list[float] = field(default_factory=list)
    runs: int = 0
    left: int = 0
    errors: list[str] = field(default_factory=list)


@dataclass
class Visitor:
    """One browser, or one program: a cookie, a session, an open heartbeat."""

    address: str
    until_s: float
    told: Told
    random: random.Random
    candidates: tuple[str, ...] = (ENCODER, DECODER)

    async def visit(self) -> None:
        """Come, do what this kind does until the time is over, and go."""
        acts = {"api": self._api, "page": self._page, "eight": self._eight, "evaluates": self._evaluates}
        await asyncio.sleep(self.random.uniform(0, 2))
        while time.monotonic() < self.until_s:
            try:
                async with httpx.AsyncClient(base_url=self.address, timeout=_TIMEOUT) as client:
                    (await client.get("")).raise_for_status()
                    await (self._restless(client) if self.told.kind == "leaves" else self._stay(client, acts))
            except Exception as error:  # noqa: BLE001  a visitor's trouble is counted, whatever it is
                self.told.errors.append(f"{type(error).__name__}: {error}"[:300])
                await asyncio.sleep(1)

    async def _stay(self, client: httpx.AsyncClient, acts: dict) -> None:
        session = uuid4().hex
        async with client.stream("GET", f"gradio_api/heartbeat/{session}"):
            while time.monotonic() < self.until_s:
                await acts[self.told.kind](client, session)
                await asyncio.sleep(self.random.uniform(0, 0.5))

    async def _api(self, client: httpx.AsyncClient, session: str) -> None:
        for candidate in self.candidates:
            await self._compare(client, session, [candidate])

    async def _eight(self, client: httpx.AsyncClient, session: str) -> None:
        await self._compare(client, session, EIGHT)

    async def _compare(self, client: httpx.AsyncClient, session: str, candidates: list[str]) -> None:
        data = [self.random.choice(TEXTS), "medical", candidates, {"max_new_tokens": 24}]
        answer = await _call(client, "compare", data, session)
        for run in answer["runs"]:
            self._note(run["error"], run["timing"]["queue_s"])

    async def _evaluates(self, client: httpx.AsyncClient, session: str) -> None:
        answer = await _call(client, "evaluate", ["medical", [ENCODER], {}], session)
        trouble = answer["error"] or next((error for error in answer["ended"].values() if error), None)
        self._note(trouble, None)

    async def _page(self, client: httpx.AsyncClient, session: str) -> None:
        """Press Run on the page: the event that the button has, with every field's value, and its stream."""
        config = (await client.get("config")).json()
        for candidate in self.candidates:
            event = _run_event(config, self.random.choice(TEXTS), candidate)
            joined = await client.post("gradio_api/queue/join", json={**event, "session_hash": session})
            joined.raise_for_status()
            last = await _stream(client, f"gradio_api/queue/data?session_hash={session}")
            done = last.get("success") and "lo-is-done" in json.dumps(last["output"])
            self._note(None if done else f"the page's run ended with {json.dumps(last)[:200]}", None)

    async def _restless(self, client: httpx.AsyncClient) -> None:
        """Start a long run, and leave in the middle: heartbeat and stream are both gone."""
        session = uuid4().hex
        data = [self.random.choice(TEXTS), "medical", EIGHT[:4], {"max_new_tokens": 200}]
        with suppress(TimeoutError):
            async with asyncio.timeout(self.random.uniform(0.5, 3)):
                async with client.stream("GET", f"gradio_api/heartbeat/{session}"):
                    await _call(client, "compare", data, session)
        self.told.left += 1
        await asyncio.sleep(self.random.uniform(2, 6))

    def _note(self, error: object, wait_s: float | None) -> None:
        self.told.runs += 1
        if error:
            self.told.errors.append(str(error)[:300])
        if wait_s is not None:
            self.told.waits_s.append(wait_s)


async def _call(client: httpx.AsyncClient, name: str, data: list, session: str) -> dict:
    begun = await client.post(f"gradio_api/call/{name}", json={"data": data, "session_hash": session})
    begun.raise_for_status()
    event, answer = "", None
    async with client.stream("GET", f"gradio_api/call/{name}/{begun.json()['event_id']}") as stream:
        async for line in stream.aiter_lines():
            if line.startswith("event:"):
                event = line.removeprefix("event:").strip()
            elif line.startswith("data:") and event in ("complete", "error"):
                answer = json.loads(line.removeprefix("data:"))
                break
    if event != "complete" or not answer:
        raise RuntimeError(f"/{name} ended with {event}: {answer}")
    return answer[0]


async def _stream(client: httpx.AsyncClient, address: str) -> dict:
    async with client.stream("GET", address) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data:"):
                message = json.loads(line.removeprefix("data:"))
                if message["msg"] == "process_completed":
                    return message
    raise RuntimeError("the stream broke off")


def _run_event(config: dict, text: str, candidate: str) -> dict:
    """The Run button's event with the page's own values, but for text and candidates."""
    parts = {component["id"]: component for component in config["components"]}
    button = next(id_ for id_, component in parts.items() if component["props"].get("elem_id") == "run")
    event = next(dependency for dependency in config["dependencies"] if [button, "click"] in dependency["targets"])
    typed = {"text": text, "past-candidates": [], "present-candidates": [], "future-candidates": []}
    typed["past-candidates" if "encoder" in candidate else "present-candidates"] = [candidate]
    data = []
    for id_ in event["inputs"]:
        component = parts[id_]
        value = None if component["type"] == "state" else component["props"].get("value")
        data.append(typed.get(component["props"].get("elem_id"), value))
    return {"data": data, "fn_index": event["id"], "trigger_id": button, "event_data": None}


def kinds(visitors: int) -> list[str]:
    """Who comes: of fifty, 34 modest ones of the API and 4 of the page, 4 with eight columns, 3 evaluate, 5 leave."""
    greedy = max(1, visitors * 4 // 50)
    evaluating, restless, page = max(1, visitors * 3 // 50), max(1, visitors * 5 // 50), max(1, visitors * 4 // 50)
    rest = ["eight"] * greedy + ["evaluates"] * evaluating + ["leaves"] * restless + ["page"] * page
    return ["api"] * (visitors - len(rest)) + rest


async def _crowd(address: str, visitors: int, minutes: float, process: psutil.Process, quick: bool) -> tuple:
    until_s = time.monotonic() + minutes * 60
    told = [Told(kind) for kind in kinds(visitors)]
    candidates = (ENCODER,) if quick else (ENCODER, DECODER)
    crowd = [
        asyncio.create_task(Visitor(address, until_s, record, random.Random(number), candidates).visit())
        for number, record in enumerate(told)
    ]
    began_s, memory = time.monotonic(), []
    while not all(task.done() for task in crowd):
        memory.append((time.monotonic() - began_s, process.memory_info().rss))
        await asyncio.sleep(1)
    return told, memory


async def _warm_up(address: str) -> None:
    """Libraries and models are in memory before anything is counted."""
    async with httpx.AsyncClient(base_url=address, timeout=_TIMEOUT) as client:
        await _call(client, "compare", [TEXTS[0], "medical", EIGHT, {"max_new_tokens": 24}], uuid4().hex)
        await _call(client, "evaluate", ["medical", [ENCODER], {}], uuid4().hex)


def report(told: list[Told], memory: list[tuple[float, int]], minutes: float) -> bool:
    """Print what was seen; True where everything is as it should be."""
    print(f"{'kind':10} {'visitors':>8} {'runs':>7} {'wait p50':>9} {'wait p90':>9} {'errors':>7}")
    for kind in dict.fromkeys(record.kind for record in told):
        same = [record for record in told if record.kind == kind]
        waits = sorted(wait for record in same for wait in record.waits_s)
        p50, p90 = (f"{waits[int(len(waits) * share)]:.2f} s" if waits else "" for share in (0.5, 0.9))
        runs = sum(record.runs + record.left for record in same)
        print(f"{kind:10} {len(same):8} {runs:7,} {p50:>9} {p90:>9} {sum(len(record.errors) for record in same):7}")
    print("memory, MB by minute:", ", ".join(f"{mean / 1e6:.0f}" for mean in _by_minute(memory)))
    errors = [error for record in told for error in record.errors]
    for error in list(dict.fromkeys(errors))[:5]:
        print("error:", error)
    growth, unfair = _growth(memory, minutes), _unfairness(told)
    print(f"errors: {len(errors)}")
    print(f"memory after the first minute: {growth:+.1%} (at most {FLAT:+.0%})")
    said = "too few runs to tell" if unfair is None else f"{unfair:.1%} (at most {FAIR:.0%})"
    print(f"largest difference of a modest visitor's mean wait from the mean of all: {said}")
    good = not errors and growth <= FLAT and (unfair is None or unfair <= FAIR)
    print("verdict:", "as it should be" if good else "NOT as it should be")
    return good


def _by_minute(memory: list[tuple[float, int]]) -> list[float]:
    last = int(memory[-1][0] // 60)
    groups = [[rss for at, rss in memory if at // 60 == minute] for minute in range(last + 1)]
    return [statistics.fmean(group) for group in groups if group]


def _growth(memory: list[tuple[float, int]], minutes: float) -> float:
    """Resident memory of the last fifth of the time against the fifth after the first minute (or tenth)."""
    settled = min(60.0, minutes * 6)
    whole = minutes * 60 - settled
    early = [rss for at, rss in memory if settled <= at < settled + whole / 5]
    late = [rss for at, rss in memory if minutes * 60 - whole / 5 <= at <= minutes * 60]
    return statistics.fmean(late) / statistics.fmean(early) - 1


def _unfairness(told: list[Told]) -> float | None:
    modest = [record for record in told if record.kind == "api"]
    if len(modest) < 2 or any(len(record.waits_s) < ENOUGH_RUNS for record in modest):
        return None
    means = [statistics.fmean(record.waits_s) for record in modest]
    middle = statistics.fmean(means)
    return max(abs(mean - middle) for mean in means) / middle if middle else 0.0


def main() -> int:
    """Start the app, let them come, and print what they saw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--quick", action="store_true", help="modest visitors use the encoder only")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    with app(folder / "data", folder / "log.txt", LLMOPS_PUBLIC="1") as address:
        asyncio.run(_warm_up(address))
        process = next(
            child for child in psutil.Process().children(recursive=True) if "app.py" in " ".join(child.cmdline())
        )
        told, memory = asyncio.run(_crowd(address, args.visitors, args.minutes, process, args.quick))
        print(f"{args.visitors} visitors, {args.minutes:g} minutes, {psutil.cpu_count()} cores")
        good = report(told, memory, args.minutes)
    trouble = [line for line in (folder / "log.txt").read_text(encoding="utf-8").splitlines() if "Traceback" in line]
    print(f"tracebacks in the app's log: {len(trouble)}")
    return 0 if good and not trouble else 1


if __name__ == "__main__":
    sys.exit(main())
