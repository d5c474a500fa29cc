"""Sign in with Hugging Face, on a Space that has it (hf_oauth in the README's head): the visitor's own token.

It lives in the visitor's signed cookie and in the one request; it is in no component, so nothing keeps it. A token
typed on the page goes before it.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

import gradio as gr

from llmops.compat import gradio_internals, gradio_page
from llmops.i18n.translation import german
from llmops.ui.events import QUIET
from llmops.ui.visitor import hugging_face_name

_SIGN_IN = "Sign in with Hugging Face"
_NOTE = "Signed in, gated models and hosted inference use your own token, and ZeroGPU your own quota."


def offered(environment: Mapping[str, str] = os.environ) -> bool:
    """True where signing in works; elsewhere Gradio's button would break the page."""
    return environment.get("SYSTEM") == "spaces" and bool(environment.get("OAUTH_CLIENT_ID"))


def build() -> gr.Button | None:
    """Lay out the button, where there is something to sign in to."""
    if not offered():
        return None
    with gr.Row(equal_height=True, elem_id="sign-in"):
        gradios = gr.LoginButton(visible=False)  # opens the routes behind it
        icon: Any = gradios.icon  # is served already, and taken as it is
        button = gr.Button(_SIGN_IN, variant="huggingface", icon=icon, scale=0, min_width=240)
        gr.Markdown(_NOTE)
    return button


def wire(button: gr.Button | None, page: gr.Blocks) -> None:
    """Connect going away, and what the button says to who comes back."""
    if button is None:
        return
    words = json.dumps([_SIGN_IN, german().text(_SIGN_IN)])
    button.click(None, button, None, js=gradio_page.leave_js(words), **QUIET)
    page.load(_words, None, button, **QUIET)


def _words(request: gr.Request) -> str:
    """What the button says to who asks now."""
    name = hugging_face_name(request) if token() else None
    return f"Logout ({name})" if name else _SIGN_IN


def token_of(typed: str | None) -> str | None:
    """The visitor's token: as typed (None: a field that was never shown), else of who signed in."""
    return (typed or "").strip() or token()


def token() -> str | None:
    """The token of who asks now, out of the signed session; None where nobody signed in, and outside of a request."""
    sign_in = gradio_internals.sign_in_of(gradio_internals.current_request())
    return None if gradio_internals.is_over(sign_in) else sign_in.get("access_token") or None
