"""Quantized copies on disk: the same model, nothing quantized again; a changed source or a damaged copy has none."""

import shutil

import pytest
import torch

from llmops.core.candidate import parse_candidate
from llmops.core.request import Job
from llmops.core.settings import load_settings
from llmops.data.builtin import load_builtin
from llmops.engines.decoder import quantized_copies
from llmops.engines.decoder.engine import make
from tests.support import models

TASK = load_builtin("medical")
SAID = "Read from a copy"


def load(folder, precision="nf4"):
    candidate = parse_candidate(f"{folder}@{precision}")
    return make(load_settings()).load(candidate, TASK, Job())


def logits(model):
    with torch.inference_mode():
        return model._model(torch.arange(5, 25)[None]).logits


def copies():
    root = load_settings().data_dir / "quantized"
    return sorted(path for path in root.iterdir()) if root.is_dir() else []


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LLMOPS_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(quantized_copies, "_MIN_SOURCE_BYTES", 1)
    return models.llama(tmp_path / "llama", hidden_size=128)


def test_the_second_load_reads_the_copy_and_is_the_same_model(folder):
    first = load(folder)
    assert not any(SAID in note for note in first.notes)
    (copy,) = copies()
    assert {file.suffix for file in copy.iterdir() if "." in file.name} == {".json", ".safetensors"}
    before = logits(first)
    second = load(folder)
    assert any(SAID in note for note in second.notes)
    assert torch.equal(logits(second), before)
    second.warm_up()
    assert second.weights_bytes == (first.warm_up(), first.weights_bytes)[1]
    load(folder, "fp32")
    assert copies() == [copy]


def test_a_changed_source_gets_a_copy_of_its_own_and_a_damaged_copy_is_made_again(folder):
    load(folder)
    (copy,) = copies()
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    again = load(folder)
    assert not any(SAID in note for note in again.notes)
    assert any(SAID in note for note in load(folder).notes)
    shutil.copytree(models.llama(folder.parent / "other", hidden_size=128, seed=1), folder, dirs_exist_ok=True)
    changed = load(folder)
    assert not any(SAID in note for note in changed.notes)
    assert len(copies()) == 2


def test_copies_stay_under_their_share_of_the_disk_and_a_disk_without_room_costs_no_answer(folder, monkeypatch):
    load(folder)
    (old,) = copies()
    size = sum(file.stat().st_size for file in old.iterdir())
    total = shutil.disk_usage(folder).total
    monkeypatch.setattr(quantized_copies, "_DISK_SHARE", 1.5 * size / total)
    other = models.llama(folder.parent / "other", hidden_size=128, seed=1)
    load(other)
    (left,) = copies()
    assert left != old
    monkeypatch.setattr(quantized_copies, "_DISK_SHARE", 0.0)
    assert load(folder).weights_bytes
    assert not [path for path in copies() if path.name.startswith(".partial")]
