"""Bytes of a user's file as text: Unicode by its mark or pattern, else the old encoding whose letters are likeliest."""

from dataclasses import dataclass

from llmops.core.errors import TaskFileError
from llmops.core.given import unknown_choice

_MARKS = (  # the longer first: UTF-32's begins like UTF-16's
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_OLD = ("cp1252", "cp850", "mac_roman")
ENCODINGS = {
    "cp1252": "Windows-1252",
    "cp850": "DOS (code page 850)",
    "mac_roman": "Mac Roman",
    "iso8859_15": "ISO-8859-15",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "cp1253": "Windows-1253",
    "cp1254": "Windows-1254",
    "cp437": "DOS (code page 437)",
    "koi8_r": "KOI8-R",
}
"""Python's name of an encoding → its usual one: what can be chosen for a file that is no Unicode."""
_UNICODE = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "utf-32": "UTF-32"}
_SAMPLE_BYTES = 200_000
_PATTERN_BYTES = 4_000
_UMLAUTS = "äöüßÄÖÜ"
_LETTERS = "àâáãåæçèéêëìíîïñòóôõøùúûýÿœšžÀÂÁÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕØÙÚÛÝŒŠŽ"
_MARKS_BESIDE_WORDS = "„“”‚‘’»«–—…€§°²³µ·•\u00a0"


@dataclass(frozen=True)
class Decoded:
    """A file's text; notes: what was decided where it was not sure, and then encoding: a key of ENCODINGS."""

    text: str
    notes: tuple[str, ...] = ()
    encoding: str = ""


def decode(data: bytes, encoding: str | None = None) -> Decoded:
    """The likeliest reading; encoding: what to take, a key of ENCODINGS, for what is no Unicode.

    Raises TaskFileError where a mark promises what the bytes don't keep, InputError for another encoding.
    """
    if encoding is not None and encoding not in ENCODINGS:
        raise unknown_choice("encoding", encoding, ENCODINGS)
    for mark, unicode in _MARKS:
        if data.startswith(mark):
            return _marked(data, unicode, encoding)
    unmarked = _by_zeros(data)
    if unmarked:
        try:
            return Decoded(data.decode(unmarked))
        except UnicodeDecodeError:
            pass
    try:
        return Decoded(data.decode("utf-8"))
    except UnicodeDecodeError:
        return _old_or_mixed(data, encoding)


def _marked(data: bytes, unicode: str, encoding: str | None) -> Decoded:
    try:
        return Decoded(data.decode(unicode))
    except UnicodeDecodeError as error:
        if unicode == "utf-8-sig":
            return _old_or_mixed(data.removeprefix(b"\xef\xbb\xbf"), encoding)
        raise TaskFileError(f"The file is no valid {_UNICODE[unicode]}.", "Save it as UTF-8.") from error


def _by_zeros(data: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: in western texts most of their bytes at the same places are zero."""
    part = data[:_PATTERN_BYTES]
    if b"\x00" not in part:
        return None

    def share(first: int, step: int) -> float:
        places = part[first::step]
        return places.count(0) / len(places) if places else 0.0

    if len(data) % 4 == 0 and min(share(2, 4), share(3, 4)) > 0.9:
        return "utf-32-le"
    if len(data) % 4 == 0 and min(share(0, 4), share(1, 4)) > 0.9:
        return "utf-32-be"
    if len(data) % 2 == 0 and share(1, 2) > 0.5 > share(0, 2):
        return "utf-16-le"
    if len(data) % 2 == 0 and share(0, 2) > 0.5 > share(1, 2):
        return "utf-16-be"
    return None


def _old_or_mixed(data: bytes, given: str | None) -> Decoded:
    """An old encoding; or, where some lines are UTF-8 with more than ASCII, each line as it can be read."""
    lines = data.splitlines(keepends=True)
    readable = [_is_utf8(line) for line in lines]
    encoding = given or _likeliest(b"".join(line for line, utf8 in zip(lines, readable, strict=True) if not utf8))
    if not any(utf8 and not line.isascii() for line, utf8 in zip(lines, readable, strict=True)):
        note = f"The file is not UTF-8; it was read as {ENCODINGS[encoding]}."
        return Decoded(data.decode(encoding, errors="replace"), (note,), encoding)
    text = "".join(
        line.decode("utf-8" if utf8 else encoding, errors="replace") for line, utf8 in zip(lines, readable, strict=True)
    )
    wrong = [number for number, utf8 in enumerate(readable, 1) if not utf8]
    where = f"Line {wrong[0]} is" if len(wrong) == 1 else f"{len(wrong):,} lines (the first: {wrong[0]}) are"
    note = f"{where} not UTF-8, unlike the rest; read as {ENCODINGS[encoding]}. Check the letters there."
    return Decoded(text, (note,), encoding)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _likeliest(data: bytes) -> str:
    """The old encoding in which what is not ASCII looks most like letters of words; the first of equals."""
    sample = data[:_SAMPLE_BYTES]
    return max(_OLD, key=lambda encoding: _plausibility(sample.decode(encoding, errors="replace")))


def _plausibility(text: str) -> int:
    """Points for letters where letters belong, and off for signs inside of words."""
    padded = f" {text} "
    return sum(
        _points(padded[place - 1], sign, padded[place + 1])
        for place, sign in enumerate(padded)
        if sign > "\x7f" and 0 < place < len(padded) - 1
    )


def _points(before: str, sign: str, after: str) -> int:
    if sign in _UMLAUTS:
        return -1 if sign.isupper() and before.islower() else 3
    if sign in _LETTERS:
        return -1 if sign.isupper() and before.islower() else 1
    if sign in _MARKS_BESIDE_WORDS:
        return -2 if before.isalpha() and after.isalpha() and sign not in "’·–" else 1
    return -3
