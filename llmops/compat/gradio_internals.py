"""Gradio from inside, on the server: its sessions, its request, and what it sends on its way out.

Nothing of this is promised by its documentation. What the browser's side lacks is `gradio_page`.
"""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any

import gradio as gr
from gradio import queueing, state_holder
from gradio.context import LocalContext
from gradio.events import Dependency

MADE_FOR = "gradio 6.31.0"
EventChain = Dependency
"""What an event listener returns (`.then`, `.success`): its class has no public name."""


# Sessions and events, without what deep links and monitoring need: both are off here. For deep links Gradio copies
# every component's configuration into each session, and writes every value into it that the visitor sends, keys too:
# 2 to 3 MB a session for an hour after it has closed, and 20 ms of the first request. For monitoring it makes a table
# of all events whenever some more have ended: 30 MB a minute under fifty visitors, which the library of the table does
# not give back.


class LightSession(state_holder.SessionState):
    """States and what rendering has added; no copy of the page."""

    def __init__(self, blocks: Any) -> None:  # noqa: ANN401
        super().__init__(SimpleNamespace(default_config=blocks.default_config, blocks={}))  # type: ignore[arg-type]

    def __setitem__(self, key: int, value: Any) -> None:  # noqa: ANN401
        super().__setitem__(key, value)
        self.config_values.clear()

    def _update_config(self, key: int) -> None:
        """Nothing is kept."""

    def _update_value_in_config(self, key: int, value: object) -> None:
        """Nothing is kept."""


def keep_light() -> None:
    """Sessions and events as above from now on, in this process."""
    state_holder.SessionState = LightSession  # type: ignore[misc]
    queueing.Queue.compute_analytics_summary = _no_summary  # type: ignore[method-assign]


def _no_summary(queue: queueing.Queue, _records: object) -> dict[str, Any]:
    return queue.cached_event_analytics_summary


# The request. Gradio hands it to a callback that declares it; whoever asks further down finds it in a context variable.


def current_request() -> gr.Request | None:
    """The request of the callback that runs now, or of a thread that has its context; None outside of one."""
    return LocalContext.request.get(None)


def session_of(request: gr.Request | None) -> str:
    """The page's session that a request belongs to; "" where there is none."""
    return getattr(request, "session_hash", None) or ""


def cookies_of(request: gr.Request | None) -> Mapping[str, Any]:
    """The cookies of a request: those that came over HTTP, since a request can be made up without any."""
    return getattr(_http(request), "cookies", None) or {}


def sign_in_of(request: gr.Request | None) -> Mapping[str, Any]:
    """What the signed session cookie holds of a Hugging Face sign-in (`userinfo`, `access_token`); {} of nobody's."""
    scope = getattr(_http(request), "scope", None) or {}
    return (scope.get("session") or {}).get("oauth_info") or {}


def is_over(sign_in: Mapping[str, Any]) -> bool:
    """Whether a sign-in's token has run out."""
    expires = sign_in.get("expires_at")
    return expires is not None and expires < time.time()


def _http(request: gr.Request | None) -> object:
    """Starlette's request in Gradio's."""
    return getattr(request, "request", None)


# What goes out. Gradio knows no place where all of a page's words pass; here they pass through five methods.


class RewrittenBlocks(gr.Blocks):
    """Blocks whose description, password prompt, outputs and errors a subclass rewrites before they are sent.

    `asked_by` and what begins with `rewritten_` are the subclass's; the rest is Gradio's, overridden. `config` and
    `auth_message` are plain attributes in Gradio, set when the page is launched.
    """

    _plain_config: dict[str, Any] | None = None
    _plain_auth_message: str | None = None

    def rewritten_config(self, plain: dict[str, Any]) -> dict[str, Any]:
        """The page's description, read for each request; `plain` is not to be changed."""
        raise NotImplementedError

    def rewritten_auth_message(self, plain: str) -> str:
        """What the page says that asks for the password."""
        raise NotImplementedError

    def rewritten_output(self, kind: str, classes: list[str], value: Any) -> Any:  # noqa: ANN401
        """An output of an event: a value, or an update of several properties (`is_update`)."""
        raise NotImplementedError

    def rewritten_error(self, error: gr.Error) -> None:
        """Change in place what a callback raised."""
        raise NotImplementedError

    def asked_by(self, request: gr.Request | None) -> AbstractContextManager[None]:
        """Around one event, which this request has asked for."""
        raise NotImplementedError

    @property
    def config(self) -> Any:  # noqa: ANN401
        """The page's description, as Gradio sends it to the browser."""
        return None if self._plain_config is None else self.rewritten_config(self._plain_config)

    @config.setter
    def config(self, value: Any) -> None:  # noqa: ANN401
        self._plain_config = value

    @property
    def auth_message(self) -> str | None:
        """What the page says that asks for the password."""
        return self.rewritten_auth_message(self._plain_auth_message) if self._plain_auth_message else None

    @auth_message.setter
    def auth_message(self, value: str | None) -> None:
        self._plain_auth_message = value

    async def process_api(self, block_fn: Any, inputs: list[Any], *args: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401
        """One event."""
        request = kwargs.get("request", args[1] if len(args) > 1 else None)
        with self.asked_by(request[0] if isinstance(request, list) else request):
            try:
                return await super().process_api(block_fn, inputs, *args, **kwargs)
            except gr.Error as error:
                self.rewritten_error(error)
                raise

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:  # noqa: ANN401
        """Values for the browser."""
        values = await super().postprocess_data(block_fn, predictions, state)
        return [
            self.rewritten_output(block.get_block_name(), block.elem_classes or [], value)
            if hasattr(block, "elem_classes")
            else value
            for block, value in zip(block_fn.outputs, values, strict=True)
        ]


def is_update(value: object) -> bool:
    """True of an output that stands for several properties of a component (`gr.update`)."""
    return isinstance(value, dict) and value.get("__type__") == "update"
