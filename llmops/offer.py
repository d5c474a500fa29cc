"""What can be selected here and now, and why not where not. Joins the catalogue with this machine, hub and keys."""

import os
from dataclasses import asdict, dataclass

from llmops.candidate import Candidate, Epoch, Kind
from llmops.catalog import ModelSpec, models
from llmops.engines.base import Connection
from llmops.hardware import device_memory, hardware
from llmops.task import Task


@dataclass(frozen=True)
class Offer:
    """A selectable candidate. why_not says what is missing (empty: nothing); needs what own hardware it would take."""

    candidate: str
    name: str
    epoch: Epoch
    available: bool
    why_not: str
    licence: str
    gated: bool
    note: str
    needs: str
    weights_bytes: int | None

    def to_json(self) -> dict[str, object]:
        """Plain data."""
        return asdict(self)


def offers(connection: Connection, hub_in_reach: bool | None, trained: tuple[str, ...] = ()) -> list[Offer]:
    """Every catalogue row in every precision, and the visitor's kept encoders by name."""
    rows = [_offer(spec, candidate, connection, hub_in_reach) for spec in models() for candidate in spec.candidates()]
    kept = [
        Offer(f"trained/{name}@fp32", name, Epoch.PAST, True, "", "", False, "Trained here and kept.", "", None)
        for name in trained
    ]
    return rows + kept


def _offer(spec: ModelSpec, candidate: Candidate, connection: Connection, hub_in_reach: bool | None) -> Offer:
    why_not = _why_not(spec, candidate, connection, hub_in_reach)
    return Offer(
        candidate=str(candidate),
        name=spec.name,
        epoch=candidate.epoch,
        available=not why_not,
        why_not=why_not,
        licence=spec.licence,
        gated=spec.gated,
        note=spec.note,
        needs=spec.needs() if candidate.kind == Kind.HOSTED else "",
        weights_bytes=spec.weights_bytes(candidate.precision) if candidate.precision else None,
    )


def _why_not(spec: ModelSpec, candidate: Candidate, connection: Connection, hub_in_reach: bool | None) -> str:
    if spec.id.startswith("embedded/"):
        return ""
    if candidate.kind == Kind.OPENAI:
        address = connection.base_url or os.environ.get("OPENAI_BASE_URL")
        key = connection.openai_key or os.environ.get("OPENAI_API_KEY")
        return "" if key or address else "Set OPENAI_API_KEY, type a key, or type the address of a compatible server."
    token = connection.hf_token or os.environ.get("HF_TOKEN")
    if candidate.kind == Kind.HOSTED:
        if token or os.environ.get("LLMOPS_HOSTED_BASE_URL"):
            return ""
        return "Set HF_TOKEN or type a Hugging Face token."
    if hub_in_reach is False:
        return "No model hub in reach: only embedded models and folders can be loaded."
    if spec.gated and not token:
        return "Gated: accept its licence on the hub and give a token."
    needed = spec.weights_bytes(candidate.precision or "")
    device = "cpu" if candidate.kind == Kind.ENCODER else hardware().decoder_device
    free = device_memory(device)
    if needed and needed > free:
        return f"The weights need about {needed / 1e9:.0f} GB; {device} has {free / 1e9:.0f} GB free."
    return ""


def task_languages(task: Task) -> list[tuple[str, str]]:
    """(name, code) for a language choice."""
    names = {"en": "English", "de": "Deutsch"}
    return [(names.get(code, code), code) for code in task.languages]
