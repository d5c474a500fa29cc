"""Loaded models under a memory budget: load, share, evict the least recently used, really free.

The pool knows engines and devices, not texts. Two things are handed out: a place in a device's queue (local models on
one device run one after the other, so that their figures are clean) and a lease on a loaded model (one copy for all
visitors, one caller at a time).
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from llmops.core.candidate import EMBEDDED_DECODER, EMBEDDED_ENCODER, Candidate, Kind
from llmops.core.errors import OutOfMemory, StaysHere, Stopped
from llmops.core.request import Connection, Job, Report
from llmops.core.settings import Settings
from llmops.core.task import Example, Task
from llmops.engines import Engines
from llmops.engines.base import Engine, FetchingEngine, MeasuringEngine, Model, TextLengths
from llmops.hardware.machine import device_memory
from llmops.hardware.memory import held_bytes, keep_no_free_memory
from llmops.hardware.openmp_threads import without_idle_workers
from llmops.hub.licence import Permit
from llmops.runtime.cascade import CascadeModel
from llmops.runtime.device_queues import AND, REMOTE, DeviceQueues
from llmops.runtime.lease import Lease
from llmops.runtime.transfers import Transfers

_POLL_S = 0.05
_BUDGET_SHARE = 0.7  # of what is free when first asked: the rest is for caches, activations and the page


@dataclass
class _Entry:
    """One model of the pool: `ready` once loaded, `lock` held by its one caller."""

    key: str
    device: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    model: Model | None = None
    before_bytes: int | None = None
    users: int = 0
    bytes: int = 0
    epoch: int = 0


class Pool:
    """The process's loaded models. Thread-safe."""

    def __init__(
        self,
        settings: Settings,
        engines: Callable[[Kind], Engine] | None = None,
        permit: Permit | None = None,
    ) -> None:
        """engines: None for this package's own, made with the settings.

        permit: asked before a model is handed out, whether this visitor may have it; None: everybody may.
        """
        keep_no_free_memory()
        self.queues = DeviceQueues()
        self.settings = settings
        self.transfers = Transfers()
        self._permit = permit
        self._engines = engines or Engines(settings)
        self._budgets: dict[str, int] = {}
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # least recently used first
        self._guard = threading.Lock()
        self._epoch = 0  # grows with each load and unload: tells whether a before/after pair is undisturbed

    def device(self, candidate: Candidate, connection: Connection) -> str:
        """Where the candidate would run: `remote`, or a device; a cascade's devices here, joined where they are two."""
        if candidate.stages:
            found = dict.fromkeys(self.device(stage, connection) for stage in candidate.stages)
            return AND.join(stage for stage in found if stage != REMOTE) or REMOTE
        return self._engines(candidate.kind).device(candidate, connection)

    def leaves(self, candidate: Candidate, connection: Connection) -> bool:
        """True where the candidate, or a stage of it, runs elsewhere: a text may leave this machine."""
        return any(self.device(stage, connection) == REMOTE for stage in candidate.stages or (candidate,))

    def is_here(self, candidate: Candidate, task: Task) -> bool:
        """False where files have to be fetched before it can load; told from this machine alone."""
        return all(self._is_here(stage, task) for stage in candidate.stages or (candidate,))

    def fetch(self, candidate: Candidate, task: Task, job: Job) -> None:
        """Fetch what is not here, before a turn is taken. Raises what a lease would for want of it, or Stopped."""
        self._check_stays(candidate, job.connection)
        for stage in candidate.stages or (candidate,):
            engine = self._engines(stage.kind)
            if self._is_here(stage, task) or not isinstance(engine, FetchingEngine):
                continue
            if self._permit is not None:
                self._permit(stage, job.connection)

            def here(stage: Candidate = stage) -> bool:
                return self._is_here(stage, task)

            def way(tell: Report, stage: Candidate = stage, engine: FetchingEngine = engine) -> None:
                engine.fetch(stage, replace(job, report=tell))

            self.transfers.fetch(stage.model, here, way, job)

    def text_lengths(
        self, stage: Candidate, task: Task, texts: Sequence[Example], new_tokens: int
    ) -> TextLengths | None:
        """Of one that is no cascade; None where its tokenizer is not here. Nothing is fetched, no weights loaded."""
        engine = self._engines(stage.kind)
        return engine.text_lengths(stage, task, texts, new_tokens) if isinstance(engine, MeasuringEngine) else None

    def _is_here(self, candidate: Candidate, task: Task) -> bool:
        engine = self._engines(candidate.kind)
        embedded = candidate.model in (EMBEDDED_DECODER, EMBEDDED_ENCODER)
        if embedded or not candidate.is_local or not isinstance(engine, FetchingEngine):
            return True
        key = _key(engine, candidate, task)
        with self._guard:
            entry = self._entries.get(key)
            if entry is not None and entry.model is not None:
                return True
        return engine.estimate_bytes(candidate) is not None

    @contextmanager
    def exclusive(self, candidate: Candidate, task: Task, job: Job) -> Iterator[Lease]:
        """A turn on the candidate's device and a lease, in this order, as comparisons take them (else both would wait).

        For long work: take one for each text or level, so that others get their turn between.
        """
        self.fetch(candidate, task, job)
        device = self.device(candidate, job.connection)
        with self.queues.turn(device, job) as queue_s, self.lease(candidate, task, job, queue_s) as lease:
            yield lease

    @contextmanager
    def lease(self, candidate: Candidate, task: Task, job: Job, queue_s: float = 0.0) -> Iterator[Lease]:
        """A loaded, warmed-up model, for this caller alone. Raises what loading raises, or Stopped.

        queue_s: seconds that the caller has waited for the device before; they are in the lease's waited_s.
        """
        self._check_stays(candidate, job.connection)
        if candidate.stages:
            with self._stages(candidate, task, job, queue_s) as both:
                yield both
            return
        if self._permit is not None:
            self._permit(candidate, job.connection)
        engine = self._engines(candidate.kind)
        device = engine.device(candidate, job.connection)
        if not candidate.is_local:  # nothing is held but an address, so there is nothing to share or to evict
            yield Lease(candidate, engine.load(candidate, task, job), None, queue_s, self.transfers)
            return
        entry = self._claim(_key(engine, candidate, task), device)
        started = time.perf_counter()
        try:
            _acquire(entry.lock, job.stop)
            waited_s = queue_s + time.perf_counter() - started
            try:
                warm = entry.model is not None
                if entry.model is None:
                    self._load(entry, engine, candidate, task, job)
                if entry.model is None:  # for the type checker; _load sets it or raises
                    raise RuntimeError("The model did not load.")
                yield Lease(candidate, entry.model, entry.model.load_s, waited_s, self.transfers, warm)
            finally:
                entry.lock.release()
        finally:
            self._release(entry)

    def _check_stays(self, candidate: Candidate, connection: Connection) -> None:
        """Refuse what runs elsewhere where nothing may leave this machine."""
        if connection.local_only and self.leaves(candidate, connection):
            raise StaysHere(
                f"{candidate} runs elsewhere, and nothing may leave this machine.",
                "Untick “Nothing leaves this machine”, or choose a local candidate.",
            )

    @contextmanager
    def _stages(self, candidate: Candidate, task: Task, job: Job, queue_s: float) -> Iterator[Lease]:
        """Both models of a cascade. Always taken in the order of their keys, so that two cascades can't block."""
        self._check_together(candidate, job.connection)
        order = sorted(candidate.stages, key=lambda stage: _key(self._engines(stage.kind), stage, task))
        with ExitStack() as held:
            leases = {stage: held.enter_context(self.lease(stage, task, job)) for stage in order}
            first, second = (leases[stage] for stage in candidate.stages)
            loaded = [lease for lease in (first, second) if lease.load_s is not None]
            yield Lease(
                candidate,
                CascadeModel(candidate, first, second),
                sum(lease.load_s or 0.0 for lease in loaded) if loaded else None,
                queue_s,  # what the stages waited for their models is in their own runs
                self.transfers,
                all(lease.warm for lease in loaded),
            )

    def _check_together(self, candidate: Candidate, connection: Connection) -> None:
        """Refuse stages that fit one by one but not together: neither can be evicted while the other runs."""
        needs: dict[str, int] = {}
        for stage in candidate.stages:
            device = self.device(stage, connection)
            needs[device] = needs.get(device, 0) + (self._engines(stage.kind).estimate_bytes(stage) or 0)
        for device, needed in needs.items():
            if device != REMOTE and needed > self.budget(device):
                raise OutOfMemory(
                    f"Both stages together need about {needed / 1e9:.1f} GB; "
                    f"{self.budget(device) / 1e9:.1f} GB may be used on {device}.",
                    "Choose a smaller precision for one of them, or raise LLMOPS_MEMORY_GB.",
                )

    def unload(self, candidate: Candidate, task: Task) -> int | None:
        """Free a model nobody uses. Returns the bytes that stayed behind (None where unknown or still in use)."""
        if candidate.stages:
            left = [self.unload(stage, task) for stage in candidate.stages if stage.is_local]
            return None if None in left else sum(left_bytes or 0 for left_bytes in left)
        key = _key(self._engines(candidate.kind), candidate, task)
        with self._guard:
            entry = self._entries.get(key)
            if entry is None or entry.users:
                return None
            del self._entries[key]
        return self._free(entry)

    def close(self) -> None:
        """Free every model that is not in use."""
        with self._guard:
            idle = [entry for entry in self._entries.values() if not entry.users]
            for entry in idle:
                del self._entries[entry.key]
        for entry in idle:
            self._free(entry)

    def loaded(self) -> dict[str, int]:
        """Key → bytes of weights of what is loaded now."""
        with self._guard:
            return {entry.key: entry.bytes for entry in self._entries.values() if entry.model is not None}

    def budget(self, device: str) -> int:
        """Bytes of weights that may be loaded on a device at once."""
        if self.settings.pool_budget_bytes is not None:
            return self.settings.pool_budget_bytes
        with self._guard:
            if device not in self._budgets:
                self._budgets[device] = int(device_memory(device) * _BUDGET_SHARE)
            return self._budgets[device]

    def _claim(self, key: str, device: str) -> _Entry:
        with self._guard:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry(key, device)
            entry.users += 1
            self._entries.move_to_end(key)
            return entry

    def _release(self, entry: _Entry) -> None:
        with self._guard:
            entry.users -= 1
            if not entry.users and entry.model is None:
                self._entries.pop(entry.key, None)

    def _load(
        self,
        entry: _Entry,
        engine: Engine,
        candidate: Candidate,
        task: Task,
        job: Job,
    ) -> None:
        self._make_room(entry, engine.estimate_bytes(candidate))
        with without_idle_workers():
            model = engine.load(candidate, task, job)
        try:
            job.report("warming up", None)
            model.warm_up()
        except BaseException:
            model.close()
            raise
        with self._guard:
            self._epoch += 1
            entry.model, entry.epoch, entry.before_bytes = model, self._epoch, model.before_bytes
            entry.bytes = model.weights_bytes or 0
        self._make_room(entry, 0)  # the estimate may have been too low

    def _make_room(self, wanted: _Entry, needed: int | None) -> None:
        budget = self.budget(wanted.device)
        if needed is not None and needed > budget:
            raise OutOfMemory(
                f"The weights need about {needed / 1e9:.1f} GB; {budget / 1e9:.1f} GB may be used on {wanted.device}.",
                "Choose a smaller precision or model, or raise LLMOPS_MEMORY_GB.",
            )
        while True:
            with self._guard:
                same = [entry for entry in self._entries.values() if entry.device == wanted.device]
                total = sum(entry.bytes for entry in same) + (needed or 0)
                idle = [entry for entry in same if not entry.users and entry.model is not None]
                if total <= budget or not idle:
                    return
                victim = idle[0]
                del self._entries[victim.key]
            self._free(victim)

    def _free(self, entry: _Entry) -> int | None:
        if entry.model is None:
            return None
        full = held_bytes(entry.device)
        entry.model.close()
        entry.model = None
        after = held_bytes(entry.device)
        with self._guard:
            undisturbed = self._epoch == entry.epoch
            self._epoch += 1
        if entry.before_bytes is None or full is None or after is None:
            return None
        if undisturbed:
            return max(0, after - entry.before_bytes)
        return max(0, entry.bytes - (full - after))


def _key(engine: Engine, candidate: Candidate, task: Task) -> str:
    """What one loaded model is shared by."""
    return f"{candidate.kind}:{engine.key(candidate, task)}"


def _acquire(lock: threading.Lock, stop: threading.Event) -> None:
    while not lock.acquire(timeout=_POLL_S):
        if stop.is_set():
            raise Stopped("Stopped while another run used the model.")
