"""The page as a whole: lay out the parts and connect them."""

import gradio as gr

from llmops import __version__
from llmops.compat import gradio_internals
from llmops.ui import (
    api,
    cloud,
    comparison_columns,
    decide_tab,
    evaluate_tab,
    explain,
    future,
    history_tab,
    language,
    notices,
    opening,
    past,
    present,
    probes_tab,
    shared_input,
    sign_in,
    task_panel,
    welcome,
)
from llmops.ui.cascade_panel import CandidateLists
from llmops.ui.controls import Controls
from llmops.ui.language import Page
from llmops.ui.services import Services


def build(services: Services) -> gr.Blocks:
    """The page, ready to launch."""
    gradio_internals.keep_light()
    page = Page(title="llm-ops", analytics_enabled=False, delete_cache=(3600, 86400))
    with page:
        gr.HTML(language.switch(), padding=False)
        gr.Markdown(
            "# llm-ops\nOne text, three epochs of models, side by side: answers, time and memory.",
            elem_classes="lo-title",
        )
        entrance = sign_in.build()
        start_training = welcome.build()
        notice = notices.build()
        panel = shared_input.build(services)
        tasks = task_panel.build(services)
        machine_row = opening.build()
        with gr.Tabs():
            with gr.Tab("Past", id="past", elem_id="past"):
                tab_past = past.build()
            with gr.Tab("Present", id="present"):
                tab_present = present.build()
            with gr.Tab("Future", id="future"):
                tab_future = future.build()
            with gr.Tab("Evaluate", id="evaluate", elem_id="evaluation") as opened_evaluate:
                tab_evaluate = evaluate_tab.build(services)
            with gr.Tab("Decide", id="decide", elem_id="decide") as opened_decide:
                tab_decide = decide_tab.build()
            with gr.Tab("Probes", id="probes", elem_id="probes"):
                tab_probes = probes_tab.build()
            with gr.Tab("History", id="history", elem_id="history") as opened_history:
                tab_history = history_tab.build()
        columns = comparison_columns.build(services.settings.max_columns)
        explain.build("e2e", "ttft", "tpot", "prefill_decode", "memory", "kv_cache")
        why_not_cloud = cloud.build()
        gr.Markdown(
            f"llm-ops {__version__}. Texts go only to the candidates you select; local ones stay on this machine."
        )

        controls = Controls(
            panel.task_id,
            panel.own_task,
            panel.language,
            panel.text,
            tab_past.selection.chosen,
            tab_present.selection.chosen,
            tab_future.selection.chosen,
            panel.max_new_tokens,
            panel.temperature,
            panel.seed,
            panel.long_texts,
            panel.all_at_once,
            panel.unload_after,
            panel.local_only,
            tab_present.key,
            tab_present.base_url,
            tab_future.token,
            tab_future.provider,
        )
        # First: Gradio gives a name once, and the page's own listeners are named after their functions.
        api.wire(services)
        sign_in.wire(entrance, page)
        welcome.wire(start_training)
        shared_input.wire(panel)
        task_panel.wire(tasks, panel, services)
        past.wire(tab_past, panel, tab_future.token, services)
        present.wire(tab_present, services.settings)
        future.wire(tab_future, services)
        evaluate_tab.wire(tab_evaluate, opened_evaluate, page, controls, services)
        lists = CandidateLists(controls.past, controls.present, controls.future)
        decide_tab.wire(tab_decide, opened_decide, lists, services)
        probes_tab.wire(tab_probes, controls, services)
        history_tab.wire(tab_history, opened_history, page, services)
        ended = comparison_columns.wire(columns, panel, controls, services)
        cloud.wire(ended, columns.current, why_not_cloud, services)
        tabs = (tab_past, tab_present, tab_future)
        opening.wire(machine_row, page, controls, panel.line, tabs, services)
        notices.wire(notice, page, services)
    return page
