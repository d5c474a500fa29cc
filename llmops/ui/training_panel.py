"""Train an encoder in the browser: base, method, k, seed; progress, loss curve and Stop; then keep it under a name.

The result waits in the session until it is kept; kept ones can be chosen, downloaded, deleted, and brought back.
"""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gradio as gr

from llmops.catalog.models import models
from llmops.core.candidate import DEFAULT_K, EMBEDDED_ENCODER, Candidate, Kind, base_encoder
from llmops.core.errors import InputError, LlmopsError
from llmops.core.request import Connection, Job
from llmops.core.task import Task
from llmops.report.tables import more, row, table
from llmops.ui import lines, render, sign_in
from llmops.ui.background import MANY, Progress, Work, follow
from llmops.ui.controls import pick_task
from llmops.ui.downloads import new_folder
from llmops.ui.selection import Selection
from llmops.ui.services import Services
from llmops.ui.shared_input import SharedInput
from llmops.ui.visitor import asking

_ROWS = 20
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass
class Session:
    """One visitor's training: its stop flag, and what came out and is not kept yet."""

    stop: threading.Event = field(default_factory=threading.Event)
    trained: Any = None  # encoders.training.Trained
    meta: Any = None  # encoders.store.Meta


class Waiting:
    """Trained encoders that nobody has kept yet: each may hold a model's weights, so only the newest few are held."""

    _MOST = 4

    def __init__(self) -> None:
        self._held: deque[Session] = deque()

    def hold(self, session: Session, trained: Any, meta: Any) -> None:  # noqa: ANN401
        """Let a session have its result; the oldest other one is dropped where there are too many."""
        # A few-shot head leaves the base as it is, so its model is not wanted again.
        session.trained = trained if meta.has_body else replace(trained, model=None)
        session.meta = meta
        if not meta.has_body:
            return
        self._held.append(session)
        while len(self._held) > self._MOST:
            self._held.popleft().trained = None


@dataclass(frozen=True)
class TrainingPanel:
    """The panel's components."""

    base: gr.Dropdown
    method: gr.Radio
    k: gr.Slider
    seed: gr.Number
    train: gr.Button
    stop: gr.Button
    said: gr.HTML
    curve: gr.HTML
    name: gr.Textbox
    keep: gr.Button
    kept: gr.Dropdown
    use: gr.Button
    download: gr.DownloadButton
    delete: gr.Button
    upload: gr.File
    session: gr.State


def build(services: Services) -> TrainingPanel:
    """Lay out the panel."""
    with gr.Accordion("Train an encoder on the task's examples", open=False, elem_id="training"):
        with gr.Row():
            base = gr.Dropdown(
                [spec.id for spec in models() if spec.kind == Kind.ENCODER],
                value=EMBEDDED_ENCODER,
                allow_custom_value=True,
                label="Base encoder",
            )
            method = gr.Radio(["few-shot", "setfit"], value="setfit", label="Training method")
            k = gr.Slider(1, 64, value=DEFAULT_K, step=1, label="k, examples a class")
            seed = gr.Number(0, label="Training seed", precision=0, minimum=0)
        with gr.Row():
            train = gr.Button("Train", variant="primary", elem_id="train")
            stop = gr.Button("Stop training", elem_id="stop-training")
        said = gr.HTML(elem_id="training-said")
        curve = gr.HTML(elem_id="loss", padding=False)
        with gr.Row(equal_height=True):
            name = gr.Textbox(label="Name to keep it under", placeholder="my-encoder", scale=3)
            keep = gr.Button("Keep", scale=0, min_width=110, elem_classes="lo-side", elem_id="keep")
        with gr.Row(equal_height=True):
            kept = gr.Dropdown([], label="Kept encoders", scale=3, elem_id="kept")
            use = gr.Button("Select for the run", scale=0, min_width=170, elem_classes="lo-side")
            download = gr.DownloadButton("Download", scale=0, min_width=130, elem_classes="lo-side")
            delete = gr.Button("Delete", scale=0, min_width=110, elem_classes="lo-side")
        upload = gr.File(
            label="Bring a kept encoder back (zip)", file_types=[".zip"], height=170, elem_classes="lo-file"
        )
    session = gr.State(None)
    return TrainingPanel(
        base, method, k, seed, train, stop, said, curve, name, keep, kept, use, download, delete, upload, session
    )


