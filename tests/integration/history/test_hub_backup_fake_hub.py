"""The history in a dataset repository: a hub of the tests' own stands in at the HTTP edge; huggingface_hub is real."""

import json
import os
import subprocess
import sys

from llmops.history.store import History
from tests.support.fake_dataset_hub import GOOD_TOKEN, FakeDatasetHub
from tests.support.history_rows import begin
from tests.support.serving import ROOT

REPO = "team/history"
# Begins to keep, does `then`, ends as an app does: the scheduler commits once more at exit.
_RUN = """
import json, sys, time
from pathlib import Path
from llmops.history import hub_backup
from llmops.history.store import History
from tests.support.history_rows import begin, row
path = Path(sys.argv[1])
kept = hub_backup.keep(path, "{repo}", "{token}", every_min=60)
while kept.scheduler and not hasattr(kept.scheduler, "last_future"):  # its first turn is before anything is written
    time.sleep(0.01)
if kept.scheduler:
    kept.scheduler.last_future.result()
{then}
if kept.scheduler:
    kept.scheduler.trigger().result()
    kept.scheduler.trigger().result()
print(json.dumps([kept.said, [one.note for one in History(path).evaluations.newest()]]))
"""


def run(hub, tmp_path, name, then="", token=GOOD_TOKEN):
    variables = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    variables |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / f"home-{name}")}
    code = _RUN.format(repo=REPO, token=token, then=then)
    command = [sys.executable, "-c", code, str(tmp_path / name / "history.sqlite")]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1]), done.stderr


def test_a_fake_hub_keeps_the_history_privately_and_a_blank_machine_begins_with_it(tmp_path):
    write = (
        "e = History(path).evaluations; begin(History(path)); e.add_rows(1, [row()]); e.annotate(1, 'from the first')"
    )
    with FakeDatasetHub() as hub:
        (said, notes), _ = run(hub, tmp_path, "first", write)
        assert (said, notes) == (f"The history is kept in the private dataset {REPO}.", ["from the first"])
        assert hub.private == {REPO: True}
        assert set(hub.repos[REPO]) == {"history.sqlite"}
        assert hub.commits == 1  # nothing new: no commit
        assert GOOD_TOKEN.encode() not in hub.repos[REPO]["history.sqlite"]
        (said, notes), _ = run(hub, tmp_path, "second")
        assert "was fetched from it" in said
        assert notes == ["from the first"]
        (tmp_path / "third").mkdir()
        begin(History(tmp_path / "third" / "history.sqlite"))
        (_, notes), _ = run(hub, tmp_path, "third")
        assert notes == [""]  # a machine that has a history keeps its own


def test_a_public_repository_a_wrong_token_and_a_broken_file_of_a_fake_hub_leave_the_app_as_it_was(tmp_path):
    with FakeDatasetHub() as hub:
        (said, _), logged = run(hub, tmp_path, "wrong", token="hf_wrongwrong")
        assert said.startswith(f"The history is not kept in {REPO}")
        assert "hf_wrongwrong" not in said + logged
        hub.repos[REPO], hub.private[REPO] = {"history.sqlite": b"no database" * 99}, False
        (said, _), _ = run(hub, tmp_path, "public")
        assert "is public. Make it private" in said
        hub.private[REPO] = True
        (said, notes), _ = run(hub, tmp_path, "broken")
        assert "not a database" in said
        assert notes == []
        assert hub.repos[REPO]["history.sqlite"].startswith(b"no database")


def test_no_hub_in_reach_is_said(tmp_path):
    with FakeDatasetHub() as hub:
        pass
    (said, notes), _ = run(hub, tmp_path, "alone")
    assert said.startswith(f"The history is not kept in {REPO}")
    assert notes == []
