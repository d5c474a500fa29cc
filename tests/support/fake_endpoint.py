"""A fake OpenAI-compatible endpoint at the HTTP edge, for what no real one can be made to do."""

import json
import threading
import time

from tests.support.fake_server import FakeServer, Handler


def chunk(text: str | None = None, finish: str | None = None, **more: object) -> str:
    delta = (
        {"role": "assistant", "content": ""} if text is None and finish is None else {"content": text} if text else {}
    )
    choice = {"index": 0, "delta": delta, "finish_reason": finish, **more.pop("choice", {})}
    return json.dumps(
        {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}
    )


HTML = {"Content-Type": "text/html"}
USAGE = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}


class FakeEndpoint(FakeServer):
    """`script` is what the next requests get, one name each, the last for all that follow. See Endpoint.do_POST."""

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.pace_s = 0.02
        self.requests: list[dict] = []
        self.asked = threading.Event()  # the first request is there
        self.headers: list[dict] = []
        self.disconnected = threading.Event()
        fake = self

        class Endpoint(Handler):
            def do_GET(self) -> None:
                fake.headers.append({k.lower(): v for k, v in self.headers.items()})
                self._json(
                    200, {"object": "list", "data": [{"id": "b", "object": "model"}, {"id": "a", "object": "model"}]}
                )

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                fake.requests.append(body)
                fake.headers.append({k.lower(): v for k, v in self.headers.items()})
                fake.asked.set()
                name = fake.script.pop(0) if len(fake.script) > 1 else fake.script[0]
                if name.isdigit():
                    echo = f"no {self.headers.get('Authorization')}"  # some servers echo the key
                    return self._json(int(name), {"error": {"message": echo}}, {"Retry-After": "0.2"})
                getattr(self, f"_{name}")(body)
                return None

            def _ok(self, body: dict) -> None:
                self._stream([chunk(), chunk("Pos"), chunk("itive"), chunk(": yes"), chunk(None, "stop", usage=USAGE)])

            def _evil(self, body: dict) -> None:
                said = "<b>x</b><script>alert(4)</script><img src=x onerror=alert(5)> [a](javascript:alert(6))"
                self._stream([chunk(said), chunk(None, "stop", usage=USAGE)])

            def _thinking(self, body: dict) -> None:
                """Thinks for 0.3 s, tells how many tokens that were, and sends none of them."""
                usage = {**USAGE, "completion_tokens": 43, "completion_tokens_details": {"reasoning_tokens": 40}}
                self._stream([chunk()], end=False)
                time.sleep(0.3)
                for data in (
                    chunk("Pos"),
                    chunk("itive"),
                    chunk(": yes"),
                    chunk(None, "length", usage=usage),
                    "[DONE]",
                ):
                    self.wfile.write(f"data: {data}\n\n".encode())
                    self.wfile.flush()
                    time.sleep(0.02)

            def _logprobs(self, body: dict) -> None:
                tops = [
                    {"token": t, "logprob": p, "bytes": None} for t, p in (("Pos", -0.1), ("Neg", -2.5), ("The", -6.0))
                ]
                first = {"token": "Pos", "logprob": -0.1, "bytes": None, "top_logprobs": tops}
                self._stream(
                    [chunk("Positive", choice={"logprobs": {"content": [first]}}), chunk(None, "stop", usage=USAGE)]
                )

            def _picky(self, body: dict) -> None:
                """Refuses what reasoning models refuse."""
                for name, instead in (
                    ("max_tokens", " Use 'max_completion_tokens'."),
                    ("temperature", ""),
                    ("logprobs", ""),
                ):
                    if name in body:
                        message = f"Unsupported parameter: '{name}'.{instead}"
                        return self._json(400, {"error": {"message": message, "param": name}})
                return self._ok(body)

            def _html(self, body: dict) -> None:
                self.answer(200, b"<html><script>alert(1)</script></html>", HTML)

            def _html_500(self, body: dict) -> None:
                self.answer(500, b"<!doctype html><html><script>alert(1)</script></html>", HTML)

            def _half(self, body: dict) -> None:
                self._stream([chunk("Posi")], end=False)

            def _cut(self, body: dict) -> None:
                """Says more will come, then closes the connection."""
                self.begin(200, {"Content-Type": "text/event-stream", "Content-Length": "100000"})
                self.wfile.write(f"data: {chunk('Posi')}\n\n".encode())
                self.wfile.flush()

            def _error_inside(self, body: dict) -> None:
                self._stream([chunk("Posi"), json.dumps({"error": "CUDA out of memory"})], end=False)

            def _hang(self, body: dict) -> None:
                self._watch(30)

            def _slow(self, body: dict) -> None:
                self._stream([chunk()], end=False)
                for index in range(600):
                    try:
                        self.wfile.write(f"data: {chunk(f'{index} ')}\n\n".encode())
                        self.wfile.flush()
                    except OSError:
                        fake.disconnected.set()
                        return
                    time.sleep(0.05)

            def _paced(self, body: dict) -> None:
                """A hundred tokens, one every `pace_s`."""
                self._stream([chunk()], end=False)
                usage = {"prompt_tokens": 11, "completion_tokens": 100, "total_tokens": 111}
                for data in [*(chunk(f"word{index} ") for index in range(100)), chunk(None, "stop", usage=usage)]:
                    self.wfile.write(f"data: {data}\n\n".encode())
                    self.wfile.flush()
                    time.sleep(fake.pace_s)
                self.wfile.write(b"data: [DONE]\n\n")

            def _watch(self, seconds: float) -> None:
                """Wait for the client to leave."""
                self.connection.settimeout(seconds)
                try:
                    if self.connection.recv(1) == b"":
                        fake.disconnected.set()
                except OSError:
                    fake.disconnected.set()

            def _stream(self, chunks: list[str], end: bool = True) -> None:
                self.begin(200, {"Content-Type": "text/event-stream"})
                # One write: what is sent in one go must arrive so on a busy machine too.
                self.wfile.write(
                    "".join(f"data: {data}\n\n" for data in [*chunks, *(["[DONE]"] if end else [])]).encode()
                )
                self.wfile.flush()

            def _json(self, status: int, data: dict, headers: dict | None = None) -> None:
                self.answer(status, json.dumps(data).encode(), headers)

        super().__init__(Endpoint)
        self.url += "/v1"
