"""What is picked on the page, as candidate texts."""

import pytest

from llmops.core.candidate import DEFAULT_K, Kind
from llmops.core.errors import InputError
from llmops.planning.candidate_texts import candidate_texts


@pytest.mark.parametrize(
    ("picked", "texts"),
    [
        ((Kind.ENCODER, "embedded/encoder", ["fp32", "int8"], "few-shot", DEFAULT_K),
         ["embedded/encoder@fp32?method=few-shot", "embedded/encoder@int8?method=few-shot"]),
        ((Kind.ENCODER, "embedded/encoder", ["fp32"], "setfit", 4), ["embedded/encoder@fp32?k=4&method=setfit"]),
        ((Kind.ENCODER, "embedded/encoder", ["fp32"], "zero-shot", 4), ["embedded/encoder@fp32?method=zero-shot"]),
        ((Kind.ENCODER, "trained/mine", ["fp32"], "setfit", 4), ["trained/mine@fp32"]),
        ((Kind.DECODER, " embedded/decoder ", ["nf4"], "", None), ["embedded/decoder@nf4"]),
        ((Kind.DECODER, "who/knows", ["bf16"], "", None), ["who/knows@bf16?kind=decoder"]),
        ((Kind.HOSTED, "a/b", [], "", None), ["hosted/a/b"]),
    ],
)  # fmt: skip
def test_one_text_a_precision_says_what_the_model_does_not(picked, texts):
    assert candidate_texts(*picked) == texts


def test_without_a_precision_there_is_nothing_to_run():
    with pytest.raises(InputError, match="No precision is ticked"):
        candidate_texts(Kind.DECODER, "embedded/decoder", [], "", None)
