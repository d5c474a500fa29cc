"""The first paint: a link's selection or the preset of the machine; then the address follows what is selected."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from llmops.catalog.presets import find_preset, presets
from llmops.compat import gradio_page
from llmops.core.candidate import Epoch
from llmops.core.request import Connection
from llmops.planning import links
from llmops.planning.availability import list_candidates, task_languages
from llmops.planning.first_view import first_view
from llmops.report import candidate_options
from llmops.ui import language, render, sign_in
from llmops.ui.controls import Controls
from llmops.ui.events import QUIET
from llmops.ui.future import Future
from llmops.ui.past import Past
from llmops.ui.present import Present
from llmops.ui.services import Services
from llmops.ui.sortable import SORT_JS

_HUB_WAIT_S = 1.0
_EPOCHS = (Epoch.PAST, Epoch.PRESENT, Epoch.FUTURE)


@dataclass(frozen=True)
class Opening:
    """The row that says which machine this is and what it is enough for."""

    preset: gr.Dropdown
    machine: gr.Textbox


def build() -> Opening:
    """Lay out the row, before anything is known."""
    with gr.Row(equal_height=True):
        preset = gr.Dropdown(
            [(preset.name, preset.id) for preset in presets()],
            value=None,
            label="Preset for a machine",
            scale=1,
            min_width=220,
        )
        machine = gr.Textbox(
            label="This machine",
            interactive=False,
            scale=3,
            min_width=260,
            elem_id="machine",
            elem_classes=language.OWN_WORDS,
        )
    return Opening(preset, machine)


def wire(
    opening: Opening,
    page: gr.Blocks,
    controls: Controls,
    line: gr.HTML,
    tabs: tuple[Past, Present, Future],
    services: Services,
) -> None:
    """Connect opening and leaving the page, the preset, and the address. line: what Run would run, beside it."""

    def open_page(request: gr.Request) -> list[Any]:
        query = {name: request.query_params.getlist(name) for name in request.query_params}
        link = links.read(query, services.settings.max_columns, language.language_of_request(request))
        reach, trained = services.hub.in_reach(_HUB_WAIT_S), services.kept_encoders(services.asking().owner)
        first = first_view(link, reach)
        options = list_candidates(Connection(hf_token=sign_in.token()), reach, trained)
        return [
            first.task.id,
            gr.update(choices=task_languages(first.task), value=first.language),
            first.text,
            *(
                gr.update(
                    choices=candidate_options.choices(options, epoch), value=links.of_epoch(first.candidates, epoch)
                )
                for epoch in _EPOCHS
            ),
            *(candidate_options.table(options, epoch) for epoch in _EPOCHS),
            gr.update(choices=list(trained)),
            first.preset.id,
            first.machine,
        ]

    def use_preset(preset_id: str) -> list[list[str]]:
        candidates = find_preset(preset_id).candidates(services.hub.in_reach(_HUB_WAIT_S))
        return [links.of_epoch(candidates, epoch) for epoch in _EPOCHS]

    lists = [controls.past, controls.present, controls.future]
    tables = [tab.selection.table for tab in tabs]
    texts = [controls.task_id, controls.language, controls.text]
    page.load(
        open_page, None, [*texts, *lists, *tables, tabs[0].training.encoder, opening.preset, opening.machine], **QUIET
    )
    for script in (language.SWITCH_JS, gradio_page.MEND_JS, SORT_JS):
        page.load(None, None, None, js=script, **QUIET)
    page.unload(lambda: services.quotas.session_ended(services.asking().session))
    opening.preset.input(use_preset, opening.preset, lists, **QUIET)
    in_address = [controls.task_id, controls.language, *lists]
    gr.on([component.change for component in in_address], None, in_address, None, js=links.WRITE_JS, **QUIET)
    gr.on([component.change for component in lists], _selected, lists, line, **QUIET)


def _selected(*epochs: list[str] | None) -> str:
    """The line beside Run, before it is pressed."""
    return render.selected([text for epoch in epochs for text in epoch or []])
