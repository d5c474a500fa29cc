"""Models from a hub: a small server of the tests' own stands in for it, at the HTTP edge; everything else is real."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from llmops.embedded import DECODER_DIR
from tests.support.fake_hub import FakeHub, Repo
from tests.support.serving import ROOT

TEXT = "The chair is needed."


def compare(hub, home, *candidates, **environment):
    """`python -m llmops compare --json` with the hub at `hub.url`; runs in the candidates' order."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    variables |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "LLMOPS_DATA": str(home / "data"), **environment}
    chosen = [part for candidate in candidates for part in ("--candidate", candidate)]
    command = [sys.executable, "-m", "llmops", "compare", *chosen, "--json", "--max-new-tokens", "4", TEXT]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, cwd=ROOT, timeout=300)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)["runs"], done


def script(hub, home, program, timeout=200):
    """A program of its own, with the hub at `hub.url`."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    variables |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=variables, timeout=timeout
    )


@pytest.fixture(scope="module")
def repos(tmp_path_factory):
    root = tmp_path_factory.mktemp("repos")
    whole = root / "whole"
    shutil.copytree(DECODER_DIR, whole)
    pickled = root / "pickled"
    pickled.mkdir()
    shutil.copy(whole / "config.json", pickled)
    (pickled / "pytorch_model.bin").write_bytes(b"never read")
    coded = root / "coded"
    shutil.copytree(DECODER_DIR, coded)
    about = json.loads((coded / "config.json").read_text())
    own_code = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}
    (coded / "config.json").write_text(json.dumps(about | {"model_type": "evil", "auto_map": own_code}))
    (coded / "evil.py").write_text("import pathlib; pathlib.Path('EVIL').touch()")
    return whole, pickled, coded


@pytest.fixture(scope="module")
def answered(repos, tmp_path_factory):
    """One comparison of every kind of repository, so that the libraries are imported once: id → run; hub; process."""
    whole, pickled, coded = repos
    home = tmp_path_factory.mktemp("home")
    names = ("ok", "gated", "missing", "pickled", "coded", "cut", "flaky")
    with FakeHub(
        {
            "team/ok": Repo(whole),
            "team/gated": Repo(whole, gated=True),
            "team/pickled": Repo(pickled),
            "team/coded": Repo(coded),
            "team/cut": Repo(whole, cuts=-1),
            "team/flaky": Repo(whole, cuts=1),
        }
    ) as hub:
        runs, done = compare(hub, home, *(f"team/{name}@bf16" for name in names))
        yield dict(zip(names, runs, strict=True)), hub, done, home


def test_a_model_of_the_fake_hub_is_fetched_and_answers(answered):
    runs, hub, _, _ = answered
    assert runs["ok"]["error"] is None
    assert runs["ok"]["timing"]["output_tokens"] == 4
    assert runs["ok"]["timing"]["load_s"] > 0
    assert "model.safetensors" in hub.repos["team/ok"].got


def test_a_gated_model_of_the_fake_hub_says_to_accept_and_give_a_token(answered):
    error = answered[0]["gated"]["error"]
    assert error["kind"] == "gated"
    assert "HF_TOKEN" in error["remedy"]


def test_a_missing_model_of_the_fake_hub_says_to_check_the_id(answered):
    error = answered[0]["missing"]["error"]
    assert error["kind"] == "not-found"
    assert "team/missing" in error["message"]


def test_a_model_with_pickles_only_is_refused_before_anything_is_fetched_from_the_fake_hub(answered):
    runs, hub, _, _ = answered
    assert runs["pickled"]["error"]["kind"] == "refused"
    assert "pickle" in runs["pickled"]["error"]["message"]
    assert hub.repos["team/pickled"].got == []


def test_a_model_that_brings_its_own_code_is_refused_and_the_code_never_fetched_from_the_fake_hub(answered):
    runs, hub, _, _ = answered
    assert runs["coded"]["error"]["kind"] == "refused"
    assert "evil.py" not in hub.repos["team/coded"].got
    assert not (ROOT / "EVIL").exists()


def test_a_transfer_that_is_always_cut_is_said_and_the_next_column_works_from_the_fake_hub(answered):
    runs, _, done, _ = answered
    assert runs["cut"]["error"]["kind"] in ("endpoint", "refused")
    assert runs["cut"]["error"]["remedy"]
    assert runs["flaky"]["error"] is None  # cut once, taken up again
    assert done.returncode == 1


def test_what_was_fetched_serves_without_the_fake_hub_and_the_token_is_in_no_output(answered, repos):
    _, _, _, home = answered
    with FakeHub({"team/gated": Repo(repos[0], gated=True)}) as hub:
        runs, done = compare(hub, home, "team/gated@bf16", HF_TOKEN="hf_goodtoken")
        assert runs[0]["error"] is None
        assert "Bearer hf_goodtoken" in hub.tokens
        assert "goodtoken" not in done.stdout + done.stderr
        dead = hub.url
    runs, _ = compare(type("Dead", (), {"url": dead}), home, "team/ok@bf16", "team/never@bf16")
    assert runs[0]["error"] is None
    assert any("fetched before" in note for note in runs[0]["notes"])
    assert runs[1]["error"]["kind"] in ("endpoint", "not-found")


def test_without_a_hub_an_id_says_what_works_instead(tmp_path):
    hub = type("None", (), {"url": "http://127.0.0.1:9"})
    runs, _ = compare(hub, tmp_path, "team/ok@bf16", "embedded/decoder@bf16", HF_HUB_OFFLINE="1")
    assert runs[0]["error"]["kind"] == "not-found"
    assert "embedded" in runs[0]["error"]["remedy"]
    assert runs[1]["error"] is None


def test_a_model_that_only_the_fake_hub_knows_is_planned_from_its_configuration_alone(repos, tmp_path):
    indexed = tmp_path / "indexed"
    shutil.copytree(repos[0], indexed)
    (indexed / "model.safetensors.index.json").write_text('{"metadata": {"total_size": 99000000}, "weight_map": {}}')
    with FakeHub(
        {"team/ok": Repo(repos[0]), "team/odd": Repo(indexed), "team/closed": Repo(repos[0], gated=True)}
    ) as hub:
        variables = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        variables |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home")}

        def plan(model):
            command = [sys.executable, "-m", "llmops", "plan", "--model", model, "--context", "512", "--json"]
            done = subprocess.run(command, capture_output=True, text=True, env=variables, cwd=ROOT, timeout=100)
            return json.loads(done.stdout)

        plain, odd, closed = plan("team/ok"), plan("team/odd"), plan("team/closed")
        asked = [hub.repos[name].asked_bytes.get("model.safetensors", 0) for name in ("team/ok", "team/odd")]
    assert plain["error"] is None
    held = (DECODER_DIR / "model.safetensors").stat().st_size
    assert plain["weights_bytes"] == pytest.approx(held, rel=0.01)
    assert plain["notes"] == []
    assert any("0.10 GB" in note for note in odd["notes"])
    assert closed["error"]["kind"] == "gated"
    assert 0 < asked[0] < 0.05 * held  # the header of its one file; an index tells the other's size
    assert asked[1] == 0


_MEANWHILE = """
import json, threading, time
from llmops.compare.comparison import Comparison, run_all
from llmops.core.run_settings import RunSettings
from llmops.core.request import Connection, Generation
from tests.support.pools import make_pool
from llmops.data.builtin import load_builtin
pool, ended, said = make_pool(10**9), {}, []
def ask(candidate, owner):
    options = RunSettings("en", Generation(max_new_tokens=4), Connection(owner=owner))
    comparison = Comparison(pool, load_builtin("medical"), "The chair is needed.", [candidate], options)
    (run,) = run_all(comparison)
    ended[owner] = {"at_s": time.perf_counter() - started, "run": run.to_json(), "said": list(said)}
