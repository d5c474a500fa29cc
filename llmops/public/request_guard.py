"""What every HTTP request passes before Gradio sees it: which routes are open, how much may come in, and headers.

Only the routes that the page and its API use are open: Gradio's deep links (they write every field, keys too, to a
file), run history, monitoring, proxying and recording are closed, and so is whatever a later version adds. A public
page also hands out the cookie that `ui/visitor.py` reads, and bounds what one visitor uploads in an hour.
"""

import hashlib
import json
import re
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from llmops.core.settings import Settings
from llmops.i18n.translation import german
from llmops.public.cookies import VISITOR_COOKIE, VISITOR_COOKIE_FORM, cookie, header, new_cookie
from llmops.public.request_language import language_of_scope

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_API = "/gradio_api/"
_OPEN = re.compile(
    r"/(?:config/?|theme\.css|favicon\.ico|robots\.txt|manifest\.json|pwa_icon(?:/\d+)?"
    r"|(?:static|assets|svelte)/.*|login(?:/.*)?|logout(?:/.*)?"
    r"|gradio_api/(?:info/?|openapi\.json|user/?|login_check/?|app_id/?|theme\.css|startup-events"
    r"|queue/(?:join|data)|run/predict/?|call/.*|cancel|heartbeat/\w+|upload|upload_progress|reset/?"
    r"|file=(?!\w+:).*))?"
)
_SLACK = 100_000  # bytes of a form's or a request's own wrapping
_HOUR_S = 3600.0
_COOKIE_S = 30 * 24 * 3600
_FRAMES = "https://huggingface.co https://*.hf.space https://colab.research.google.com https://*.googleusercontent.com"
# Gradio's page has scripts and styles of its own inline and compiles its templates; nothing is taken from elsewhere,
# and nothing can be sent elsewhere.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; worker-src 'self' blob:; "
    "connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self' https://huggingface.co; "
    f"frame-ancestors 'self' {_FRAMES}"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin-allow-popups"),
)


class RequestGuard:
    """ASGI middleware. One object for the process."""

    def __init__(self, app: App, settings: Settings) -> None:
        self._app, self._settings = app, settings
        self._uploads: dict[str, deque[tuple[float, int]]] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with headers added."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_new = self._settings.public and scope["path"] == "/" and _visitor(scope) is None
        set_cookie = new_cookie(scope, VISITOR_COOKIE, secrets.token_urlsafe(32), _COOKIE_S) if is_new else ""

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                replaced = {name for name, _ in _HEADERS}
                others = [pair for pair in message.get("headers", ()) if pair[0].lower() not in replaced]
                cookies = [(b"set-cookie", set_cookie.encode())] if set_cookie else []
                message = {**message, "headers": [*others, *_HEADERS, *cookies]}
            await send(message)

        if not _OPEN.fullmatch(scope["path"]):
            await _refuse(scope, answer, 404, "There is nothing here.")
            return
        limit_bytes, reason = self._limit_of(scope)
        if limit_bytes is None:
            await self._app(scope, receive, answer)
            return
        if _declared(scope) > limit_bytes or limit_bytes <= 0:
            await _refuse(scope, answer, 413, reason)
            return
        counted = _Counted(receive, answer, limit_bytes)
        try:
            await self._app(scope, counted.receive, counted.send)
        except Exception:
            if not counted.over:
                raise
        finally:
            self._note_upload(scope, counted.bytes)
        if counted.over and not counted.answered:
            await _refuse(scope, answer, 413, reason)

    def _limit_of(self, scope: Message) -> tuple[int | None, str]:
        """How many bytes this request may bring, and what is said above it; None where it brings none."""
        limits = self._settings
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return None, ""
        if scope["path"] != f"{_API}upload":
            return 4 * limits.max_text_chars + _SLACK, "The request is too big: shorten the text."
        per_file = limits.max_upload_bytes + _SLACK
        reason = f"The file is too big: at most {limits.max_upload_bytes / 1e6:.0f} MB are read."
        if limits.visitor_upload_bytes is None:
            return per_file, reason
        left = limits.visitor_upload_bytes - self._uploaded(_uploader(scope))
        if left < per_file:
            return left, f"At most {limits.visitor_upload_bytes / 1e6:.0f} MB may be uploaded in an hour: try later."
        return per_file, reason

    def _uploaded(self, uploader: str) -> int:
        """Bytes of the last hour. Forgets who has none."""
        since = time.monotonic() - _HOUR_S
        for name in list(self._uploads):
            log = self._uploads[name]
            while log and log[0][0] < since:
                log.popleft()
            if not log:
                del self._uploads[name]
        return sum(count for _, count in self._uploads.get(uploader, ()))

    def _note_upload(self, scope: Message, count: int) -> None:
        if self._settings.visitor_upload_bytes is not None and scope["path"] == f"{_API}upload":
            self._uploads.setdefault(_uploader(scope), deque()).append((time.monotonic(), count))


class _Counted:
    """A request's body, broken off above a number of bytes; what is answered to the break-off is dropped."""

    def __init__(self, receive: Receive, send: Send, limit_bytes: int) -> None:
        self._receive, self._send, self._limit_bytes = receive, send, limit_bytes
        self.bytes, self.over, self.answered = 0, False, False

    async def receive(self) -> Message:
        message = await self._receive()
        self.bytes += len(message.get("body", b""))
        if self.bytes > self._limit_bytes:
            self.over = True
            return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        if not self.over or self.answered:
            self.answered = True
            await self._send(message)


def _declared(scope: Message) -> int:
    value = header(scope, b"content-length")
    return int(value) if value.isdigit() else 0


def _visitor(scope: Message) -> str | None:
    value = cookie(scope, VISITOR_COOKIE)
    return value if VISITOR_COOKIE_FORM.fullmatch(value) else None


def _uploader(scope: Message) -> str:
    """Whose uploads are counted: a browser's by its cookie, a program's by its address. Nothing is kept of either."""
    client = scope.get("client") or ("", 0)
    forwarded = header(scope, b"x-forwarded-for").split(",")[0].strip()
    return hashlib.sha256((_visitor(scope) or forwarded or client[0]).encode()).hexdigest()


async def _refuse(scope: Message, send: Send, status: int, words: str) -> None:
    """Say no, in the visitor's language."""
    if language_of_scope(scope) == "de":
        words = german().text(words)
    body = json.dumps({"detail": words}, ensure_ascii=False).encode()  # the browser shows it as it comes
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
