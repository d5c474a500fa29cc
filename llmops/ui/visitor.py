"""Who asks? "" for the one local user of a private page; on a public page an opaque id of the visitor.

Signed in with Hugging Face: a hash of the user name, so that it is the same everywhere. Else the browser's cookie
(`public/request_guard.py` hands it out), so that a reload or a restart loses nothing; a program without cookies is its
session. Cookie and session are secrets of their visitor: only their hash is ever stored, and no id is taken from a
visitor.
"""

import hashlib

import gradio as gr

from llmops.compat import gradio_internals
from llmops.core.settings import Settings
from llmops.public.cookies import VISITOR_COOKIE, VISITOR_COOKIE_FORM
from llmops.public.quotas import Visitor


def visitor_of(request: gr.Request | None, settings: Settings) -> str:
    """The owner of what this request makes: "" in private mode, else 27 characters that tell nobody who it is.

    Not `request.username`: behind one password for all (a share link) that is everybody's.
    """
    if not settings.public:
        return ""
    if request is None:  # no request, no visitor: what is made then belongs to nobody who could ask for it
        return _opaque("no", "request")
    name = hugging_face_name(request)
    if name:
        return _opaque("hf", name)
    cookie = _cookie(request)
    return _opaque("cookie", cookie) if cookie else _opaque("session", gradio_internals.session_of(request))


def asking(settings: Settings) -> Visitor:
    """Who asks in the callback that runs now, or in a thread that has its context."""
    request = gradio_internals.current_request()
    return Visitor(visitor_of(request, settings), gradio_internals.session_of(request))


def hugging_face_name(request: gr.Request) -> str | None:
    """The user name of who signed in with Hugging Face, out of the signed session; None where nobody did."""
    name = (gradio_internals.sign_in_of(request).get("userinfo") or {}).get("preferred_username")
    return name if isinstance(name, str) and name else None


def _cookie(request: gr.Request) -> str | None:
    value = gradio_internals.cookies_of(request).get(VISITOR_COOKIE)
    return value if isinstance(value, str) and VISITOR_COOKIE_FORM.fullmatch(value) else None


def _opaque(kind: str, secret: str) -> str:
    return f"v-{hashlib.sha256(f'{kind}:{secret}'.encode()).hexdigest()[:25]}"
