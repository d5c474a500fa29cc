"""What can be put beside what: a candidate and its text form.

`model-id@precision?option=value` is how a candidate is written in a link, on the command line and in the API:
`embedded/encoder@fp32?method=setfit`, `Qwen/Qwen2.5-0.5B-Instruct@nf4`, `openai/gpt-5.4-mini`,
`hosted/meta-llama/Llama-3.1-70B-Instruct`, `./folder@bf16`; and two in one, `cascade(first, second, threshold)`: the
second answers where the first is less sure than the threshold. This module knows the form only; whether a model exists
is the engines' affair, and secrets are never part of it.
"""

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import parse_qsl, quote

from llmops.core.errors import InputError


class Kind(StrEnum):
    """Which engine runs a candidate."""

    ENCODER = "encoder"
    DECODER = "decoder"
    OPENAI = "openai"
    HOSTED = "hosted"
    CASCADE = "cascade"


class Epoch(StrEnum):
    """The tab a candidate belongs to."""

    PAST = "past"
    PRESENT = "present"
    FUTURE = "future"


EPOCH_OF = {
    Kind.ENCODER: Epoch.PAST,
    Kind.DECODER: Epoch.PRESENT,
    Kind.OPENAI: Epoch.PRESENT,
    Kind.HOSTED: Epoch.FUTURE,
}
METHODS = ("zero-shot", "few-shot", "setfit")
DEFAULT_K = 16  # examples a class that a few-shot or SetFit encoder learns from where ?k= is not given
PRECISIONS = {
    Kind.ENCODER: ("fp32", "int8"),
    Kind.DECODER: ("fp32", "bf16", "fp16", "int8", "nf4"),
    Kind.OPENAI: (),
    Kind.HOSTED: (),
    Kind.CASCADE: (),
}
DEFAULT_PRECISION = {Kind.ENCODER: "fp32", Kind.DECODER: "bf16"}
EMBEDDED_ENCODER = "embedded/encoder"
EMBEDDED_DECODER = "embedded/decoder"

_OPTIONS = {
    Kind.ENCODER: {"method", "k", "seed", "kind"},
    Kind.DECODER: {"kind"},
    Kind.OPENAI: set(),
    Kind.HOSTED: {"provider"},
}
_CASCADE = "cascade("
_CASCADE_FORM = "Write cascade(embedded/encoder@fp32, embedded/decoder@bf16, 0.9): an encoder, a candidate, 0 to 1."
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_STAGE_CODES = {"%": "%25", ",": "%2C", "(": "%28", ")": "%29"}  # what a stage's text must not hold as it stands
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MAX_LENGTH = 400


@dataclass(frozen=True)
class Candidate:
    """A model with how it runs.

    model: hub id, folder, `embedded/…`, `trained/<name>`, or the endpoint's own model name.
    precision: one of PRECISIONS[kind]; None for endpoints, which do not tell.
    options: further settings of the text form, sorted by key: method, k, seed (encoder), provider (hosted).
    stages, threshold: of a cascade, an encoder and what answers below the threshold (0 to 1); its model is empty.
    owner: whose kept encoders `trained/…` means (`ui/visitor.py`); never in the text form, "" for the one user.
    """

    kind: Kind
    model: str
    precision: str | None = None
    options: tuple[tuple[str, str], ...] = field(default=())
    stages: tuple["Candidate", ...] = ()
    threshold: float = 0.0
    owner: str = ""

    @property
    def epoch(self) -> Epoch:
        """The tab it belongs to; a cascade to that of its second stage."""
        return self.stages[-1].epoch if self.stages else EPOCH_OF[self.kind]

    @property
    def is_local(self) -> bool:
        """True where this process holds weights: of a cascade, the encoder's at least."""
        return self.kind in (Kind.ENCODER, Kind.DECODER, Kind.CASCADE)

    @property
    def method(self) -> str:
        """The encoder's way to a label; `few-shot` unless said otherwise."""
        return self.option("method") or "few-shot"

    def option(self, key: str) -> str | None:
        """The value of one option, or None."""
        return dict(self.options).get(key)

    def with_precision(self, precision: str) -> "Candidate":
        """The same candidate in another precision."""
        return replace(self, precision=precision)

    def owned_by(self, owner: str) -> "Candidate":
        """The same candidate, asked for by a visitor."""
        return replace(self, owner=owner, stages=tuple(stage.owned_by(owner) for stage in self.stages))

    def __str__(self) -> str:
        if self.stages:
            return f"cascade({', '.join(_coded(str(stage)) for stage in self.stages)}, {self.threshold:.6g})"
        prefix = f"{self.kind}/" if self.kind in (Kind.OPENAI, Kind.HOSTED) else ""
        precision = f"@{self.precision}" if self.precision else ""
        options = "&".join(f"{quote(key, safe='')}={quote(value, safe='/')}" for key, value in self.options)
        return f"{prefix}{self.model}{precision}{'?' + options if options else ''}"


def base_encoder(name: str) -> Candidate:
    """What a training starts from, as a candidate whose files can be fetched. Raises InputError for no name."""
    if not name.strip():
        raise InputError("No base encoder is given.", "Choose one.")
    return Candidate(Kind.ENCODER, name.strip(), DEFAULT_PRECISION[Kind.ENCODER])


