"""Kept encoders: keep, load, pack, unpack, delete; and what a zip from anywhere may not do."""

import json
import stat
import zipfile

import numpy as np
import pytest

from llmops.core.errors import InputError, ModelNotFound, ModelRefused
from llmops.engines.encoder.head import Head
from llmops.engines.encoder.store import EncoderMeta
from tests.support.kept_encoders import encoder_store

HEAD = Head(("a", "b"), np.arange(6, dtype=np.float64).reshape(2, 3), np.array([0.5, -0.5]))
META = EncoderMeta("t", "few-shot", "embedded/encoder", ("a", "b"), 8, 0, 16, has_body=False)


@pytest.fixture(autouse=True)
def _own_place(tmp_path, monkeypatch):
    monkeypatch.setenv("LLMOPS_DATA", str(tmp_path / "data"))


@pytest.fixture
def packed(tmp_path):
    """A zip as it is downloaded."""
    encoder_store().save("mine", None, HEAD, META)
    return encoder_store().pack("mine", tmp_path)


def _rewrite(packed, target, **changes):
    """A copy of the zip with files replaced or added: name → bytes."""
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if entry.filename not in changes:
                new.writestr(entry, old.read(entry))
        for name, data in changes.items():
            new.writestr(name, data)
    return target


def test_what_is_kept_is_loaded_as_it_was():
    encoder_store().save("mine", None, HEAD, META)
    kept = encoder_store().load("mine")
    assert encoder_store().names() == ("mine",)
    assert kept.meta == META
    assert kept.head.labels == HEAD.labels
    assert np.array_equal(kept.head.coef, HEAD.coef)
    assert np.array_equal(kept.head.intercept, HEAD.intercept)


def test_nothing_that_is_kept_is_a_pickle():
    folder = encoder_store().save("mine", None, HEAD, META)
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["head.safetensors", "meta.json"]


def test_a_download_can_be_brought_back_under_another_name(packed):
    encoder_store().delete("mine")
    assert encoder_store().names() == ()
    encoder_store().unpack(packed, "again")
    assert encoder_store().names() == ("again",)
    assert np.array_equal(encoder_store().load("again").head.coef, HEAD.coef)


def test_a_name_is_taken_once_and_the_old_one_stays(packed):
    with pytest.raises(InputError, match="already"):
        encoder_store().save("mine", None, HEAD, META)
    with pytest.raises(InputError, match="already"):
        encoder_store().unpack(packed, "mine")
    assert np.array_equal(encoder_store().load("mine").head.coef, HEAD.coef)


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "/etc", "a b", ".hidden", "x" * 65, "a..b", "ü", "a\x00"])
def test_a_bad_name_is_refused_everywhere(name, packed):
    for call in (
        lambda: encoder_store().save(name, None, HEAD, META),
        lambda: encoder_store().load(name),
        lambda: encoder_store().delete(name),
    ):
        with pytest.raises(InputError, match="no name"):
            call()
    with pytest.raises(InputError, match="no name"):
        encoder_store().unpack(packed, name)


def test_an_unknown_name_says_what_there_is(packed):
    with pytest.raises(ModelNotFound) as caught:
        encoder_store().load("other")
    assert "mine" in caught.value.remedy


@pytest.mark.parametrize("name", ["../evil.json", "/evil.json", "a/../../evil.json", "a\\..\\evil.json"])
def test_a_zip_that_climbs_out_writes_nothing(packed, tmp_path, name):
    evil = _rewrite(packed, tmp_path / "evil.zip", **{name: b"{}"})
    with pytest.raises(ModelRefused, match="no place"):
        encoder_store().unpack(evil, "new")
    assert not list(tmp_path.rglob("evil.json"))
    assert encoder_store().names() == ("mine",)


@pytest.mark.parametrize("name", ["model_head.pkl", "body/pytorch_model.bin", "run.py", "body/x.so", "noending"])
def test_a_zip_with_a_pickle_or_code_is_refused(packed, tmp_path, name):
    evil = _rewrite(packed, tmp_path / "evil.zip", **{name: b"x"})
    with pytest.raises(ModelRefused, match="no place"):
        encoder_store().unpack(evil, "new")


def test_a_zip_with_a_link_in_it_is_refused(packed, tmp_path):
    link = zipfile.ZipInfo("link.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    evil = tmp_path / "evil.zip"
    evil.write_bytes(packed.read_bytes())
    with zipfile.ZipFile(evil, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ModelRefused, match="no place"):
        encoder_store().unpack(evil, "new")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(packed, tmp_path):
    evil = _rewrite(packed, tmp_path / "evil.zip", **{"big.txt": b"0" * 50_000_000})
    with pytest.raises(ModelRefused, match="too much"):
        encoder_store().unpack(evil, "new")


def test_too_many_files_are_refused(packed, tmp_path):
    evil = _rewrite(packed, tmp_path / "evil.zip", **{f"{n}.txt": b"x" for n in range(60)})
    with pytest.raises(ModelRefused, match="files"):
        encoder_store().unpack(evil, "new")


@pytest.mark.parametrize(
    "changes",
    [
        {"meta.json": b"{"},
        {"meta.json": b"{}"},
        {"meta.json": b"[]"},
        {"head.safetensors": b"not a safetensors file"},
    ],
)
def test_a_damaged_download_is_refused_and_leaves_nothing(packed, tmp_path, changes):
    evil = _rewrite(packed, tmp_path / "evil.zip", **changes)
    with pytest.raises(ModelRefused):
        encoder_store().unpack(evil, "new")
    assert encoder_store().names() == ("mine",)
    assert not [path for path in encoder_store().root.iterdir() if path.name.startswith(".partial")]


def test_a_head_that_does_not_fit_its_labels_is_refused(packed, tmp_path):
    with zipfile.ZipFile(packed) as archive:
        about = json.loads(archive.read("meta.json"))
    about["labels"] = ["a", "b", "c"]
    evil = _rewrite(packed, tmp_path / "evil.zip", **{"meta.json": json.dumps(about).encode()})
    with pytest.raises(ModelRefused, match="labels"):
        encoder_store().unpack(evil, "new")


def test_what_is_no_zip_is_refused(tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(b"no zip at all")
    with pytest.raises(ModelRefused, match="can't be read"):
        encoder_store().unpack(path, "new")
    cut = tmp_path / "cut.zip"
    encoder_store().save("mine", None, HEAD, META)
    cut.write_bytes(encoder_store().pack("mine", tmp_path).read_bytes()[:-30])
    with pytest.raises(ModelRefused, match="can't be read"):
        encoder_store().unpack(cut, "new")
