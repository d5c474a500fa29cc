"""After a kill -9, a full disk, a silent hub, files cut short: a restart serves and says what happened."""

import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest

from tests.canary import Echo, Hunt
from tests.support.kept_encoders import keep_encoder
from tests.support.serving import ROOT, free_port, wait_until_up

TEXT = "All requirements for the wheelchair are met."
_MINE = """SELECT e.id, count(*) FROM runs r JOIN evaluations e ON e.id = r.evaluation_id
    WHERE e.owner = '' AND e.origin = '' GROUP BY e.id"""
_SMALL = 40_000  # bytes a file may have: less than the history needs, as on a disk that is full


@contextmanager
def running(folder, *, most_bytes=None, **environment):
    """(a visitor's hands, the process). most_bytes: how big a file may get."""

    def full_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    port = free_port()
    own = {"LLMOPS_DATA": str(folder / "data"), "NO_PROXY": "localhost,127.0.0.1", "PATH": "/usr/bin:/bin"}
    own |= {"HOME": str(folder), "HF_HUB_OFFLINE": "1"} | environment
    with (folder / f"log-{port}.txt").open("wb") as log:
        command = [sys.executable, str(ROOT / "app.py"), "--port", str(port)]
        limit = full_disk if most_bytes else None
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, env=own, cwd=ROOT, preexec_fn=limit)
        try:
            hands = Hunt(folder, Echo(), address=f"http://127.0.0.1:{port}/")
            wait_until_up(hands.address, process)
            yield hands, process
        finally:
            process.kill()
            process.wait(20)


def notices(hands):
    """What the page says above everything else when it is opened."""
    client = httpx.Client(base_url=hands.address, timeout=60)
    config = client.get("config").json()
    place = next(
        component["id"] for component in config["components"] if component["props"].get("elem_id") == "notices"
    )
    event = next(dependency for dependency in config["dependencies"] if dependency["outputs"] == [place])
    session = uuid4().hex
    client.post("gradio_api/queue/join", json={"data": [], "fn_index": event["id"], "session_hash": session})
    with client.stream("GET", f"gradio_api/queue/data?session_hash={session}") as stream:
        return next(line for line in stream.iter_lines() if "process_completed" in line)


def compare(hands, *candidates):
    client = httpx.Client(base_url=hands.address, timeout=120)
    return hands.call(client, "compare", TEXT, "medical", list(candidates), {"max_new_tokens": 8})


@pytest.fixture
def silent_hub():
    """An address that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_on_a_full_disk_runs_are_answered_and_it_is_said_that_they_are_not_kept(tmp_path):
    with running(tmp_path, most_bytes=_SMALL) as (hands, process):
        answer = compare(hands, "embedded/encoder@fp32")
        assert answer["runs"][0]["label"] in ("positive", "negative")
        assert "not in the history" in answer["history_error"]
        assert httpx.get(hands.address).status_code == 200
        assert process.poll() is None


def test_a_kill_in_the_middle_is_told_at_the_restart_and_the_rest_is_resumed(tmp_path, monkeypatch, silent_hub):
    monkeypatch.setenv("LLMOPS_DATA", str(tmp_path / "data"))
    texts = [{"text": f"{TEXT} {number}", "label": "positive", "language": "en"} for number in range(60)]
    with running(tmp_path, HF_HUB_OFFLINE="0", HF_ENDPOINT=silent_hub) as (hands, process):
        answer = compare(hands, "embedded/encoder@fp32", "Qwen/Qwen2.5-0.5B-Instruct@bf16")
        assert answer["runs"][0]["error"] is None
        assert "hub" in answer["runs"][1]["error"]["message"].lower()  # after its time-out, and the page still serves
        client = httpx.Client(base_url=hands.address, timeout=120)
        wanted = {"texts": texts, "max_new_tokens": 8, "batched": False}
        client.post("gradio_api/call/evaluate", json={"data": ["medical", ["embedded/decoder@bf16"], wanted]})
        number = _until_some_are_kept(tmp_path / "data" / "history.sqlite")
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    keep_encoder("mine", "")
    head = tmp_path / "data" / "encoders" / "mine" / "head.safetensors"
    head.write_bytes(head.read_bytes()[:-5])
    with running(tmp_path) as (hands, _):
        said = notices(hands)
        assert "ended without warning" in said
        assert f"Evaluation {number} was not finished" in said
        assert "mine" in said
        assert "damaged" in said
        run = compare(hands, "trained/mine@fp32")["runs"][0]
        assert run["error"]["kind"] == "refused"
        client = httpx.Client(base_url=hands.address, timeout=240)
        done = hands.call(client, "evaluate", "medical", [], {"resume": number})
        assert done["error"] is None
        assert done["metrics"][0]["texts"] == 60
        assert f"Evaluation {number}" not in notices(hands)


def _until_some_are_kept(database):
    import sqlite3

    for _ in range(600):
        time.sleep(0.1)
        try:
            with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as reading:
                found = reading.execute(_MINE).fetchone()
        except sqlite3.Error:
            continue
        if found and found[1] >= 2:
            return found[0]
    raise AssertionError("nothing was kept")