def parse_candidate(text: str, kinds: dict[str, Kind] | None = None) -> Candidate:
    """Read the text form.

    `kinds` maps known model ids to their kind (the catalogue's); an unknown id is an encoder when it has a
    `method` or `kind=encoder`, else a decoder. Raises InputError with what is wrong and an example.
    """
    text = text.strip()
    if not text:
        raise InputError("The candidate is empty.", "Write model-id@precision, such as embedded/decoder@bf16.")
    most = _MAX_LENGTH * (7 if text.startswith(_CASCADE) else 1)  # two stages, their signs written as codes
    if len(text) > most or _CONTROL.search(text):
        raise InputError(
            f"A candidate is at most {most} printable characters; this one has {len(text)}.",
            "Write model-id@precision, such as embedded/decoder@bf16.",
        )
    if text.startswith(_CASCADE):
        return _read_cascade(text, kinds)
    base, _, query = text.partition("?")
    base = base.strip()
    options = _read_options(query, text)
    for prefix in (Kind.OPENAI, Kind.HOSTED):
        if base.startswith(f"{prefix}/"):
            model = base.removeprefix(f"{prefix}/")
            return _checked(Candidate(prefix, model, None, options), text)
    model, at, precision = base.rpartition("@")
    if not at:
        model, precision = base, ""
    kind = _kind_of(model, dict(options), kinds or {})
    if kind in (Kind.OPENAI, Kind.HOSTED):
        return _checked(Candidate(kind, model, None, options), text)
    return _checked(Candidate(kind, model, precision or DEFAULT_PRECISION[kind], options), text)


def cascade(first: Candidate, second: Candidate, threshold: float) -> Candidate:
    """A cascade, if its parts make one. Raises InputError. The threshold keeps six digits, as its text form does."""
    if Kind.CASCADE in (first.kind, second.kind):
        raise InputError("A stage of a cascade can't be a cascade.", _CASCADE_FORM)
    if first.kind != Kind.ENCODER:
        raise InputError(
            f"The first stage is {first}, which is no encoder.", "Begin with an encoder: it says how sure it is."
        )
    if first == second:
        raise InputError(
            "Both stages are the same candidate.", "Choose another one to answer where the first is unsure."
        )
    if not 0 <= threshold <= 1:
        raise InputError(f"The threshold is {threshold:g}.", "Use 0 to 1: the least probability that is sure enough.")
    return Candidate(Kind.CASCADE, "", None, (), (first, second), float(f"{threshold:.6g}"))


def _read_cascade(text: str, kinds: dict[str, Kind] | None) -> Candidate:
    """First stage up to the first comma, threshold after the last: a stage writes its own commas as %2C."""
    first, comma, rest = text.removeprefix(_CASCADE).removesuffix(")").partition(",")
    second, another, number = rest.rpartition(",")
    if not (text.endswith(")") and comma and another):
        raise InputError(f"“{text}” is not the form of a cascade.", _CASCADE_FORM)
    if any(stage.strip().startswith(_CASCADE) for stage in (first, second)):
        raise InputError("A stage of a cascade can't be a cascade.", _CASCADE_FORM)
    if not _NUMBER.fullmatch(number.strip()):
        raise InputError(f"The threshold is “{number.strip()}”, which is no number.", _CASCADE_FORM)
    stages = [parse_candidate(_decoded(stage), kinds) for stage in (first, second)]
    return cascade(stages[0], stages[1], float(number))


def _coded(text: str) -> str:
    return "".join(_STAGE_CODES.get(character, character) for character in text)


def _decoded(text: str) -> str:
    for character, code in reversed(_STAGE_CODES.items()):  # % last, or it would make new codes
        text = text.replace(code, character)
    return text


def _read_options(query: str, text: str) -> tuple[tuple[str, str], ...]:
    try:
        pairs = parse_qsl(query, strict_parsing=True) if query else []
    except ValueError as error:
        raise InputError(f"The options in “{text}” can't be read.", "Write ?method=setfit&k=8.") from error
    if len({key for key, _ in pairs}) != len(pairs):
        raise InputError(f"An option is given twice in “{text}”.", "Give each option once.")
    return tuple(sorted(pairs))


def _kind_of(model: str, options: dict[str, str], kinds: dict[str, Kind]) -> Kind:
    if model == EMBEDDED_ENCODER or model.startswith("trained/"):
        return Kind.ENCODER
    if model == EMBEDDED_DECODER:
        return Kind.DECODER
    if "kind" in options and options["kind"] in (Kind.ENCODER, Kind.DECODER):
        return Kind(options["kind"])
    if "method" in options:
        return Kind.ENCODER
    return kinds.get(model, Kind.DECODER)


def _checked(candidate: Candidate, text: str) -> Candidate:
    if not candidate.model:
        raise InputError(f"“{text}” names no model.", "Write model-id@precision, such as embedded/decoder@bf16.")
    allowed = PRECISIONS[candidate.kind]
    if candidate.precision and candidate.precision not in allowed:
        raise InputError(
            f"“{candidate.precision}” is no precision of a {candidate.kind}.",
            f"Use one of: {', '.join(allowed)}.",
        )
    for key, value in candidate.options:
        _check_option(candidate, key, value)
    return candidate


def _check_option(candidate: Candidate, key: str, value: str) -> None:
    allowed = _OPTIONS[candidate.kind]
    if key not in allowed:
        known = ", ".join(sorted(allowed)) or "none"
        raise InputError(f"“{key}” is no option of this {candidate.kind} candidate.", f"Options: {known}.")
    if key == "method" and value not in METHODS:
        raise InputError(f"“{value}” is no method of an encoder.", f"Use one of: {', '.join(METHODS)}.")
    if key in ("k", "seed") and not (value.isascii() and value.isdigit() and int(value) <= 1_000_000):
        raise InputError(f"{key} is a whole number; “{value}” is not.", f"Write ?{key}=8.")
    if key == "kind" and value != candidate.kind:
        raise InputError(f"kind={value} does not fit.", "Use kind=encoder or kind=decoder.")
