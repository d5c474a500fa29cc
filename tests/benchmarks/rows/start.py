"""From the command to the first page: ours against a ten-line Gradio app."""

import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.measure import Measured, Row, Sides
from tests.support.serving import ROOT, free_port, server_environment

_TEN_LINES = """import gradio as gr

def greet(name):
    return f"Hello, {name}!"

with gr.Blocks() as page:
    name = gr.Textbox(label="Name")
    said = gr.Textbox(label="Said")
    gr.Button("Greet").click(greet, name, said)
page.launch(server_port=PORT)
"""


def _seconds(command: list[str], port: int, folder: Path) -> Measured:
    started = time.perf_counter()
    environment = server_environment(LLMOPS_DATA=str(folder))
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            while True:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
                        served = b"gradio" in answer.read()
                    return Measured(time.perf_counter() - started, served)
                except OSError:
                    assert process.poll() is None, (folder / "log.txt").read_text()
                    time.sleep(0.01)
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def _prepare(tiny: bool) -> Iterator[Sides]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def ours(repeat: int) -> Measured:
            port = free_port()
            return _seconds([sys.executable, "app.py", "--port", str(port)], port, folder)

        def baseline(repeat: int) -> Measured:
            port = free_port()
            (folder / "small.py").write_text(_TEN_LINES.replace("PORT", str(port)))
            return _seconds([sys.executable, str(folder / "small.py")], port, folder)

        def same(ours: list[bool], baseline: list[bool]) -> str:
            assert all([*ours, *baseline])
            return "both serve their page"

        if not tiny:
            ours(0), baseline(0)  # files into the system's cache, for both
        yield Sides(ours, baseline, same)


ROW = Row(
    "start", "`python app.py` to the first page served", "a ten-line Gradio app", "s", _prepare, at_most=1.25, turns=3
)
