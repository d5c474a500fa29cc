"""Do keys stay where they belong? `python -m tests.canary` types canary keys everywhere and looks for them everywhere.

A public page is started with canary keys of the operator in its environment. A visitor types others: through the API
and the page's own events, at endpoints that echo the key in errors, in web pages, in half streams and in the answer
itself, into wrong fields, and into an evaluation in whose middle the process is killed. Then logs, the history's files,
exports, temporary files, all that was answered, addresses, and what another visitor sees are searched.
"""

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import httpx

from tests.support.serving import ROOT, free_port, wait_until_up

CANARIES = {
    "visitor's OpenAI key": "sk-canaryVisitor7f3a91c2",
    "visitor's key of no known form": "plaincanary-QZ81xx-0042",
    "visitor's Hugging Face token": "hf_canaryVisitorTokenAbCd",
    "operator's OpenAI key": "sk-canaryOperator55e0d1",
    "operator's Hugging Face token": "hf_canaryOperatorTokenXyZ",
}
_MODES = ("refuses", "page", "breaks", "echoes", "garbage", "slow")
_TEXT = "All requirements for the wheelchair are met."


class Echo:
    """A fake endpoint that gives the key it was sent away, a different way by each path. It stands for a broken one."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.paths: list[str] = []
        echo = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self._answer()

            def _answer(self) -> None:
                key = self.headers.get("Authorization", "")
                echo.keys.add(key.removeprefix("Bearer "))
                echo.paths.append(self.path)
                mode = self.path.strip("/").partition("/")[0]
                status, kind, body = _answers(mode, key)
                if mode == "slow":
                    time.sleep(0.4)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("X-Echo", key)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port

    def url(self, mode: str) -> str:
        return f"http://127.0.0.1:{self.port}/{mode}/v1"

    def __enter__(self) -> "Echo":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _answers(mode: str, key: str) -> tuple[int, str, bytes]:
    """(status, content type, body), each with the key in it."""
    if mode == "refuses":
        words = f"Incorrect API key provided: {key}. You can find it at http://x/?key={key.removeprefix('Bearer ')}"
        return 401, "application/json", json.dumps({"error": {"message": words, "code": key}}).encode()
    if mode == "page":
        return 502, "text/html", f"<html><body>Bad gateway for {key}</body></html>".encode()
    if mode == "garbage":
        return 200, "text/event-stream", f"data: {{not json {key}\n\n".encode()
    pieces = ["Positive: your key is ", key.removeprefix("Bearer ")[:9], key.removeprefix("Bearer ")[9:], "."]
    chunks = [{"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]} for piece in pieces]
    if mode != "breaks":
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    about = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    lines = [f"data: {json.dumps({**about, **chunk})}\n\n" for chunk in chunks]
    return 200, "text/event-stream", "".join([*lines, "" if mode == "breaks" else "data: [DONE]\n\n"]).encode()


@dataclass
class Hunt:
    """Where things lie, and every answer that was seen: (what, text)."""

    folder: Path
    echo: Echo
    answers: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""

    @contextmanager
    def app(self, log: str):
        """The app, started as a public page with canary keys in its environment; killed in the end, hard."""
        port = free_port()
        for name in ("data", "tmp"):
            (self.folder / name).mkdir(exist_ok=True)
        own = {
            "HF_HUB_OFFLINE": "1",
            "LLMOPS_DATA": str(self.folder / "data"),
            "TMPDIR": str(self.folder / "tmp"),
            "GRADIO_TEMP_DIR": str(self.folder / "tmp" / "gradio"),
            "NO_PROXY": "localhost,127.0.0.1",
            "LLMOPS_PUBLIC": "1",
            "LLMOPS_ENDPOINTS": f"127.0.0.1:{self.echo.port}",
            "LLMOPS_HOSTED_BASE_URL": self.echo.url("refuses"),
            "OPENAI_API_KEY": CANARIES["operator's OpenAI key"],
            "HF_TOKEN": CANARIES["operator's Hugging Face token"],
        }
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "HF_TOKEN", "LLMOPS_", "GRADIO_"))}
        command = [sys.executable, str(ROOT / "app.py"), "--port", str(port)]
        with (self.folder / log).open("wb") as file:
            process = subprocess.Popen(command, stdout=file, stderr=file, env={**clean, **own}, cwd=ROOT)
            try:
                self.address = f"http://127.0.0.1:{port}/"
                wait_until_up(self.address, process)
                yield process
            finally:
                process.kill()
                process.wait(20)

    def visit(self) -> httpx.Client:
        """Another visitor: a cookie of its own."""
        client = httpx.Client(base_url=self.address, timeout=120)
        self.answers.append(("the page", client.get("").text))
        return client

    def call(self, client: httpx.Client, name: str, *data: object) -> dict:
        """Call a named endpoint; what it answers is kept for the search, the stream as it came."""
        session = uuid4().hex
        begun = client.post(f"gradio_api/call/{name}", json={"data": list(data), "session_hash": session})
        stream = client.get(f"gradio_api/call/{name}/{begun.json()['event_id']}").text
        self.answers.append((f"/{name}", stream))
        return json.loads(stream.rpartition("data: ")[2])[0]

    def press_run(self, client: httpx.Client, fields: dict[str, object]) -> None:
        """The page's Run button, with fields by label or element id."""
        config = client.get("config").json()
        self.answers.append(("the page's configuration", json.dumps(config)))
        parts = {component["id"]: component for component in config["components"]}
        button = next(id_ for id_, component in parts.items() if component["props"].get("elem_id") == "run")
        event = next(dependency for dependency in config["dependencies"] if [button, "click"] in dependency["targets"])
        data = []
        for id_ in event["inputs"]:
            props = parts[id_]["props"]
            value = None if parts[id_]["type"] == "state" else props.get("value")
            data.append(fields.get(props.get("elem_id"), fields.get(props.get("label"), value)))
        session = uuid4().hex
        body = {"data": data, "fn_index": event["id"], "session_hash": session}
        client.post("gradio_api/queue/join", json=body).raise_for_status()
        with client.stream("GET", f"gradio_api/queue/data?session_hash={session}") as stream:
            said = []
            for line in stream.iter_lines():
                said.append(line)
                if "process_completed" in line:
                    break
        # The stream of a run shows what the endpoint says as it comes; what stays in the column is the last of it.
        self.answers.append(("the page's last paint", said[-1]))


