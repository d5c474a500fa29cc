"""Datasets of a hub: a fake hub of the tests' own stands in at the HTTP edge; `datasets` is real."""

import io
import os
from pathlib import Path

import pytest

from llmops.core.errors import LlmopsError
from llmops.core.settings import Settings
from tests.support.fake_dataset_hub import GOOD_TOKEN, FakeDatasetHub
from tests.support.fresh_process import in_fresh_process

_CONFIGS = (
    "---\nconfigs:\n- config_name: en\n  data_files: en/*.parquet\n- config_name: de\n  data_files: de/*.parquet\n---\n"
)
_LENGTH = 200


def _read(references, most, sample):
    """Of each reference its notes and rows, or its error; in a process of its own, for the hub's address."""
    from llmops.cli.reference import read_reference

    found = {}
    for reference in references:
        try:
            table = read_reference(reference, Settings(Path("unused"), max_rows=most), sample=sample)
            found[reference] = (table.notes, table.rows)
        except LlmopsError as error:
            found[reference] = (type(error).__name__, f"{error.message} {error.remedy}")
    return found


def _parquet(rows):
    """Texts that no compression makes short."""
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features({"text": Value("string"), "label": ClassLabel(names=["no", "yes"])})
    texts = [f"{number} {os.urandom(_LENGTH // 2).hex()}" for number in range(rows)]
    file = io.BytesIO()
    Dataset.from_dict({"text": texts, "label": [n % 2 for n in range(rows)]}, features).to_parquet(file)
    return file.getvalue()


@pytest.fixture(scope="module")
def hub():
    with FakeDatasetHub() as hub:
        hub.repos["team/set"] = {
            "README.md": b"---\nlicense: mit\n---\n",
            "data/train-00000-of-00002.parquet": _parquet(20),
            "data/train-00001-of-00002.parquet": _parquet(50_000),
            "data/test-00000-of-00001.parquet": _parquet(4),
        }
        hub.repos["team/many"] = {"README.md": _CONFIGS.encode(), "en/test.parquet": _parquet(3)}
        hub.repos["team/many"]["de/test.parquet"] = _parquet(2)
        hub.repos["team/code"] = {"code.py": b"raise SystemExit('never run')\n"}
        hub.repos["team/nothing-to-read"] = {"notes.bin": b"x"}
        hub.repos["team/gated"] = {"test.csv": b"text,label\none,a\ntwo,b\n"}
        hub.gated.add("team/gated")
        yield hub


@pytest.fixture
def read(hub, tmp_path):
    def _in_process(*references, most=10, sample="first", **variables):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        environment = kept | {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path)} | variables
        return in_fresh_process(_read, references, most, sample, environment=environment)

    return _in_process


def test_a_fake_hubs_dataset_is_read_by_split_and_configuration_with_its_labels_names(read):
    found = read("team/set", "team/many/de:train", "team/many/en")
    notes, rows = found["team/set"]
    assert notes == ("The split “test” is read; there are: train, test.",)
    assert [label for _, label in rows] == ["no", "yes", "no", "yes"]
    assert [len(found[name][1]) for name in ("team/many/de:train", "team/many/en")] == [2, 3]


def test_of_a_large_dataset_of_a_fake_hub_only_the_beginning_is_fetched(read, hub):
    notes, rows = read("team/set:train")["team/set:train"]
    assert len(rows) == 10
    assert notes[-1] == "The dataset has more than 10 rows; the first 10 are read."
    large = "data/train-00001-of-00002.parquet"
    assert hub.sent_bytes.get(large, 0) < len(hub.repos["team/set"][large]) / 2


def test_a_stratified_sample_of_a_fake_hubs_dataset_is_made_only_where_all_of_it_is_read(read):
    found = read("team/set:train", "team/set:test", sample="stratified")
    assert len(found["team/set:test"][1]) == 4
    assert found["team/set:train"][0] == "InputError"
    assert "save_to_disk" in found["team/set:train"][1]


def test_what_a_fake_hub_has_not_or_keeps_is_said_with_a_remedy(read):
    said = {
        "team/set:dev": ("TaskFileError", "no split “dev”"),
        "team/many": ("InputError", "there are: en, de"),
        "team/many/fr": ("InputError", "no configuration “fr”"),
        "team/missing": ("InputError", "is no file or folder here, and the hub has no dataset of that name"),
        "team/code": ("TaskFileError", "wants to run its own code"),
        "team/nothing-to-read": ("TaskFileError", "has no data files"),
        "team/gated": ("TaskFileError", "Accept its licence"),
        "no reference at all": ("InputError", "OWNER/NAME:SPLIT"),
    }
    found = read(*said)
    for reference, (kind, words) in said.items():
        assert found[reference][0] == kind, found[reference]
        assert words in found[reference][1]


def test_the_owners_token_opens_a_gated_dataset_of_a_fake_hub(read):
    assert read("team/gated", HF_TOKEN=GOOD_TOKEN)["team/gated"][1] == (("one", "a"), ("two", "b"))


@pytest.mark.parametrize("variables", [{"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": "http://127.0.0.1:9"}])
def test_without_a_hub_in_reach_it_is_said_soon(read, variables):
    kind, said = read("team/set", **variables)["team/set"]
    assert kind == "EndpointError"
    assert "could not be reached" in said
