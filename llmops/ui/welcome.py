"""The first screen for who knows nothing: what one click does, and a trained encoder by one more.

Its button does what a visitor would do by hand in the Past tab.
"""

import gradio as gr

from llmops.compat.gradio_page import closed_selector, tab_selector

_WORDS = (
    "**Run** sends the example below to an encoder and to decoders, as selected; answers, time and memory appear side "
    "by side. **Train an encoder** teaches a small encoder this task from the task's examples, in about a minute on a "
    "CPU."
)
# Moves are plain jumps where a visitor has asked for less motion.
_BEHAVIOUR = 'matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth"'
TRAIN_JS = f"""async () => {{
  const soon = () => new Promise((done) => setTimeout(done, 150));
  document.querySelector('{tab_selector("past")}')?.click();
  await soon();
  document.querySelector('{closed_selector("training")}')?.click();
  await soon();
  const train = document.querySelector("#train");
  train?.scrollIntoView({{behavior: {_BEHAVIOUR}, block: "center"}});
  train?.click();
}}"""


def build() -> gr.Button:
    """Lay out the words and the button."""
    with gr.Row(equal_height=True, elem_id="welcome"):
        gr.Markdown(_WORDS, elem_classes="lo-welcome")
        return gr.Button("Train an encoder", scale=0, min_width=190, elem_id="welcome-train", elem_classes="lo-side")


def wire(train: gr.Button) -> None:
    """Connect it in the browser alone."""
    train.click(None, None, None, js=TRAIN_JS, show_progress="hidden", api_visibility="private")
