"""A Parquet file as rows of text. One that `datasets` wrote says in its metadata which numbers are labels."""

import json
from collections.abc import Mapping
from pathlib import Path

from llmops.core.errors import TaskFileError
from llmops.data.table import RawRows
from llmops.data.typed_rows import Features, text_columns, typed_rows


def parquet_rows(path: Path) -> RawRows:
    """Raises TaskFileError for what is no Parquet."""
    import pandas
    import pyarrow.parquet

    try:
        schema = pyarrow.parquet.read_schema(path)
        features = _features((schema.metadata or {}).get(b"huggingface", b""))
        columns, notes = text_columns(schema.names, features)
        frame = pandas.read_parquet(path, columns=columns if notes else None)
    except Exception as error:
        raise TaskFileError(f"The Parquet file can't be read ({type(error).__name__}).", "Write it again.") from error
    rows = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return typed_rows(list(frame.columns), enumerate(rows, 1), features, notes)


def _features(metadata: bytes) -> Features:
    """Nothing of metadata that are not as `datasets` writes them: the file is read without."""
    try:
        found = json.loads(metadata)
        features = found["info"]["features"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}
    return features if isinstance(features, Mapping) else {}