started = time.perf_counter()
ask("embedded/decoder@bf16", "early")  # libraries are imported, and the model of the second visitor is loaded
fetch = pool.fetch
def watched(candidate, task, connection, report, stop):
    def tell(message, fraction):
        said.append(message)
        report(message, fraction)
    fetch(candidate, task, connection, tell, stop)
pool.fetch = watched
slow = threading.Thread(target=ask, args=("team/slow@bf16", "ada"))
slow.start()
while not any("MB" in message for message in said):
    time.sleep(0.05)
ask("embedded/decoder@bf16", "bob")
slow.join()
print(json.dumps(ended))
"""


def test_another_visitors_run_finishes_while_a_slow_transfer_from_the_fake_hub_goes_on(repos, tmp_path):
    with FakeHub({"team/slow": Repo(repos[0], slow_s=1.0)}) as hub:  # nine seconds for the weights
        done = script(hub, tmp_path, _MEANWHILE)
    assert done.stdout, done.stderr
    ended = json.loads(done.stdout)
    assert ended["ada"]["run"]["error"] is None and ended["bob"]["run"]["error"] is None
    assert ended["bob"]["at_s"] < ended["ada"]["at_s"]
    assert "downloading team/slow: 9 of 9 MB" not in ended["bob"]["said"]  # it was still on its way
    assert "downloading team/slow: 9 of 9 MB" in ended["ada"]["said"]
    assert any("being fetched meanwhile" in note for note in ended["bob"]["run"]["notes"])


_STOPPED = """
import json, threading, time
from llmops.hub import fetch
from llmops.core.request import Connection, Job
from llmops.core.settings import load_settings
stop, said = threading.Event(), []
def report(message, fraction):
    said.append(message)
    if fraction:
        stop.set()
