"""Texts as an encoder reads them: whole, cut, or in windows whose vectors are averaged."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from llmops.core.errors import ContextTooLong
from llmops.core.long_texts import TOO_LONG_REMEDY, LongTexts, windows_of
from llmops.engines.encoder.body import Body, embed_all

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Reading:
    """One text: its parts with their token ids, what it has in tokens, and how many of them are read."""

    parts: tuple[str, ...]
    ids: tuple[list[int], ...]
    tokens: int
    read_tokens: int
    note: str = ""


def read_text(body: Body, text: str, long_texts: LongTexts, ids: list[int] | None = None) -> Reading:
    """Raises ContextTooLong for too many tokens that may be neither cut nor split. ids: the text's, where known."""
    whole = body.tokenizer.ids([text])[0] if ids is None else ids
    tokens, limit = len(whole), body.max_tokens
    if tokens <= limit:
        return Reading((text,), (whole,), tokens, tokens)
    if long_texts == "cut":
        note = f"The text was cut: {tokens - limit:,} of its {tokens:,} tokens were left out."
        return Reading((text,), (whole,), tokens, limit, note)
    if long_texts != "windows":
        raise ContextTooLong(f"The text has {tokens:,} tokens; this encoder reads {limit:,}.", TOO_LONG_REMEDY)
    parts = windows_of(text, lambda texts: [len(each) for each in body.tokenizer.ids(texts)], limit)
    part_ids = body.tokenizer.ids(parts)
    note = f"The text has {tokens:,} tokens: read in {len(parts)} windows, their vectors averaged."
    return Reading(tuple(parts), tuple(part_ids), tokens, sum(map(len, part_ids)), note)


def read_whole(body: Body, texts: Sequence[str]) -> list[Reading]:
    """All of every text, long ones in windows."""
    ids = body.tokenizer.ids(texts)
    return [read_text(body, text, "windows", ids=text_ids) for text, text_ids in zip(texts, ids, strict=True)]


def embed_readings(body: Body, readings: Sequence[Reading]) -> "np.ndarray":
    """(texts, width). A split text's vector points where its windows' mean does and is as long as they are."""
    import numpy as np

    parts = [part for reading in readings for part in reading.parts]
    vectors = embed_all(body, parts, ids=[ids for reading in readings for ids in reading.ids])
    if len(parts) == len(readings):
        return vectors
    starts = np.cumsum([0, *(len(reading.parts) for reading in readings)])
    joined = [_mean(vectors[start:end]) for start, end in pairwise(starts)]
    return np.stack(joined).astype(vectors.dtype)


def _mean(windows: "np.ndarray") -> "np.ndarray":
    """(width,) of (windows, width)."""
    import numpy as np

    if len(windows) == 1:
        single: np.ndarray = windows[0]
        return single
    mean = windows.mean(axis=0)
    length = float(np.linalg.norm(mean))
    scaled: np.ndarray = mean * (float(np.linalg.norm(windows, axis=1).mean()) / length) if length else mean
    return scaled
