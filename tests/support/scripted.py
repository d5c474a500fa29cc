"""Engines that follow a script, to test waiting, sharing and stopping without a model's own pace. Test code only."""

import time
from dataclasses import dataclass, field, replace

from llmops.core.candidate import Candidate
from llmops.core.errors import LlmopsError, Stopped
from llmops.core.events import Finished, Started, Token
from llmops.core.run import Memory, Run, Source, Timing
from llmops.core.task import Example, Label, Prompt, Task

TASK = Task(
    id="t",
    name="T",
    labels=(Label("a", {}, {}, {"en": "A"}), Label("b", {}, {}, {"en": "B"})),
    prompts={"en": Prompt("Say A or B.")},
    examples=(Example("x", "a", "en"),),
)


@dataclass
class ScriptedModel:
    """Yields `tokens` pieces, `step_s` apart."""

    name: str
    tokens: int
    step_s: float
    error: Exception | None
    weights_bytes: int
    device: str = "cpu"
    notes: tuple[str, ...] = ("a note",)
    load_s: float | None = None
    before_bytes: int | None = 0
    sure: float | None = None  # the probability of label a; None: tells none
    finish: str | None = None
    timing: Timing = field(default_factory=Timing)
    running: int = 0
    most_running: int = 0
    closed: bool = False

    def warm_up(self):
        pass

    def run(self, request):
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            yield Started()
            for index in range(self.tokens):
                if request.stop.wait(self.step_s):
                    yield Finished(Run("", text="part", finish="stopped"))
                    return
                yield Token(f"{index} ")
            if self.error:
                raise self.error
            memory = Memory(weights_bytes=self.weights_bytes, device=self.device)
            shares = None if self.sure is None else {"a": self.sure, "b": 1 - self.sure}
            run = Run("", text=self.name, label="a", probabilities=shares, memory=memory, timing=self.timing)
            yield Finished(replace(run, source={"memory": Source.CLIENT}, finish=self.finish))
        finally:
            self.running -= 1

    def close(self):
        self.closed = True


@dataclass
class ScriptedEngine:
    """Loads a ScriptedModel for `name:tokens:step_ms`; the model part of a candidate is its script."""

    load_s: float = 0.0
    weights_bytes: int = 100
    errors: dict[str, Exception] = field(default_factory=dict)
    loads: list[str] = field(default_factory=list)
    models: dict[str, ScriptedModel] = field(default_factory=dict)
    ignores_stop: bool = False
    sure: float | None = None
    finish: str | None = None
    timing: Timing = field(default_factory=Timing)  # what the model itself tells of a run

    def key(self, candidate: Candidate, task):
        return candidate.model

    def device(self, candidate, connection):
        return "cpu" if candidate.is_local else "remote"

    def estimate_bytes(self, candidate):
        return self.weights_bytes

    def load(self, candidate, task, job):
        self.loads.append(candidate.model)
        job.report("reading", 0.5)
        name, tokens, step_ms = candidate.model.split(":")
        if f"load {name}" in self.errors:
            raise self.errors[f"load {name}"]
        if self.ignores_stop:
            time.sleep(self.load_s)
        elif job.stop.wait(self.load_s):
            raise Stopped("Stopped while loading.")
        model = ScriptedModel(name, int(tokens), int(step_ms) / 1000, self.errors.get(name), self.weights_bytes)
        model.load_s, model.sure, model.finish, model.timing = self.load_s, self.sure, self.finish, self.timing
        self.models[name] = model
        return model


class Boom(LlmopsError):
    """An error of the test's own."""

    kind = "boom"