started = time.perf_counter()
try:
    fetch.download("team/slow", Job(Connection(), report, stop), load_settings())
    kind = "none"
except Exception as error:
    kind = getattr(error, "kind", repr(error))
print(json.dumps({"kind": kind, "seconds": time.perf_counter() - started, "said": said}))
"""


def test_stop_while_a_model_is_fetched_from_the_fake_hub_ends_it_soon(repos, tmp_path):
    with FakeHub({"team/slow": Repo(repos[0], slow_s=1.0)}) as hub:  # nine seconds for the weights
        done = script(hub, tmp_path, _STOPPED, timeout=100)
    told = json.loads(done.stdout)
    assert told["kind"] == "stopped"
    assert told["seconds"] < 8
    assert any("MB" in message for message in told["said"])


_LEARNT = """
import json, threading, time
from llmops.core.request import Connection, Job
from llmops.evaluation.curve import CurveSettings, learning_curve
from tests.support.pools import make_pool
from llmops.data.builtin import load_builtin
task, pool, stop, said, points = load_builtin("medical"), make_pool(10**9), threading.Event(), [], []
asked = Connection(owner="ada", hf_token="hf_goodtoken")
def report(message, fraction):
    said.append(message)
def draw():
    settings = CurveSettings(base="team/base", method="few-shot", ks=(2,), seeds=(0,))
    points.extend(learning_curve(pool, task, task.split("test")[:8], settings, Job(asked, report, stop)))
drawing = threading.Thread(target=draw)
with pool.queues.turn("cpu", Job(Connection(owner="bob"), stop=stop)):
    drawing.start()
    while drawing.is_alive() and not any("waiting" in message for message in said):
        time.sleep(0.05)
    early = list(said)
drawing.join()
print(json.dumps({"early": early, "accuracies": [point.accuracy for point in points]}))
"""


def test_a_gated_base_encoder_of_the_fake_hub_is_fetched_with_the_visitors_token_before_the_device_is_free(tmp_path):
    from llmops.engines.encoder.files import embedded_folder

    with FakeHub({"team/base": Repo(embedded_folder(), gated=True)}) as hub:
        done = script(hub, tmp_path, _LEARNT)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert any(message.startswith("downloading team/base") for message in told["early"])
    assert any("waiting" in message for message in told["early"])
    assert len(told["accuracies"]) == 1
    assert "Bearer hf_goodtoken" in hub.tokens
    assert "goodtoken" not in done.stdout + done.stderr
