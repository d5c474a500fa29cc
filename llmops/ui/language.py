"""Which language a visitor reads, and the page in it: `?ui=de` or `?ui=en` in the address, else the browser's language.

Nothing is kept for the process: the address and the browser's headers come with each request and each event, and what
goes out is translated on its way (`Page`). Programs that ask for no language get English. Requests that come without
the page's address, such as uploads, are told by a cookie, which is set only where the browser's language is another.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from typing import Any

import gradio as gr

from llmops.compat.gradio_internals import RewrittenBlocks, is_update
from llmops.compat.gradio_page import html_in
from llmops.i18n.translation import LANGUAGES, Catalogue, german
from llmops.public.request_language import language_of, language_of_scope, language_reminder

_current: ContextVar[str] = ContextVar("ui_language", default="en")
# Properties of components that people read, or hear read out.
_SPOKEN = ("label", "info", "placeholder", "title", "x_title", "y_title", "color_title", "caption", "show_label_text")
_SPOKEN_VALUES = {"button": "text", "downloadbutton": "text", "html": "html", "markdown": "markdown"}
_OWN_COLUMNS = {"Task", "By", "From"}  # of tables: names of built-in tasks, and where a row comes from
OWN_WORDS = "lo-words"  # class of a text box that holds the app's own words, not a visitor's or a model's


def language_of_request(request: gr.Request | None) -> str:
    """The language of a page's event; English for programs and where there is no request."""
    if request is None:
        return "en"
    try:
        query, headers = dict(request.query_params), dict(request.headers)
    except (AttributeError, TypeError):
        return "en"
    return language_of({key: str(value) for key, value in query.items()}, str(headers.get("accept-language", "")))


def switch() -> str:
    """Links to this page in each language; the rest of the address stays."""
    links = "".join(
        f'<a href="?ui={code}" lang="{code}" hreflang="{code}" translate="no" data-ui="{code}">{name}</a>'
        for code, name in LANGUAGES.items()
    )
    return f'<nav class="lo-languages" aria-label="Language of the page">{links}</nav>'


# Marks the language that is shown, and keeps the selection in the address when another is chosen.
SWITCH_JS = """() => {
  for (const link of document.querySelectorAll("a[data-ui]")) {
    if (link.dataset.ui === document.documentElement.lang) link.setAttribute("aria-current", "true");
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const query = new URLSearchParams(window.location.search);
      if (query.get("lang") === document.documentElement.lang) query.delete("lang");
      query.set("ui", link.dataset.ui);
      window.location.search = query.toString();
    });
  }
}"""


class Page(RewrittenBlocks):
    """Blocks whose words leave in the visitor's language, with the app's queue from the beginning.

    Asked for a queue once the page stands, Gradio makes all its routes once more.
    """

    _translated: tuple[dict[str, Any], dict[str, Any]] | None = None  # a description, and the same in German

    def queue(self, *args: Any, **kwargs: Any) -> "Page":  # noqa: ANN401
        """As Gradio's; unless told otherwise by name, 64 may wait, and nothing goes past it."""
        super().queue(*args, **({"max_size": 64, "api_open": False} | kwargs))
        return self

    def rewritten_config(self, plain: dict[str, Any]) -> dict[str, Any]:
        """In the language of the request that is being answered; German is made once."""
        if _current.get() == "en":
            return plain
        if self._translated is None or self._translated[0] is not plain:
            self._translated = (plain, translated_config(plain, german()))
        return self._translated[1]

    def rewritten_auth_message(self, plain: str) -> str:
        """In the language of the request."""
        return german().text(plain) if _current.get() == "de" else plain

    def rewritten_output(self, kind: str, classes: list[str], value: Any) -> Any:  # noqa: ANN401
        """In the language of the visitor who sent the event."""
        return value if _current.get() == "en" else translated_output(kind, classes, value, german())

    def rewritten_error(self, error: gr.Error) -> None:
        """In the same language."""
        if _current.get() == "de":
            error.message = german().text(str(error.message))
            error.title = german().text(str(error.title))

    @contextmanager
    def asked_by(self, request: gr.Request | None) -> Iterator[None]:
        """An event is answered in the language of its page."""
        token = _current.set(language_of_request(request))
        try:
            yield
        finally:
            _current.reset(token)