def type_everywhere(hunt: Hunt) -> list[int]:
    """All that a visitor can do with keys; the ids of the evaluations made."""
    client, evaluations = hunt.visit(), []
    texts = [{"text": f"{_TEXT} {number}", "label": "positive", "language": "en"} for number in range(2)]
    for name in ("visitor's OpenAI key", "visitor's key of no known form"):
        key = CANARIES[name]
        for mode in _MODES[:5]:
            keys = {"openai_key": key, "hf_token": CANARIES["visitor's Hugging Face token"]}
            settings = {**keys, "base_url": hunt.echo.url(mode), "max_new_tokens": 8}
            hunt.call(client, "compare", _TEXT, "medical", ["openai/m", "embedded/encoder@fp32"], settings)
            if mode in ("refuses", "echoes"):
                made = hunt.call(client, "evaluate", "medical", ["openai/m"], {**settings, "texts": texts})
                evaluations += [made["evaluation"]["id"]] if made.get("evaluation") else []
                hunt.call(client, "load_probe", "medical", "openai/m", {**settings, "levels": [1], "requests_each": 2})
        for wrong in ({"base_url": key}, {"base_url": f"http://u:{key}@127.0.0.1/v1"}, {"provider": key}, {key: 1}):
            hunt.call(client, "compare", _TEXT, "medical", ["openai/m", "hosted/org/name"], wrong)
        fields = {"OpenAI key": key, "Server address (base URL)": hunt.echo.url("echoes"), "text": _TEXT}
        hunt.press_run(client, {**fields, "past-candidates": [], "present-candidates": ["openai/m"]})
    token = {"hf_token": CANARIES["visitor's Hugging Face token"]}
    hunt.call(client, "compare", _TEXT, "medical", ["hosted/openai/gpt-oss-120b", "google/gemma-2-9b-it@nf4"], token)
    hunt.call(client, "compare", _TEXT, "medical", ["openai/gpt-5.4-mini", "hosted/openai/gpt-oss-120b"], {})
    for number in evaluations:
        for kind in ("xlsx", "csv", "jsonl", "html"):
            made = hunt.call(client, "export", number, kind, "en")
            if "base64" in made:
                (hunt.folder / f"export-{number}.{kind}").write_bytes(base64.b64decode(made["base64"]))
        hunt.call(client, "history", number, None, None)
    hunt.call(client, "history", None, None, None)
    return evaluations


