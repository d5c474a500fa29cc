"""Models from a hub: a small server of the tests' own stands in for it, at the HTTP edge; everything else is real."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from llmops.api.planning import plan_data
from llmops.compare.comparison import Comparison, run_all
from llmops.core.errors import LlmopsError
from llmops.core.events import Loading
from llmops.core.request import Connection, Generation, Job
from llmops.core.run_settings import RunSettings
from llmops.core.settings import load_settings
from llmops.data.builtin import load_builtin
from llmops.embedded import DECODER_DIR
from llmops.engines.encoder.files import embedded_folder
from llmops.evaluation.curve import CurveSettings, learning_curve
from llmops.hub import fetch
from tests.support.commands import run_command
from tests.support.fake_hub import FakeHub, Repo
from tests.support.fresh_process import in_fresh_process
from tests.support.pools import make_pool
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


def test_without_a_hub_an_id_says_what_works_instead(capfd, monkeypatch):
    """In this process, which knows no hub."""
    asked = ("--candidate", "team/ok@bf16", "--candidate", "embedded/decoder@bf16", "--json", "--max-new-tokens", "4")
    runs = json.loads(run_command(capfd, monkeypatch, "compare", *asked, TEXT).stdout)["runs"]
    assert runs[0]["error"]["kind"] == "not-found"
    assert "embedded" in runs[0]["error"]["remedy"]
    assert runs[1]["error"] is None


@pytest.fixture(scope="module")
def worked(repos, tmp_path_factory):
    """What `_work` returned beside a hub of its own; the hub; all that was printed meanwhile."""
    folder = tmp_path_factory.mktemp("worked")
    indexed = folder / "indexed"
    shutil.copytree(repos[0], indexed)
    (indexed / "model.safetensors.index.json").write_text('{"metadata": {"total_size": 99000000}, "weight_map": {}}')
    kinds = {
        "team/ok": Repo(repos[0]),
        "team/odd": Repo(indexed),
        "team/closed": Repo(repos[0], gated=True),
        "team/slow": Repo(repos[0], slow_s=5),  # 45 seconds for the weights, unless released
        "team/stopped": Repo(repos[0], slow_s=0.2),
        "team/base": Repo(embedded_folder(), gated=True),
    }
    with FakeHub(kinds) as hub:
        variables = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        variables |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "home")}
        log = folder / "log.txt"
        results = in_fresh_process(_work, hub.url, log, environment=variables)
        yield results, hub, log.read_text()


def _work(url, log):
    """All that needs a process which knows the hub, so that the libraries are imported once: name → result."""
    with log.open("wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    works = (_plan, _stop_a_transfer, _run_beside_a_transfer, _draw_a_curve, _run_a_gated_model, _run_without_the_hub)
    return {work.__name__: work(url) for work in works}


def _plan(url):
    return {
        name: json.loads(json.dumps(plan_data(load_settings(public=False), {"model": f"team/{name}", "context": 512})))
        for name in ("ok", "odd", "closed")
    }


def test_a_model_that_only_the_fake_hub_knows_is_planned_from_its_configuration_alone(worked):
    results, hub, _ = worked
    plain, odd, closed = (results["_plan"][name] for name in ("ok", "odd", "closed"))
    asked = [hub.repos[name].asked_bytes.get("model.safetensors", 0) for name in ("team/ok", "team/odd")]
    assert plain["error"] is None
    held = (DECODER_DIR / "model.safetensors").stat().st_size
    assert plain["weights_bytes"] == pytest.approx(held, rel=0.01)
    assert plain["notes"] == []
    assert any("0.10 GB" in note for note in odd["notes"])
    assert closed["error"]["kind"] == "gated"
    assert 0 < asked[0] < 0.05 * held  # the header of its one file; an index tells the other's size
    assert asked[1] == 0


def _run_beside_a_transfer(url):
    """Ada's model is on its way when Bob's run begins; it arrives once Bob's has ended."""
    pool, began, ended = make_pool(10**9), threading.Event(), []

    def ask(candidate, owner):
        settings = RunSettings("en", Generation(max_new_tokens=4), Connection(owner=owner))
        comparison = Comparison(pool, load_builtin("medical"), TEXT, [candidate], settings)
        comparison.start()
        messages = []
        for update in comparison.updates():
            event = getattr(update, "event", None)
            if isinstance(event, Loading):
                messages.append(event.message)
                if "MB" in event.message:
                    began.set()
        ended.append({"owner": owner, "run": event.run.to_json(), "messages": messages})

    ada = threading.Thread(target=ask, args=("team/slow@bf16", "ada"))
    ada.start()
    assert began.wait(60)
    ask("embedded/decoder@bf16", "bob")
    with urllib.request.urlopen(f"{url}/release"):
        ada.join()
    return ended