def translated_config(plain: dict[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    """A copy of the page's description in another language."""
    made = {**plain, "components": deepcopy(plain["components"])}
    for component in made["components"]:
        translate_props(component["type"], component["props"], catalogue)
    return made


def translated_output(kind: str, classes: list[str], value: Any, catalogue: Catalogue) -> Any:  # noqa: ANN401
    """One output of an event: a value, or an update of several properties."""
    if is_update(value):
        props = {**deepcopy({k: v for k, v in value.items() if k != "value"}), "elem_classes": classes}
        if "value" in value:
            props["value"] = value["value"]
        translate_props(kind, props, catalogue)
        if "elem_classes" not in value:
            del props["elem_classes"]
        return props
    props = {"value": value, "elem_classes": classes}
    translate_props(kind, props, catalogue)
    return props["value"]


def translate_props(kind: str, props: dict[str, Any], catalogue: Catalogue) -> None:
    """Translate a component's words in place; values that a visitor or a model wrote are none of them."""
    for name in _SPOKEN:
        if isinstance(props.get(name), str):
            props[name] = catalogue.text(props[name])
    way = _SPOKEN_VALUES.get(kind) or ("text" if OWN_WORDS in (props.get("elem_classes") or []) else None)
    if way and isinstance(props.get("value"), str):
        props["value"] = getattr(catalogue, way)(props["value"])
    if isinstance(props.get("choices"), list):
        props["choices"] = [_choice(choice, catalogue) for choice in props["choices"]]
    if kind == "dataframe":
        value = props.get("value")
        if isinstance(value, dict) and isinstance(value.get("headers"), list):
            props["value"] = _translated_table(value, catalogue)
        if isinstance(props.get("headers"), list):
            props["headers"] = [catalogue.text(str(name)) for name in props["headers"]]
    for axis in ("x", "y", "color"):
        if kind.endswith("plot") and isinstance(props.get(axis), str) and not props.get(f"{axis}_title"):
            props[f"{axis}_title"] = catalogue.text(props[axis])


def _translated_table(table: dict[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    """Headers, and the cells of the columns that hold the app's own words."""
    headers = [str(name) for name in table["headers"]]
    own = {place for place, name in enumerate(headers) if name in _OWN_COLUMNS}
    rows = [
        [catalogue.text(cell) if place in own and isinstance(cell, str) else cell for place, cell in enumerate(row)]
        for row in table.get("data", [])
    ]
    return {**table, "headers": [catalogue.text(name) for name in headers], "data": rows}


def _choice(choice: Any, catalogue: Catalogue) -> Any:  # noqa: ANN401
    """A choice's name, not its value."""
    if isinstance(choice, list | tuple) and len(choice) == 2 and isinstance(choice[0], str):
        return [catalogue.text(choice[0]), choice[1]]
    return choice


class InLanguage:
    """ASGI middleware: the page's description and its <html lang> in the language of the request."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        """Set the language for what is made of this request; mark HTML with it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        language = language_of_scope(scope)
        token = _current.set(language)
        try:
            page = scope["path"] == "/" and scope["method"] == "GET"
            await self._app(
                scope, receive, _Marking(send, language, language_reminder(scope, language)) if page else send
            )
        finally:
            _current.reset(token)


class _Marking:
    """Holds an HTML answer back until it is whole, and writes its language into it."""

    def __init__(self, send: Any, language: str, reminder: str) -> None:  # noqa: ANN401
        self._send, self._language, self._reminder = send, language, reminder
        self._start: dict[str, Any] | None = None
        self._body = b""

    async def __call__(self, message: dict[str, Any]) -> None:
        if (
            message["type"] == "http.response.start"
            and (b"content-type", b"text/html; charset=utf-8") in message["headers"]
        ):
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self._start)

    async def _finish(self, start: dict[str, Any]) -> None:
        body = html_in(self._body, self._language)
        kept = [(key, value) for key, value in start["headers"] if key.lower() not in (b"content-length", b"vary")]
        more = [(b"content-length", str(len(body)).encode()), (b"vary", b"Accept-Language")]
        more += [(b"set-cookie", self._reminder.encode())] if self._reminder else []
        await self._send({**start, "headers": kept + more})
        await self._send({"type": "http.response.body", "body": body})
