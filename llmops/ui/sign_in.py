"""Sign in with Hugging Face, on a Space that has it (hf_oauth in the README's head): the visitor's own token.

It lives in the visitor's signed cookie and in the one request; it is in no component, so nothing keeps it. A token
typed on the page goes before it.
"""

import os
import time
from collections.abc import Mapping

import gradio as gr
from gradio.context import LocalContext

_NOTE = "Signed in, gated models and hosted inference use your own token, and ZeroGPU your own quota."


def offered(environment: Mapping[str, str] = os.environ) -> bool:
    """True where signing in works; elsewhere Gradio's button would break the page."""
    return environment.get("SYSTEM") == "spaces" and bool(environment.get("OAUTH_CLIENT_ID"))


def build() -> None:
    """Lay out the button, where there is something to sign in to."""
    if offered():
        with gr.Row(equal_height=True, elem_id="sign-in"):
            gr.LoginButton(scale=0, min_width=240)
            gr.Markdown(_NOTE)


def token() -> str | None:
    """The token of who asks now, out of the signed session; None where nobody signed in, and outside of a request."""
    request = LocalContext.request.get(None)
    scope = getattr(getattr(request, "request", None), "scope", None) or {}
    found = (scope.get("session") or {}).get("oauth_info") or {}
    expires = found.get("expires_at")
    return None if expires is not None and expires < time.time() else found.get("access_token") or None
