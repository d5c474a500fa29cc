"""A dataset of the hub as a table: streamed from its beginning and no further than rows are read; nothing is kept.

Only data files are read: a dataset that needs code of its own is refused. On a public page none is read at all.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from llmops.core.errors import EndpointError, InputError, LlmopsError, ModelRefused, TaskFileError
from llmops.core.request import Connection
from llmops.core.settings import Settings
from llmops.data.datasets_library import chosen_split, first_note
from llmops.data.row_sample import Sample
from llmops.data.table import Table, build_table
from llmops.data.typed_rows import text_columns, typed_rows
from llmops.hub.allowed import folders_allowed
from llmops.hub.errors import causes
from llmops.hub.fetch import hub_token

if TYPE_CHECKING:
    from datasets import IterableDataset

_WORD = r"[A-Za-z0-9][\w.-]*"
_ID = re.compile(rf"(?P<repo>{_WORD}/{_WORD})(?:/(?P<config>{_WORD}))?(?::(?P<split>\w[\w.]*))?")
_HUB_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class DatasetId:
    """owner/name of a dataset of the hub; config and split: None where none is named."""

    repo: str
    config: str | None = None
    split: str | None = None

    @property
    def name(self) -> str:
        """Its own, without the owner's."""
        return self.repo.split("/")[1]


def dataset_id(reference: str) -> DatasetId | None:
    """owner/name, owner/name:split, owner/name/config or owner/name/config:split; None of other words."""
    found = _ID.fullmatch(reference)
    if found is None or ".." in reference or "--" in found["repo"]:
        return None
    return DatasetId(found["repo"], found["config"], found["split"])


def read_hub_dataset(asked: DatasetId, limits: Settings, sample: Sample = "first") -> Table:
    """The first limits.max_rows rows of a split; without one named, test, else the first split.

    Raises InputError (no such dataset, configuration or sample), TaskFileError (gated, no such split, unreadable),
    EndpointError (no hub in reach), ModelRefused on a public page.
    """
    if not folders_allowed(limits):
        raise ModelRefused("Datasets of the hub are not read on a public page.", "Upload a file.")
    token = hub_token(Connection())
    try:
        _check(asked.repo, token)
        splits = _splits(asked, token)
        split, notes = chosen_split(list(splits), asked.split, asked.repo)
        return _first_rows(splits[split], split, limits.max_rows, sample, notes)
    except LlmopsError:
        raise
    except Exception as error:
        raise _explain(error, asked.repo) from error


def _check(repo: str, token: str | bool) -> None:
    """Ask first: without a hub in reach, and of a dataset that is not there, `datasets` retries for long."""
    from huggingface_hub import HfApi

    HfApi().dataset_info(repo, token=token, timeout=_HUB_TIMEOUT_S)
    HfApi().auth_check(repo, repo_type="dataset", token=token)


def _splits(asked: DatasetId, token: str | bool) -> Mapping[str, "IterableDataset"]:
    """Split → its rows, none of them read yet. The prefix says that a folder of that name is not meant."""
    import datasets

    name = f"hf://datasets/{asked.repo}"
    try:
        found: Mapping[str, IterableDataset] = datasets.load_dataset(name, asked.config, streaming=True, token=token)
    except ValueError as error:
        configs = datasets.get_dataset_config_names(name, token=token)
        if asked.config is None and len(configs) > 1:
            what = f"“{asked.repo}” has {len(configs)} configurations, and none is named."
        elif asked.config is not None and asked.config not in configs:
            what = f"“{asked.repo}” has no configuration “{asked.config}”."
        else:
            raise
        listed = ", ".join(configs[:20]) + (", …" if len(configs) > 20 else "")
        raise InputError(what, f"Write {asked.repo}/CONFIGURATION; there are: {listed}.") from error
    return found


def _first_rows(stream: "IterableDataset", split: str, most: int, sample: Sample, notes: list[str]) -> Table:
    features = {} if stream.features is None else stream.features.to_dict()
    if features:
        columns, left_out = text_columns(list(features), features)
        stream = stream.select_columns(columns)
    read = list(islice(stream, most + 1))  # one more says that there are more
    if not features:
        columns, left_out = list(dict.fromkeys(chain.from_iterable(read))), []
    rows = ((number, [row.get(column) for column in columns]) for number, row in enumerate(read[:most], 1))
    table = build_table(typed_rows(columns, rows, features), None)
    if len(read) > most:
        if sample != "first":
            raise InputError(
                f"The dataset has more than {most:,} rows, and a stratified sample would need all of them.",
                "Read the first rows, or save it to a folder with `save_to_disk` and give that.",
            )
        said = (stream.info.splits or {}).get(split)
        rows_said = said.num_examples if said is not None else 0
        more = f"The dataset has more than {most:,} rows; the first {most:,} are read."
        notes = [*notes, first_note(rows_said, most) if rows_said > most else more]
    return replace(table, notes=(*notes, *left_out, *table.notes))


def _explain(error: BaseException, repo: str) -> LlmopsError:
    from datasets import exceptions
    from huggingface_hub import errors as hub

    found = list(causes(error))

    def is_one(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in found)

    if is_one(hub.GatedRepoError):
        return TaskFileError(
            f"“{repo}” is gated.", "Accept its licence on the hub, and give a token that may read it (HF_TOKEN)."
        )
    if is_one(hub.RepositoryNotFoundError):
        return InputError(
            f"“{repo}” is no file or folder here, and the hub has no dataset of that name, or it is private.",
            "Check path or id; give a token if it is private.",
        )
    words = " ".join(type(cause).__name__ for cause in found)  # of which HTTP library, is the hub's client's choice
    broken = is_one(hub.OfflineModeIsEnabled, hub.HfHubHTTPError, ConnectionError, TimeoutError)
    if broken or re.search("Connect|Timeout|ProtocolError|ReadError", words):
        return EndpointError(
            f"“{repo}” is no file or folder here, and the hub could not be reached, or broke off.",
            "Retry, or give a file or a folder.",
        )
    remedy = "Give a file or a folder that `save_to_disk` wrote."
    if any("scripts are no longer supported" in str(cause) for cause in found):
        return TaskFileError(f"“{repo}” wants to run its own code, which is never done here.", remedy)
    if is_one(exceptions.DataFilesNotFoundError):
        return TaskFileError(f"“{repo}” has no data files that can be read.", remedy)
    first = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
    return TaskFileError(f"The dataset “{repo}” can't be read: {first}", remedy)
