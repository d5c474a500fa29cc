"""What a visitor has going, and what belongs to whom."""

import dataclasses
import json
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from llmops.core.candidate import parse_candidate
from llmops.core.errors import InputError, LlmopsError, ModelNotFound, TooMuch
from llmops.core.run import Run
from llmops.core.settings import Settings, load_settings
from llmops.data.builtin import load_builtin
from llmops.engines.encoder.engine import make
from llmops.history.evaluations import Row
from llmops.history.store import History
from llmops.probes.context import GivenContext
from llmops.probes.load import GivenLoad
from llmops.public import crash_notice, retention
from llmops.public.quotas import Quotas, Visitor
from tests.support.kept_encoders import encoder_store, keep_encoder

ONE, OTHER = "v-1111111111111111111111111", "v-2222222222222222222222222"


@pytest.fixture
def public(monkeypatch, tmp_path):
    monkeypatch.setenv("LLMOPS_PUBLIC", "1")
    monkeypatch.setenv("LLMOPS_DATA", str(tmp_path))
    return tmp_path


def test_a_visitor_has_so_many_runs_and_jobs_and_another_has_his_own(public, monkeypatch):
    monkeypatch.setenv("LLMOPS_VISITOR_RUNS", "3")
    quotas, quiet = Quotas(load_settings()), lambda: None
    with quotas.runs(Visitor(ONE), 2, quiet):
        with pytest.raises(TooMuch, match=r"2 more runs.*3"), quotas.runs(Visitor(ONE), 2, quiet):
            pass
        with quotas.runs(Visitor(OTHER), 2, quiet), quotas.runs(Visitor(ONE), 1, quiet):
            pass
    with quotas.runs(Visitor(ONE), 3, quiet), quotas.job(Visitor(ONE), quiet):
        with pytest.raises(TooMuch, match="one evaluation, probe or training"), quotas.job(Visitor(ONE), quiet):
            pass
        with quotas.job(Visitor(OTHER), quiet):
            pass


def test_who_leaves_stops_what_that_page_has_going_and_nothing_else(public):
    quotas = Quotas(load_settings())
    mine, other_tab, others = threading.Event(), threading.Event(), threading.Event()
    with (
        quotas.runs(Visitor(ONE, "page"), 1, mine.set),
        quotas.runs(Visitor(ONE, "other tab"), 1, other_tab.set),
        quotas.job(Visitor(OTHER, "others"), others.set),
    ):
        quotas.session_ended("page")
        quotas.session_ended("nobody")
        assert [event.is_set() for event in (mine, other_tab, others)] == [True, False, False]
    quotas.session_ended("others")
    assert not others.is_set()


def test_a_kept_encoder_is_its_owners_alone(public):
    keep_encoder("mine", ONE)
    assert encoder_store(ONE).names() == ("mine",)
    assert encoder_store(OTHER).names() == encoder_store().names() == ()
    with pytest.raises(ModelNotFound):
        encoder_store(OTHER).load("mine")
    encoder_store(OTHER).delete("mine")
    keep_encoder("mine", OTHER)  # the same name is free
    task, text = load_builtin("medical"), parse_candidate("trained/mine@fp32")
    engine = make(load_settings())
    assert engine.key(text.owned_by(ONE), task) != engine.key(text.owned_by(OTHER), task)
    assert str(text.owned_by(ONE)) == "trained/mine@fp32"


@pytest.mark.parametrize("owner", ["../x", "a/b", ".", "v-1\n"])
def test_an_owner_is_no_path(public, owner):
    with pytest.raises(ValueError, match="owner"):
        encoder_store(owner)


def test_kept_encoders_have_so_much_disk_and_what_is_too_much_leaves_nothing(public, monkeypatch):
    monkeypatch.setenv("LLMOPS_VISITOR_DISK_MB", "1")
    keep_encoder("small", ONE)
    with pytest.raises(TooMuch, match="1 MB"):
        keep_encoder("big", ONE, size=200_000)
    assert encoder_store(ONE).names() == ("small",)
    assert [path.name for path in encoder_store(ONE).root.iterdir()] == ["small"]
    keep_encoder("big", ONE, size=10)


