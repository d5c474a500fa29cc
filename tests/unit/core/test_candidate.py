"""The text form of candidates."""

import pytest

from llmops.catalog.models import model_kinds, models
from llmops.catalog.presets import presets
from llmops.core.candidate import Epoch, Kind, parse_candidate
from llmops.core.errors import InputError


@pytest.mark.parametrize(
    ("text", "kind", "model", "precision"),
    [
        ("embedded/encoder@fp32", Kind.ENCODER, "embedded/encoder", "fp32"),
        ("embedded/encoder@fp32?method=setfit", Kind.ENCODER, "embedded/encoder", "fp32"),
        ("embedded/decoder@nf4", Kind.DECODER, "embedded/decoder", "nf4"),
        ("Qwen/Qwen2.5-0.5B-Instruct@bf16", Kind.DECODER, "Qwen/Qwen2.5-0.5B-Instruct", "bf16"),
        (
            "intfloat/multilingual-e5-small@int8?method=zero-shot",
            Kind.ENCODER,
            "intfloat/multilingual-e5-small",
            "int8",
        ),
        ("openai/gpt-5.4-mini", Kind.OPENAI, "gpt-5.4-mini", None),
        ("openai//models/some@place", Kind.OPENAI, "/models/some@place", None),
        ("hosted/meta-llama/Llama-3.1-70B-Instruct", Kind.HOSTED, "meta-llama/Llama-3.1-70B-Instruct", None),
        ("trained/mine@int8", Kind.ENCODER, "trained/mine", "int8"),
        ("./my@folder@fp16", Kind.DECODER, "./my@folder", "fp16"),
    ],
)
def test_text_form_is_read_and_written_back(text, kind, model, precision):
    candidate = parse_candidate(text)
    assert (candidate.kind, candidate.model, candidate.precision) == (kind, model, precision)
    assert parse_candidate(str(candidate)) == candidate


def test_catalogue_tells_an_encoder_from_a_decoder():
    assert parse_candidate("BAAI/bge-m3@fp32", model_kinds()).kind == Kind.ENCODER
    assert parse_candidate("some/unknown@bf16", model_kinds()).kind == Kind.DECODER


def test_default_precision_is_written_out():
    assert str(parse_candidate("embedded/decoder")) == "embedded/decoder@bf16"
    assert str(parse_candidate("embedded/encoder")) == "embedded/encoder@fp32"


def test_options_are_sorted_so_that_equal_candidates_are_equal():
    a = parse_candidate("embedded/encoder@fp32?seed=1&method=setfit&k=4")
    b = parse_candidate("embedded/encoder@fp32?k=4&method=setfit&seed=1")
    assert a == b
    assert a.method == "setfit"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@bf16",
        "openai/",
        "embedded/decoder@fp4",
        "embedded/encoder@nf4",
        "embedded/encoder@fp32?method=magic",
        "embedded/encoder@fp32?k=many",
        "embedded/encoder@fp32?k=-1",
        "embedded/decoder@bf16?method",
        "embedded/decoder@bf16?k=1",
        "embedded/encoder@fp32?k=1&k=2",
        "openai/x?key=secret",
        "a\nb@bf16",
        "x" * 500,
        "embedded/encoder@fp32?kind=decoder",
        "cascade(",
        "cascade(embedded/encoder, embedded/decoder)",
        "cascade(embedded/encoder, embedded/decoder, 0.9",
        "cascade(embedded/encoder, embedded/decoder, 1.1)",
        "cascade(embedded/encoder, embedded/decoder, nan)",
        "cascade(embedded/encoder, embedded/decoder, 0_9)",
        "cascade(embedded/encoder, , 0.9)",
        "cascade(embedded/decoder, embedded/encoder, 0.9)",
        "cascade(embedded/encoder, embedded/encoder@fp32, 0.9)",
        "cascade(embedded/encoder, cascade(embedded/encoder, embedded/decoder, 0.9), 0.5)",
    ],
)
def test_a_wrong_form_says_what_to_write(text):
    with pytest.raises(InputError) as caught:
        parse_candidate(text)
    assert caught.value.message
    assert caught.value.remedy


def test_every_catalogue_row_and_preset_is_a_valid_candidate_with_a_source():
    for spec in models():
        assert spec.source
        for candidate in spec.candidates():
            assert parse_candidate(str(candidate), model_kinds()) == candidate
    for preset in presets():
        for text in (*preset.offline, *preset.hub):
            assert parse_candidate(text, model_kinds()).epoch in Epoch


def test_what_a_moe_needs_does_not_pretend_to_be_four_bit():
    mixtral = next(spec for spec in models() if spec.id.startswith("mistralai/Mixtral"))
    assert mixtral.weights_bytes("nf4") > 0.9 * mixtral.weights_bytes("bf16")
    llama = next(spec for spec in models() if spec.id.endswith("3.1-8B-Instruct"))
    # measured on the meta device in 2026-11: 5.70 GB with double quantization
    assert abs(llama.weights_bytes("nf4") - 5.70e9) < 0.02 * 5.70e9


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (
            "cascade(embedded/encoder?k=8&method=setfit,embedded/decoder@nf4,.90)",
            "cascade(embedded/encoder@fp32?k=8&method=setfit, embedded/decoder@nf4, 0.9)",
        ),
        ("cascade(embedded/encoder, openai/a,b (x), 1)", "cascade(embedded/encoder@fp32, openai/a%2Cb %28x%29, 1)"),
        (
            "cascade(trained/mine@int8, hosted/org/m?provider=together, 0.1234567)",
            "cascade(trained/mine@int8, hosted/org/m?provider=together, 0.123457)",
        ),
    ],
)
def test_a_cascade_is_read_with_its_stages_options_and_commas(text, canonical):
    candidate = parse_candidate(text)
    assert candidate.kind == Kind.CASCADE
    assert str(candidate) == canonical
    assert parse_candidate(canonical) == candidate
    assert candidate.epoch == candidate.stages[1].epoch


def test_any_text_is_a_candidate_that_reads_back_or_an_error_in_words():
    from random import Random

    rng = Random(0)
    pieces = [
        "cascade(",
        ")",
        ",",
        ", ",
        "%",
        "%2C",
        "%25",
        "openai/",
        "embedded/encoder",
        "@fp32",
        "?",
        "method=setfit",
    ]
    pieces += ["embedded/decoder", "0.5", "1e-3", "ü", " ", "&", "k=3", "(", "hosted/a/b", "=", "trained/x"]
    read = 0
    for _ in range(20_000):
        text = "".join(rng.choice(pieces) for _ in range(rng.randrange(1, 9)))
        if rng.random() < 0.5:
            text = f"cascade(embedded/encoder{text}, {text}, 0.{rng.randrange(100)})"
        try:
            candidate = parse_candidate(text)
        except InputError as error:
            assert error.message
            assert error.remedy
            continue
        read += 1
        assert parse_candidate(str(candidate)) == candidate, text
    assert read > 500
