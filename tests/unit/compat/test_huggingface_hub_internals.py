"""How a download tells how far it is; whole downloads: integration/hub/test_fetch_fake_hub."""

import inspect
import re
from pathlib import Path

import pytest
from huggingface_hub import constants, file_download
from huggingface_hub.utils.tqdm import _create_progress_bar

from llmops.compat import huggingface_hub_internals


def test_chunks_still_have_ten_mib_and_are_read_anew_for_each_file(monkeypatch):
    source = Path(constants.__file__).read_text(encoding="utf-8")
    assert re.search(r"^DOWNLOAD_CHUNK_SIZE = 10 \* 1024 \* 1024$", source, re.MULTILINE), "is report_often needed?"
    assert "chunk_size=constants.DOWNLOAD_CHUNK_SIZE" in inspect.getsource(file_download)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 10 * 2**20)
    huggingface_hub_internals.report_often()
    assert constants.DOWNLOAD_CHUNK_SIZE == 2**20


class LeftError(Exception):
    """The visitor pressed Stop."""


def test_bytes_are_told_files_are_not_and_a_check_may_end_it(capfd):
    told, left = [], []

    def check():
        if left:
            raise LeftError

    bars = huggingface_hub_internals.progress_class(lambda here, whole: told.append((here, whole)), check)
    with _create_progress_bar(cls=bars, log_level=20, name="x", desc="bytes", total=0, unit="B") as of_bytes:
        of_bytes.update(5)
        assert told == []  # how much it is in all is not known yet
        of_bytes.total = 100
        of_bytes.update(20)
        assert told == [(25, 100)]
        left.append(True)
        with pytest.raises(LeftError):
            of_bytes.update(1)
    left.clear()
    with _create_progress_bar(cls=bars, log_level=20, name="x", desc="files", total=3) as of_files:
        of_files.update(1)
    assert told == [(25, 100)]
    assert capfd.readouterr() == ("", "")
