"""Train an encoder in the browser: base, method, k, seed; progress, loss curve and Stop; then keep it under a name.

The result waits in the session until it is kept; kept ones can be chosen, downloaded, deleted, and brought back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from llmops.api.encoder_training import (
    UnkeptEncoder,
    UnkeptEncoders,
    keep_encoder,
    train_encoder,
)
from llmops.catalog.models import models
from llmops.core.candidate import DEFAULT_K, EMBEDDED_ENCODER, Candidate, Kind
from llmops.core.errors import LlmopsError
from llmops.core.request import Connection
from llmops.core.task import Task
from llmops.engines.encoder.store import EncoderStore
from llmops.engines.encoder.training import TrainEvent, TrainingSettings, long_note
from llmops.report.axis import number
from llmops.report.chart import line_chart
from llmops.report.plot import joined
from llmops.report.tables import more, row, table
from llmops.ui import render, sign_in
from llmops.ui.background import BackgroundJob, Step, follow, wire_stop
from llmops.ui.controls import pick_task
from llmops.ui.downloads import new_folder
from llmops.ui.events import QUIET, in_queue
from llmops.ui.selection import Selection, with_candidates
from llmops.ui.services import Services
from llmops.ui.shared_input import SharedInput

_ROWS = 20


class TrainingInputs(NamedTuple):
    """What a training asks of its panel: components while the page is built, their values in a callback."""

    base: Any  # str
    method: Any  # str
    k: Any  # float
    seed: Any  # float | None
    token: Any  # str | None, of the Future tab

    def settings(self) -> TrainingSettings:
        """As the training reads them."""
        return TrainingSettings(self.base or "", self.method, int(self.k), int(self.seed or 0))


@dataclass(frozen=True)
class TrainingPanel:
    """The panel's components. job, unkept: the session's training, and what came out and has no name yet."""

    base: gr.Dropdown
    method: gr.Radio
    k: gr.Slider
    seed: gr.Number
    train: gr.Button
    stop: gr.Button
    status: gr.HTML
    losses: gr.HTML
    name: gr.Textbox
    keep: gr.Button
    encoder: gr.Dropdown
    use: gr.Button
    download: gr.DownloadButton
    delete: gr.Button
    upload: gr.File
    job: gr.State
    unkept: gr.State


def build() -> TrainingPanel:
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
        status = gr.HTML(elem_id="training-said")
        losses = gr.HTML(elem_id="loss", padding=False)
        with gr.Row(equal_height=True):
            name = gr.Textbox(label="Name to keep it under", placeholder="my-encoder", scale=3)
            keep = gr.Button("Keep", scale=0, min_width=110, elem_classes="lo-side", elem_id="keep")
        with gr.Row(equal_height=True):
            encoder = gr.Dropdown([], label="Kept encoders", scale=3, elem_id="kept")
            use = gr.Button("Select for the run", scale=0, min_width=170, elem_classes="lo-side")
            download = gr.DownloadButton("Download", scale=0, min_width=130, elem_classes="lo-side")
            delete = gr.Button("Delete", scale=0, min_width=110, elem_classes="lo-side")
        upload = gr.File(
            label="Bring a kept encoder back (zip)", file_types=[".zip"], height=170, elem_classes="lo-file"
        )
    return TrainingPanel(
        base, method, k, seed, train, stop, status, losses, name, keep, encoder, use, download, delete, upload,
        gr.State(None), gr.State(None),
    )  # fmt: skip


def wire(
    panel: TrainingPanel, shared: SharedInput, selection: Selection, token: gr.Textbox, services: Services
) -> None:
    """Connect training, keeping and choosing; the token is for a gated base."""
    _wire_training(panel, shared, token, services)
    _wire_kept(panel, selection, services)


def _wire_training(panel: TrainingPanel, shared: SharedInput, token: gr.Textbox, services: Services) -> None:
    """Training and stopping it."""
    unkept_encoders = UnkeptEncoders()

    def train(
        previous: BackgroundJob | None,
        task_id: str,
        own: Task | None,
        *values: Any,  # noqa: ANN401
    ) -> Iterator[list[Any]]:
        inputs = TrainingInputs(*values)
        try:
            task, settings = pick_task(task_id, own), inputs.settings()
        except LlmopsError as error:
            yield [previous, None, render.problem(error), ""]
            return
        connection = Connection(owner=services.asking().owner, hf_token=sign_in.token_of(inputs.token))
        unkept: UnkeptEncoder | None = None
        for step in follow(
            services, previous, lambda job: train_encoder(services.pool, task, settings, job), connection
        ):
            if isinstance(step.result, UnkeptEncoder):
                unkept = step.result
                unkept_encoders.hold(unkept)
            losses = [event.loss for event in step.results if isinstance(event, TrainEvent) and event.loss is not None]
            yield [step.job, unkept, _status(step, unkept), _curve(losses)]

    values = TrainingInputs(panel.base, panel.method, panel.k, panel.seed, token)
    inputs = [panel.job, shared.task_id, shared.own_task, *values]
    panel.train.click(train, inputs, [panel.job, panel.unkept, panel.status, panel.losses], **in_queue("training"))
    wire_stop(panel.stop, panel.job)


def _wire_kept(panel: TrainingPanel, selection: Selection, services: Services) -> None:
    """Keeping what was trained; choosing, downloading, deleting and bringing back what is kept."""

    def keep(unkept: UnkeptEncoder | None, name: str) -> list[Any]:
        try:
            keep_encoder(unkept, name.strip(), _encoders(services))
        except LlmopsError as error:
            return [render.problem(error), gr.skip()]
        return [render.message(f"Kept as trained/{name.strip()}."), _names(services, name.strip())]

    def use(chosen: list[str] | None, name: str | None) -> list[str]:
        return with_candidates(chosen, [str(Candidate(Kind.ENCODER, f"trained/{name}", "fp32"))] if name else [])

    def download(name: str | None) -> str | None:
        return str(_encoders(services).pack(name, new_folder())) if name else None

    def delete(name: str | None) -> list[Any]:
        if name:
            _encoders(services).delete(name)
        return [render.message(f"Deleted {name}." if name else "Choose one first."), _names(services, None)]

    def upload(path: str | None) -> list[Any]:
        if path is None:
            return ["", gr.skip()]
        name = Path(path).stem
        try:
            _encoders(services).unpack(Path(path), name)
        except LlmopsError as error:
            return [render.problem(error), gr.skip()]
        return [render.message(f"Kept as trained/{name}."), _names(services, name)]

    panel.keep.click(keep, [panel.unkept, panel.name], [panel.status, panel.encoder], **QUIET)
    panel.use.click(use, [selection.chosen, panel.encoder], selection.chosen, **QUIET)
    # The file is made when another encoder is chosen, so that one click downloads it.
    panel.encoder.change(download, panel.encoder, panel.download, **QUIET)
    panel.delete.click(delete, panel.encoder, [panel.status, panel.encoder], **QUIET)
    panel.upload.upload(upload, panel.upload, [panel.status, panel.encoder], **QUIET)


def _encoders(services: Services) -> EncoderStore:
    return EncoderStore(services.settings, services.asking().owner)


def _status(step: Step[TrainEvent | UnkeptEncoder], unkept: UnkeptEncoder | None) -> str:
    """How far the training is, by its own steps where it has begun."""
    if isinstance(step.result, TrainEvent):
        return render.progress(step.result.message, step.result.fraction)
    if unkept is None:
        return step.status("")
    said = f"Trained on {unkept.meta.examples} examples. Give it a name and keep it."
    return step.status(f"{said} {long_note(unkept.meta.windowed)}".strip())


def _names(services: Services, chosen: str | None) -> Any:  # noqa: ANN401
    names = list(services.kept_encoders(services.asking().owner))
    return gr.update(choices=names, value=chosen if chosen in names else None)


def _curve(losses: list[float]) -> str:
    """The loss of every step, drawn and as a table of at most so many rows."""
    points = [(float(step), loss) for step, loss in enumerate(losses, 1)]
    every = -(-len(points) // _ROWS) or 1
    rows = "".join(row(f"{step:g}", (f"{loss:.4f}",)) for step, loss in points[::-1][::every][::-1])
    drawn = line_chart("Loss by step", ("step", "loss"), (number, number), [joined("loss", 0, points)])
    return drawn + (more("As a table", table(("step", "loss"), rows)) if points else "")
