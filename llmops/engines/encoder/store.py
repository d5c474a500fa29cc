"""Encoders that were trained here and kept by name: a folder each, no pickle anywhere.

`meta.json` says what it is, `head.safetensors` holds the head's numbers, `body/` the fine-tuned weights as
safetensors. A few-shot head leaves the base model as it is, so only its name is kept. Also packed as a zip for
download, and unpacked again with care: a zip comes from anywhere.
"""

import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from llmops.core.errors import InputError, ModelNotFound, ModelRefused, OutOfMemory, TooMuch
from llmops.core.settings import Settings, kept_folder
from llmops.engines.encoder.head import Head
from llmops.hub.safetensors_files import is_complete

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ALLOWED = (".json", ".safetensors", ".txt", ".md", ".model")
_MAX_FILES = 40
_MAX_BYTES = 3_000_000_000
_MAX_RATIO = 100  # unpacked to packed size of one file; weights hardly shrink, a bomb does
_FORMAT = 1


@dataclass(frozen=True)
class EncoderMeta:
    """What a kept encoder is. labels in the head's order; examples: how many it was trained on.

    learnt: marks of those texts (training_record.text_mark), so that none counts in a score; None: not recorded.
    windowed: how many of them were longer than it reads, and learnt from in windows; cut: the same where earlier
    versions cut them.
    """

    task_id: str
    method: str
    base: str
    labels: tuple[str, ...]
    k: int
    seed: int
    examples: int
    has_body: bool
    learnt: tuple[str, ...] | None = None
    cut: int = 0
    windowed: int = 0


@dataclass(frozen=True)
class StoredEncoder:
    """A kept encoder: its folder (`body/` inside where it has one), head and description."""

    folder: Path
    head: Head
    meta: EncoderMeta


class EncoderStore:
    """The kept encoders of one owner; "" is the one user of a private page. Raises ValueError for what is no owner."""

    def __init__(self, settings: Settings, owner: str = "") -> None:
        self.root = kept_folder(settings.data_dir, owner)
        self._limit_bytes = settings.visitor_disk_bytes

    def names(self) -> tuple[str, ...]:
        """Names of the kept encoders."""
        if not self.root.is_dir():
            return ()
        return tuple(sorted(folder.name for folder in self.root.iterdir() if (folder / "meta.json").is_file()))

    def save(self, name: str, model: "SentenceTransformer", head: Head, meta: EncoderMeta) -> Path:
        """Write a trained encoder under a new name. Raises InputError for a bad or taken name, TooMuch, OutOfMemory."""
        from safetensors.numpy import save_file

        with self._partial_folder(name) as partial:
            save_file({"coef": head.coef, "intercept": head.intercept}, partial / "head.safetensors")
            if meta.has_body:
                model.save_pretrained(str(partial / "body"), create_model_card=False, safe_serialization=True)
            described = {**asdict(meta), "format": _FORMAT, "versions": _versions()}
            (partial / "meta.json").write_text(json.dumps(described, ensure_ascii=False, indent=1), encoding="utf-8")
            _check_files(partial)
        return self.root / name

    def new_folder(self, name: str) -> Path:
        """Where an encoder of this name would lie. Raises InputError for a bad or taken name."""
        folder = self.root / check_name(name)
        if folder.exists():
            raise InputError(f"There is an encoder “{name}” already.", "Choose another name, or delete the old one.")
        return folder

    @contextmanager
    def _partial_folder(self, name: str) -> Iterator[Path]:
        """A folder to fill; put in place whole at the end, or not at all."""
        target = self.new_folder(name)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(dir=self.root, prefix=".partial-"))
            try:
                yield partial
                self._check_quota()
                partial.rename(target)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        except OSError as error:
            raise OutOfMemory(
                f"“{name}” could not be stored ({error.strerror or error}).",
                "Free some space on the disk, and keep it again.",
            ) from error

    def _check_quota(self) -> None:
        used = sum(path.stat().st_size for path in self.root.rglob("*") if path.is_file())
        limit = self._limit_bytes
        if limit is not None and used > limit:
            raise TooMuch(
                f"Your kept encoders would take {used / 1e6:.0f} MB; each visitor has {limit / 1e6:.0f} MB here.",
                "Download one and delete it, or keep an encoder of the method few-shot, which is small.",
            )

    def load(self, name: str) -> StoredEncoder:
        """A kept encoder by name. Raises ModelNotFound or ModelRefused."""
        folder = self.root / check_name(name)
        if not (folder / "meta.json").is_file():
            names = ", ".join(self.names()) or "none"
            raise ModelNotFound(f"No encoder “{name}” is kept here.", f"Kept: {names}. Train one in the Past tab.")
        return _read(folder)

    def check(self, name: str) -> None:
        """Raise ModelRefused for a kept encoder that can't be loaded, one that was cut short too; nothing is loaded."""
        folder = self.load(name).folder
        damaged = next((path for path in folder.rglob("*.safetensors") if not is_complete(path)), None)
        if damaged is not None:
            raise ModelRefused(f"“{name}” is damaged: {damaged.name} was cut short.", "Delete it, and train it again.")

    def delete(self, name: str) -> None:
        """Remove a kept encoder; nothing happens where there is none."""
        shutil.rmtree(self.root / check_name(name), ignore_errors=True)

    def pack(self, name: str, folder: Path) -> Path:
        """A zip of a kept encoder in `folder`, for download."""
        self.load(name)
        return Path(shutil.make_archive(str(folder / name), "zip", self.root / name))

    def unpack(self, path: Path, name: str) -> None:
        """Keep an encoder out of a zip. Raises ModelRefused for anything else, InputError for the name, TooMuch."""
        with self._partial_folder(name) as partial:
            _extract(path, partial)
            _read(partial)