def test_another_visitors_run_finishes_while_a_slow_transfer_from_the_fake_hub_goes_on(worked):
    bob, ada = worked[0]["_run_beside_a_transfer"]
    assert (bob["owner"], ada["owner"]) == ("bob", "ada")
    assert bob["run"]["error"] is None and ada["run"]["error"] is None
    assert "downloading team/slow: 9 of 9 MB" in ada["messages"]
    assert any("being fetched meanwhile" in note for note in bob["run"]["notes"])


def _stop_a_transfer(url):
    stop, messages = threading.Event(), []

    def report(message, fraction):
        messages.append(message)
        if fraction:
            stop.set()

    try:
        fetch.download("team/stopped", Job(Connection(), report, stop), load_settings())
    except LlmopsError as error:
        return error.kind, messages
    return "not stopped", messages


def test_stop_while_a_model_is_fetched_from_the_fake_hub_ends_it_before_it_is_here(worked):
    kind, messages = worked[0]["_stop_a_transfer"]
    assert kind == "stopped"
    assert any("MB" in message for message in messages)
    assert not any("9 of 9 MB" in message for message in messages)


def _draw_a_curve(url):
    """(messages while Bob still has the device, accuracies): Ada's base encoder is gated, her token may read it."""
    task, pool, messages, points = load_builtin("medical"), make_pool(10**9), [], []
    asked = Job(Connection(owner="ada", hf_token="hf_goodtoken"), lambda message, fraction: messages.append(message))
    settings = CurveSettings(base="team/base", method="few-shot", ks=(2,), seeds=(0,))

    def draw():
        points.extend(learning_curve(pool, task, task.split("test")[:8], settings, asked))

    drawing = threading.Thread(target=draw)
    with pool.queues.turn("cpu", Job(Connection(owner="bob"))):
        drawing.start()
        while drawing.is_alive() and not any("waiting" in message for message in messages):
            time.sleep(0.05)
        early = list(messages)
    drawing.join()
    return early, [point.accuracy for point in points]


def test_a_gated_base_encoder_of_the_fake_hub_is_fetched_with_the_visitors_token_before_the_device_is_free(worked):
    results, hub, printed = worked
    early, accuracies = results["_draw_a_curve"]
    assert any(message.startswith("downloading team/base") for message in early)
    assert any("waiting" in message for message in early)
    assert len(accuracies) == 1
    assert "Bearer hf_goodtoken" in hub.tokens
    assert "goodtoken" not in printed


def _run(*candidates):
    settings = RunSettings("en", Generation(max_new_tokens=4))
    comparison = Comparison(make_pool(10**9), load_builtin("medical"), TEXT, list(candidates), settings)
    return [run.to_json() for run in run_all(comparison)]


def _run_a_gated_model(url):
    os.environ["HF_TOKEN"] = "hf_goodtoken"  # the owner's
    return _run("team/closed@bf16")


def test_a_gated_model_of_the_fake_hub_runs_with_the_owners_token_which_is_in_no_output(worked):
    results, hub, printed = worked
    (run,) = results["_run_a_gated_model"]
    assert run["error"] is None
    assert "Bearer hf_goodtoken" in hub.tokens
    assert "goodtoken" not in printed + json.dumps(run)


def _run_without_the_hub(url):
    urllib.request.urlopen(f"{url}/die").close()
    return _run("team/slow@bf16", "team/never@bf16")


def test_what_was_fetched_serves_once_the_fake_hub_is_out_of_reach(worked):
    fetched, never = worked[0]["_run_without_the_hub"]
    assert fetched["error"] is None
    assert any("fetched before" in note for note in fetched["notes"])
    assert never["error"]["kind"] in ("endpoint", "not-found")