def wire(
    panel: TrainingPanel, shared: SharedInput, selection: Selection, token: gr.Textbox, services: Services
) -> None:
    """Connect training, keeping and choosing; the token is for a gated base."""
    waiting = Waiting()

    def train(
        previous: Session | None,
        task_id: str,
        own: Task | None,
        base: str,
        method: str,
        k: float,
        seed: float,
        token: str | None,
    ) -> Iterator[list[Any]]:
        from llmops.engines.encoder.training import Trained, train_named

        if previous is not None:
            previous.stop.set()  # one training a visitor
        session = Session()
        losses: list[float] = []

        def make(job: Job) -> Iterator[Any]:
            job = job.asked_with(connection)
            services.pool.fetch(base_encoder(base or ""), task, job)
            with services.pool.queues.slices("cpu", job) as breathe:
                for event in train_named(task, base, method, int(k), int(seed or 0), job, breathe):
                    if event is not None:
                        yield event

        try:
            task = pick_task(task_id, own)
            connection = Connection(owner=asking().owner, hf_token=sign_in.token_of(token))
            for event in follow(Work(session.stop), make):
                if isinstance(event, Trained):
                    meta = _meta(task, base, method, int(k), int(seed or 0), event)
                    waiting.hold(session, event, meta)
                elif isinstance(event, Progress):
                    yield [session, render.progress(event.message, event.fraction or 0), _curve(losses)]
                else:
                    losses += [event.loss] if event.loss is not None else []
                    yield [session, render.progress(event.message, event.fraction), _curve(losses)]
        except LlmopsError as error:
            yield [session, render.problem(error), _curve(losses)]
            return
        done = f"Trained on {session.trained.examples} examples. Give it a name and keep it."
        yield [session, render.said(done), _curve(losses)]

    def stop(session: Session | None) -> None:
        if session is not None:
            session.stop.set()

    def keep(session: Session | None, name: str) -> list[Any]:
        from llmops.engines.encoder import store

        try:
            if session is None or session.trained is None:
                raise InputError("Nothing is trained, or others have trained since.", "Press Train first.")
            trained = session.trained
            store.keep(name.strip(), trained.model, trained.head, session.meta, asking().owner)
        except LlmopsError as error:
            return [render.problem(error), gr.skip()]
        session.trained = None
        return [render.said(f"Kept as trained/{name.strip()}."), _names(services, name.strip())]

    def use(chosen: list[str] | None, name: str | None) -> list[str]:
        texts = list(chosen or [])
        return list(dict.fromkeys([*texts, str(Candidate(Kind.ENCODER, f"trained/{name}", "fp32"))])) if name else texts

    def download(name: str | None) -> Any:  # noqa: ANN401
        from llmops.engines.encoder import store

        return str(store.pack(name, new_folder(), asking().owner)) if name else None

    def delete(name: str | None) -> list[Any]:
        from llmops.engines.encoder import store

        if name:
            store.delete(name, asking().owner)
        return [render.said(f"Deleted {name}." if name else "Choose one first."), _names(services, None)]

    def upload(path: str | None) -> list[Any]:
        from llmops.engines.encoder import store

        if path is None:
            return ["", gr.skip()]
        name = Path(path).stem
        try:
            store.unpack(Path(path), name, asking().owner)
        except LlmopsError as error:
            return [render.problem(error), gr.skip()]
        return [render.said(f"Kept as trained/{name}."), _names(services, name)]

    inputs = [panel.session, shared.task_id, shared.own_task, panel.base, panel.method, panel.k, panel.seed, token]
    panel.train.click(
        train,
        inputs,
        [panel.session, panel.said, panel.curve],
        concurrency_id="training",
        concurrency_limit=MANY,
        **_QUIET,
    )
    panel.stop.click(stop, panel.session, None, queue=False, **_QUIET)
    panel.keep.click(keep, [panel.session, panel.name], [panel.said, panel.kept], **_QUIET)
    panel.use.click(use, [selection.chosen, panel.kept], selection.chosen, **_QUIET)
    # The file is made when another encoder is chosen, so that one click downloads it.
    panel.kept.change(download, panel.kept, panel.download, **_QUIET)
    panel.delete.click(delete, panel.kept, [panel.said, panel.kept], **_QUIET)
    panel.upload.upload(upload, panel.upload, [panel.said, panel.kept], **_QUIET)


def _meta(task: Task, base: str, method: str, k: int, seed: int, trained: Any) -> Any:  # noqa: ANN401
    from llmops.engines.encoder.store import Meta
    from llmops.engines.encoder.training import pick_examples
    from llmops.evaluation.heldout import mark

    learnt = tuple(mark(example.text) for example in pick_examples(task, k, seed))
    has_body = method == "setfit"
    return Meta(task.id, method, base, trained.head.labels, k, seed, trained.examples, has_body, learnt)


def _names(services: Services, chosen: str | None) -> Any:  # noqa: ANN401
    names = list(services.kept_encoders(asking().owner))
    return gr.update(choices=names, value=chosen if chosen in names else None)


def _curve(losses: list[float]) -> str:
    """The loss of every step, drawn and as a table of at most so many rows."""
    points = tuple((float(step), loss) for step, loss in enumerate(losses, 1))
    step = -(-len(points) // _ROWS) or 1
    rows = "".join(row(f"{number:g}", (f"{loss:.4f}",)) for number, loss in points[::-1][::step][::-1])
    drawn = lines.chart("Loss by step", ("step", "loss"), [lines.Series("loss", points)], (_number, _number))
    return drawn + (more("As a table", table(("step", "loss"), rows)) if points else "")


def _number(value: float) -> str:
    return f"{value:.3g}"