def killed_in_the_middle(hunt: Hunt, process: subprocess.Popen) -> None:
    """An evaluation against the slow echo, and kill -9."""
    client = hunt.visit()
    texts = [{"text": f"{_TEXT} {number}", "label": "positive", "language": "en"} for number in range(40)]
    settings = {"openai_key": CANARIES["visitor's OpenAI key"], "base_url": hunt.echo.url("slow"), "texts": texts}
    client.post("gradio_api/call/evaluate", json={"data": ["medical", ["openai/m"], settings]})
    time.sleep(3)
    process.send_signal(signal.SIGKILL)
    process.wait(20)


def looked_at_by_another(hunt: Hunt) -> None:
    """What another visitor sees after the restart."""
    client = hunt.visit()
    hunt.call(client, "candidates")
    hunt.call(client, "history", None, None, None)
    for path in ("config", "gradio_api/info", "gradio_api/openapi.json"):
        hunt.answers.append((path, client.get(path).text))


def found(hunt: Hunt) -> list[str]:
    """Every place where a canary is, and should not be."""
    places: list[tuple[str, bytes]] = [(what, text.encode()) for what, text in hunt.answers]
    places += [("an address", path.encode()) for path in hunt.echo.paths]
    for path in hunt.folder.rglob("*"):
        if path.is_file():
            places.append((str(path.relative_to(hunt.folder)), path.read_bytes()))
            if path.suffix == ".xlsx":
                places.append((f"{path.name}, unpacked", _unzipped(path)))
    return [
        f"{name} in {what}: {_around(body, key)}"
        for what, body in places
        for name, key in CANARIES.items()
        if key.encode() in body
    ]


def _around(body: bytes, key: str) -> str:
    at = body.find(key.encode())
    return body[max(0, at - 60) : at].decode(errors="replace") + "<canary>"


def _unzipped(path: Path) -> bytes:
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


def hunt(folder: Path) -> tuple[list[str], Hunt]:
    """The whole hunt in a folder: where canaries were found, and what was done."""
    with Echo() as echo:
        made = Hunt(folder, echo)
        with made.app("first.log") as process:
            type_everywhere(made)
            killed_in_the_middle(made, process)
        with made.app("second.log"):
            looked_at_by_another(made)
        return found(made), made


def main() -> int:
    """Hunt, and print what was found."""
    places, made = hunt(Path(tempfile.mkdtemp()))
    files = sum(path.is_file() for path in made.folder.rglob("*"))
    sent = sorted(name for name, key in CANARIES.items() if key in made.echo.keys)
    print(
        f"{len(made.answers)} answers, {len(made.echo.paths)} requests at the echoing endpoint, {files} files searched"
    )
    print("keys that reached the endpoint, as they should:", ", ".join(sent))
    for place in places:
        print("FOUND:", place)
    print("verdict:", "no key anywhere else" if not places else "NOT as it should be")
    return 1 if places else 0


if __name__ == "__main__":
    sys.exit(main())
