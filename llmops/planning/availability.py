"""What can be selected here and now, and why not where not. Joins the catalogue with this machine, hub and keys."""

import os
from dataclasses import asdict, dataclass

from llmops.catalog.architectures import architectures
from llmops.catalog.gpus import gpus
from llmops.catalog.models import ModelSpec, models
from llmops.core.candidate import EMBEDDED_DECODER, METHODS, PRECISIONS, Candidate, Epoch, Kind
from llmops.core.request import Connection
from llmops.core.task import Task
from llmops.hardware.machine import device_memory, hardware
from llmops.planning import planner
from llmops.planning.architecture import embedded_shape
from llmops.planning.settings import PlanSettings
from llmops.sizing import memory
from llmops.sizing.shape import Shape

_FIT_TOKENS = 4096  # of one request: what the fit badge and the needs are told for


@dataclass(frozen=True)
class CandidateOption:
    """A selectable candidate. why_not says what is missing (empty: nothing); needs what own hardware it would take.

    fit: what it takes here against what is free, estimated. methods: an encoder's ways, for ?method=; else empty.
    """

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
    fit: str = ""
    methods: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Plain data."""
        return asdict(self)


def list_candidates(
    connection: Connection, hub_in_reach: bool | None, trained: tuple[str, ...] = ()
) -> list[CandidateOption]:
    """Every catalogue row in every precision, and the visitor's kept encoders by name."""
    rows = [_option(spec, candidate, connection, hub_in_reach) for spec in models() for candidate in spec.candidates()]
    kept_encoders = [
        CandidateOption(
            f"trained/{name}@{precision}", name, Epoch.PAST, True, "", "", False, "Trained here and kept.", "", None
        )
        for name in trained
        for precision in PRECISIONS[Kind.ENCODER]
    ]
    return rows + kept_encoders


def _option(
    spec: ModelSpec, candidate: Candidate, connection: Connection, hub_in_reach: bool | None
) -> CandidateOption:
    why_not = _why_not(spec, candidate, connection, hub_in_reach)
    return CandidateOption(
        candidate=str(candidate),
        name=spec.name,
        epoch=candidate.epoch,
        available=not why_not,
        why_not=why_not,
        licence=spec.licence,
        gated=spec.gated,
        note=spec.note,
        needs=_needs(spec) if candidate.kind == Kind.HOSTED else "",
        weights_bytes=spec.weights_bytes(candidate.precision) if candidate.precision else None,
        fit=_fit(spec, candidate),
        methods=METHODS if candidate.kind == Kind.ENCODER else (),
    )


def _shape(model: str) -> Shape | None:
    row = next((row for row in architectures() if row.id == model), None)
    return row.shape if row else embedded_shape() if model == EMBEDDED_DECODER else None


def _fit(spec: ModelSpec, candidate: Candidate) -> str:
    """What it takes against what is free on this machine; empty where that is not known.

    A decoder's peak of one request; of an encoder the weights, beside which little else counts; of an endpoint's model
    what it would take here, in the largest precision that fits.
    """
    device = "cpu" if candidate.kind == Kind.ENCODER else hardware().decoder_device
    free = device_memory(device)
    shape = None if candidate.kind == Kind.ENCODER else _shape(candidate.model)
    if candidate.precision is None:
        if shape is None:
            return "runs elsewhere"
        needs = {precision: _peak(shape, candidate.model, precision, device) for precision in ("bf16", "int8", "nf4")}
        fitting = next((precision for precision, need in needs.items() if need <= free), None)
        if fitting:
            return f"would fit here in {fitting}, {_gigabytes(needs[fitting])}"
        return f"too big for this machine, {_gigabytes(needs['nf4'])} in nf4"
    need = (
        spec.weights_bytes(candidate.precision) or 0
        if shape is None
        else _peak(shape, candidate.model, candidate.precision, device)
    )
    return f"{'fits' if need <= free else 'too big'}, {_gigabytes(need)}" if need else ""


def _peak(shape: Shape, model: str, precision: str, device: str) -> int:
    """Estimated bytes of one request on a device."""
    need = planner.plan(model, shape, _one_request(shape, precision), ()).peak_bytes
    return need if device.startswith("cuda") else need - memory.CONTEXT_BYTES


def _one_request(shape: Shape, precision: str) -> PlanSettings:
    return PlanSettings.read({"precision": precision, "context": min(_FIT_TOKENS, shape.context)})


def _needs(spec: ModelSpec) -> str:
    """What it would take to run on one's own hardware: size, and the smallest GPU that holds it, or how many."""
    shape = _shape(spec.id)
    if shape is None or spec.shipped_bytes:
        return spec.needs()
    parts = []
    for precision in ("bf16", "nf4"):
        plan = planner.plan(spec.id, shape, _one_request(shape, precision), gpus())
        fitting = sorted((gpu for gpu in plan.gpus if gpu.fits), key=lambda gpu: gpu.usable_bytes)
        biggest = max(plan.gpus, key=lambda gpu: gpu.usable_bytes)
        where = fitting[0].name if fitting else biggest.remedy.replace("these GPUs", biggest.name)
        parts.append(f"{precision} {plan.peak_bytes / 1e9:.0f} GB ({where})")
    return f"On your own hardware, at {_FIT_TOKENS:,} tokens: {', '.join(parts)}; estimated."


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.0f} MB"


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
