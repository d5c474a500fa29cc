"""A public page under attack and under load: canary keys, many visitors, files that are not the page's."""

import json
import sqlite3
import subprocess
import sys
import time
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from tests import canary
from tests.support.serving import ROOT, app


def test_no_key_is_found_in_logs_history_exports_files_addresses_or_with_another_visitor(tmp_path):
    places, made = canary.hunt(tmp_path)
    assert places == []
    sent = {name for name, key in canary.CANARIES.items() if key in made.echo.keys}
    assert sent == {"visitor's OpenAI key", "visitor's key of no known form"}  # and so it could have been found
    assert {path.suffix for path in tmp_path.glob("export-*")} == {".xlsx", ".csv", ".jsonl", ".html"}


def test_a_crowd_of_visitors_gets_its_answers_without_an_error(tmp_path):
    command = [sys.executable, "-m", "tests.visitors", "--visitors", "8", "--minutes", "0.4", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert "errors: 0\n" in done.stdout, done.stdout + done.stderr
    assert "tracebacks in the app's log: 0" in done.stdout


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    """(address, data folder) of a public page."""
    folder = tmp_path_factory.mktemp("public")
    with app(folder / "data", folder / "log.txt", LLMOPS_PUBLIC="1") as address:
        (folder / "data" / "visitors" / "v-1" / "encoders" / "x").mkdir(parents=True)
        (folder / "data" / "visitors" / "v-1" / "encoders" / "x" / "meta.json").write_text("{}")
        httpx.post(f"{address}gradio_api/call/history", json={"data": [None, None, None]})
        yield address, folder / "data"


def test_no_file_but_the_pages_own_is_served(public):
    address, data = public
    wanted = [
        "/etc/passwd", "app.py", str(ROOT / "app.py"), str(data / "history.sqlite"), str(data / "running.json"),
        str(data / "visitors/v-1/encoders/x/meta.json"), "/proc/self/environ", "../../../etc/passwd", "~/.ssh/id_rsa",
    ]  # fmt: skip
    for path in wanted:
        for written in (path, quote(path, safe=""), f"/{path}"):
            for route in ("file=", "file/"):
                answer = httpx.get(f"{address}gradio_api/{route}{written}")
                assert answer.status_code in (403, 404), (route, written, answer.text[:200])


def test_deep_links_monitoring_and_run_history_are_off(public):
    address, _ = public
    session = "abcdef123456"
    httpx.post(f"{address}gradio_api/call/candidates", json={"data": [], "session_hash": session})
    for path in (
        f"gradio_api/deep_link?session_hash={session}", "monitoring", "monitoring/", "monitoring/summary",
        "monitoring/x", "gradio_api/runs", "gradio_api/run-history/records", "gradio_api/startup",
    ):  # fmt: skip
        assert httpx.get(f"{address}{path}").status_code in (403, 404), path
    page = httpx.get(address)
    assert '"run_history":false' in page.text.replace(" ", "")
    assert "frame-ancestors" in page.headers["content-security-policy"]


def test_an_endpoint_can_only_be_joined_through_the_queue(public):
    address, _ = public
    body = {"data": ["x", "medical", ["embedded/encoder@fp32"], {}], "session_hash": "abc123"}
    assert httpx.post(f"{address}gradio_api/api/compare", json=body).status_code == 404
    assert httpx.post(f"{address}gradio_api/run/compare", json=body).status_code == 404


def test_who_leaves_stops_his_own_evaluation_and_keeps_what_is_done(public):
    address, data = public
    session = uuid4().hex
    texts = [{"text": f"All is met, case {number}.", "label": "positive", "language": "en"} for number in range(400)]
    wanted = {"texts": texts, "batched": False, "max_new_tokens": 8}
    with httpx.Client(base_url=address, timeout=60) as leaver, httpx.Client(base_url=address, timeout=240) as other:
        leaver.get("")
        other.get("")
        with leaver.stream("GET", f"gradio_api/heartbeat/{session}"):
            body = {"data": ["medical", ["embedded/decoder@bf16"], wanted], "session_hash": session}
            leaver.post("gradio_api/call/evaluate", json=body).raise_for_status()
            until(lambda: answered(data) >= 2)
        until(lambda: settled(data))
        assert 2 <= answered(data) < 400
        # Nothing of it is another visitor's, and the device is free again.
        begun = other.post("gradio_api/call/compare", json={"data": ["Met.", "medical", ["embedded/encoder@fp32"], {}]})
        answer = other.get(f"gradio_api/call/compare/{begun.json()['event_id']}").text
        run = json.loads(answer.rpartition("data: ")[2])[0]["runs"][0]
        assert run["error"] is None
        number, _ = evaluation(data)
        begun = other.post("gradio_api/call/history", json={"data": [number, None, None]})
        assert (
            f"There is no evaluation {number}" in other.get(f"gradio_api/call/history/{begun.json()['event_id']}").text
        )


def until(true):
    for _ in range(600):
        if true():
            return
        time.sleep(0.2)
    raise AssertionError("it did not come to that")


def evaluation(data):
    """(id, answers so far) of the only visitor's evaluation."""
    query = """SELECT e.id, count(*) FROM runs r JOIN evaluations e ON e.id = r.evaluation_id
        WHERE e.owner LIKE 'v-%' GROUP BY e.id"""
    try:
        with sqlite3.connect(f"file:{data / 'history.sqlite'}?mode=ro", uri=True) as database:
            return database.execute(query).fetchone() or (0, 0)
    except sqlite3.Error:
        return 0, 0


def answered(data):
    return evaluation(data)[1]


def settled(data):
    before = answered(data)
    time.sleep(3)
    return answered(data) == before
