"""Who may be a stage of a cascade, and what is said where a cascade can't be made."""

import pytest

from llmops.core.errors import InputError
from llmops.decision.stages import cascade_candidate, stage_choices
from tests.support.recorded_rows import DECODER, ENCODER, OPENAI

CASCADE = f"cascade({ENCODER}, {DECODER}, 0.9)"
OTHER_ENCODER = "embedded/encoder@int8"


def test_encoders_come_first_and_all_but_cascades_second():
    choices = stage_choices([OPENAI, ENCODER, CASCADE, "embedded/decoder@fp0", DECODER])
    assert (choices.firsts, choices.seconds) == ((ENCODER,), (OPENAI, ENCODER, DECODER))
    assert (choices.first, choices.second) == (ENCODER, OPENAI)


def test_another_encoder_is_second_only_where_there_is_nothing_else():
    assert stage_choices([ENCODER, OTHER_ENCODER]).second == OTHER_ENCODER
    assert stage_choices([ENCODER]).second is None
    assert stage_choices([]).first is None


def test_a_cascade_is_a_candidate_or_an_error_that_says_what_is_missing():
    assert str(cascade_candidate(ENCODER, DECODER, 0.9)) == CASCADE
    for missing in ((None, DECODER, 0.9), (ENCODER, "", 0.9), (ENCODER, DECODER, None)):
        with pytest.raises(InputError, match="No cascade is simulated yet"):
            cascade_candidate(*missing)
