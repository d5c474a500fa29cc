"""Real servers for tests: `transformers serve` with a model folder, a proxy with a clock of its own, and the app."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parents[2]
_UP_S = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_up(url: str, process: subprocess.Popen) -> None:
    """Until the address answers at all; fails at once where the process has ended.

    From now on, terminating the test run or script is taken as Ctrl+C, so that whoever started the server ends it.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    deadline = time.monotonic() + _UP_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"{url} was not up within {_UP_S} s")


@contextmanager
def transformers_serve(model: Path, log: Path) -> Iterator[str]:
    """`transformers serve` with a folder; yields its base URL. No hub; its cache is the test's own."""
    port = free_port()
    cache = log.parent / "hub"
    cache.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(cache), "HF_HUB_DISABLE_TELEMETRY": "1"}
    command = [str(Path(sys.executable).parent / "transformers"), "serve", str(model), "--port", str(port)]
    with log.open("wb") as file:
        process = subprocess.Popen([*command, "--device", "cpu"], stdout=file, stderr=file, env=environment, cwd=ROOT)
        try:
            wait_until_up(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(20)


def server_environment(**more: str) -> dict[str, str]:
    """Of a server that this machine's keys and settings don't reach; the hub is off."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "HF_TOKEN", "LLMOPS_"))}
    return {**clean, "HF_HUB_OFFLINE": "1", "NO_PROXY": "localhost,127.0.0.1", **more}


@contextmanager
def app(data: Path, log: Path, **environment: str) -> Iterator[str]:
    """The app as a user starts it; yields its address. The hub is off."""
    port = free_port()
    variables = server_environment(LLMOPS_DATA=str(data), **environment)
    command = [sys.executable, str(ROOT / "app.py"), "--port", str(port)]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=variables, cwd=ROOT)
        try:
            wait_until_up(f"http://127.0.0.1:{port}/", process)
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:  # a busy machine, and many visitors' threads
                process.kill()


class StampingProxy:
    """Passes requests on to a server and stamps each streamed chunk with content: a clock of its own."""

    def __init__(self, target: str) -> None:
        self.target = target.removesuffix("/v1")
        self.request_s: float | None = None
        self.chunks_s: list[float] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def do_POST(self) -> None:
                proxy.request_s, proxy.chunks_s = time.perf_counter(), []
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = urllib.request.Request(proxy.target + self.path, body, dict(self.headers))
                with urllib.request.urlopen(request, timeout=60) as answer:
                    self.send_response(answer.status)
                    self.send_header("Content-Type", answer.headers["Content-Type"])
                    self.end_headers()
                    for line in answer:
                        if b'"content":"' in line.replace(b" ", b"") and b'"content":""' not in line.replace(b" ", b""):
                            proxy.chunks_s.append(time.perf_counter())
                        self.wfile.write(line)
                        self.wfile.flush()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> "StampingProxy":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