def check_name(name: str) -> str:
    """The name, if it is one. Raises InputError."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise InputError(f"“{name[:80]}” is no name.", "Use letters, digits, dot, dash and underscore; at most 64.")
    return name


def _read(folder: Path) -> StoredEncoder:
    from safetensors.numpy import load_file

    try:
        described = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        if described.pop("format") != _FORMAT:
            raise ValueError("another format")
        described.pop("versions")
        learnt = described.get("learnt")
        meta = EncoderMeta(
            **{**described, "labels": tuple(described["labels"]), "learnt": None if learnt is None else tuple(learnt)}
        )
        numbers = load_file(folder / "head.safetensors")
        head = Head(meta.labels, numbers["coef"], numbers["intercept"])
        if head.coef.ndim != 2 or head.coef.shape[0] != len(meta.labels) or len(head.intercept) != len(meta.labels):
            raise ValueError("the head does not fit its labels")
        if meta.has_body and not (folder / "body" / "modules.json").is_file():
            raise ValueError("its body is missing")
    except Exception as error:
        raise ModelRefused(
            f"This is no encoder of llm-ops ({error}).", "Use a zip that was downloaded here."
        ) from error
    return StoredEncoder(folder, head, meta)


def _extract(path: Path, target: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check_entries(entries)
            for entry in entries:
                archive.extract(entry, target)
    except (zipfile.BadZipFile, OSError, RuntimeError) as error:
        raise ModelRefused(f"The zip can't be read ({error}).", "Use a zip that was downloaded here.") from error


def _check_entries(entries: Sequence[zipfile.ZipInfo]) -> None:
    total = sum(entry.file_size for entry in entries)
    if len(entries) > _MAX_FILES or total > _MAX_BYTES:
        raise ModelRefused(f"The zip holds {len(entries)} files, {total / 1e6:.0f} MB.", f"At most {_MAX_FILES} files.")
    for entry in entries:
        parts = PurePosixPath(entry.filename).parts
        inside = not entry.filename.startswith("/") and ".." not in parts and "\\" not in entry.filename
        if not inside or not entry.filename.endswith(_ALLOWED) or (entry.external_attr >> 28) == 0xA:
            raise ModelRefused(
                f"The zip holds “{entry.filename[:80]}”, which has no place in an encoder.",
                "Only weights as safetensors, JSON and text are read; pickles never.",
            )
        if entry.file_size > 1_000_000 and entry.file_size > _MAX_RATIO * max(1, entry.compress_size):
            raise ModelRefused(f"“{entry.filename[:80]}” unpacks to too much.", "Use a zip that was downloaded here.")


def _check_files(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.endswith(_ALLOWED):
            path.unlink()  # a library's extra file; nothing that loading needs


def _versions() -> dict[str, str]:
    return {
        name: version(name) for name in ("torch", "transformers", "sentence-transformers", "setfit", "scikit-learn")
    }
