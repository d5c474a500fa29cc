"""The frame of the fake servers: a free port, a thread that serves while a test runs, and an answer in one piece."""

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Handler(BaseHTTPRequestHandler):
    """Says nothing on the terminal."""

    def answer(self, status: int, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        """A whole answer, JSON unless the headers say otherwise; HEAD gets no body."""
        self.begin(status, {"Content-Length": str(len(data)), **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(data)

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


class FakeServer:
    """Serves at `url` while it is entered."""

    dead = False

    def __init__(self, handler: type[Handler]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.die()

    def die(self) -> None:
        """Not in reach from now on; a connection that was kept open gets no answer either, where the handler asks."""
        self.dead = True
        self._server.shutdown()
        self._server.server_close()