def test_probes_of_a_public_page_are_bounded(public):
    limits = load_settings()
    with pytest.raises(TooMuch, match="requests"):
        GivenLoad.within({"levels": [1, 2], "requests_each": 1000}, limits)
    with pytest.raises(InputError, match="tokens"):
        GivenContext.within({"lengths": [1_000_000]}, limits)
    with pytest.raises(InputError, match="take turns"):
        GivenLoad.within({"all_at_once": True}, limits)
    private = dataclasses.replace(Settings(public))
    assert GivenLoad.within({"levels": [1, 2], "requests_each": 1000}, private)


def test_a_killed_process_is_told_at_the_next_start_with_what_was_not_finished(tmp_path, monkeypatch):
    monkeypatch.setenv("LLMOPS_DATA", str(tmp_path))
    settings = Settings(tmp_path)
    assert crash_notice.begin(tmp_path) == crash_notice.ENDED_WELL
    gone = {"pid": 2**22 + 7, "created": 0.0, "began": "2026-01-01T00:00:00+00:00"}
    (tmp_path / "running.json").write_text(json.dumps(gone))
    (tmp_path / "encoders" / ".partial-x").mkdir(parents=True)
    _unfinished(History(settings.history_path))
    found = crash_notice.begin(tmp_path)
    said = crash_notice.notices(found, settings, "")
    assert "ended without warning" in said[0]
    assert "Evaluation 1 was not finished: 1 of 2 answers" in said[1]
    assert crash_notice.notices(found, settings, ONE) == said[:1]  # it is not this visitor's
    assert list((tmp_path / "encoders").iterdir()) == []
    (tmp_path / "running.json").unlink()
    assert crash_notice.notices(crash_notice.begin(tmp_path), settings, "") == []


@pytest.mark.parametrize("written", ["", "{", "[]", '{"pid": "x", "created": 0, "began": 1}'])
def test_a_state_file_that_was_cut_short_counts_as_a_bad_end(tmp_path, written):
    (tmp_path / "running.json").write_text(written)
    assert crash_notice.begin(tmp_path).began


def test_a_nearly_full_disk_and_a_damaged_encoder_are_said(public, monkeypatch):
    keep_encoder("mine", ONE)
    head = encoder_store(ONE).root / "mine" / "head.safetensors"
    head.write_bytes(head.read_bytes()[:-3])
    usage = SimpleNamespace(total=1, used=1, free=5_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda place: usage)
    said = crash_notice.notices(crash_notice.ENDED_WELL, load_settings(), ONE)
    assert any("nearly full: 5 MB" in notice for notice in said)
    assert any("“mine” is damaged" in notice for notice in said)
    with pytest.raises(LlmopsError):
        encoder_store(ONE).load("mine")


def test_what_visitors_left_is_deleted_after_some_days_and_the_owners_own_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("LLMOPS_DATA", str(tmp_path))
    settings = Settings(tmp_path, keep_days=30)
    for owner in ("", ONE):
        _unfinished(History(settings.history_path, owner))
        keep_encoder("mine", owner)
    now = datetime.now(UTC)
    assert retention.expire(settings, now) == 0
    assert retention.expire(Settings(tmp_path), now + timedelta(days=31)) == 0  # a private page keeps everything
    assert retention.expire(settings, now + timedelta(days=31)) == 2
    assert History(settings.history_path, ONE).evaluations.newest() == []
    assert len(History(settings.history_path).evaluations.newest()) == 1
    assert (encoder_store(ONE).names(), encoder_store().names()) == ((), ("mine",))


def _unfinished(history):
    """An evaluation of two texts of which one is answered."""
    from llmops.history.sets import LabelledSet
    from tests.support.history_rows import begin

    task = load_builtin("medical")
    texts = task.split("test")[:2]
    labelled = LabelledSet.of(task, texts)
    settings = {"repeats": 1}
    number = begin(
        history, labelled, task_id="medical", labels=task.label_ids, data_hash=labelled.hash, settings=settings
    )
    example = texts[0]
    row = Row("c", 0, 0, example.text, example.language, example.label, example.label, False, False, "", Run("c"))
    history.evaluations.add_rows(number, [row])
