"""What goes wrong is the answer's error, in words; and each endpoint says what its settings may be."""

import inspect
import logging

import pytest

from llmops.api.context import error_in
from llmops.api.schemas import PARAMETERS, SETTINGS, documented, schemas
from llmops.cli import COMMANDS
from llmops.core.errors import InputError
from llmops.core.request import Connection
from llmops.core.settings import Settings

KEY = "plain-secret-of-a-provider"


def test_an_error_in_words_keeps_what_was_measured_before_it():
    answer = {"points": [], "error": None}
    with error_in(answer, "probe"):
        answer["points"].append(1)
        raise InputError("It is wrong.", "Correct it.")
    assert answer == {"points": [1], "error": {"kind": "input", "message": "It is wrong.", "remedy": "Correct it."}}


def test_the_unforeseen_is_an_error_in_the_answer_and_its_traceback_in_the_log_both_without_the_key(caplog):
    answer = {"error": None}
    with caplog.at_level(logging.ERROR, "llmops"), error_in(answer, "probe of x") as asker:
        asker.connection = Connection(openai_key=KEY)
        raise RuntimeError(f"broken by {KEY}")
    assert answer["error"]["kind"] == "unexpected"
    assert "RuntimeError" in answer["error"]["message"]
    assert "probe of x" in caplog.text and "Traceback" in caplog.text
    assert KEY not in f"{answer}{caplog.text}"


def test_every_endpoint_with_settings_has_a_schema_with_this_process_s_limit(tmp_path):
    found = schemas(Settings(tmp_path, max_new_tokens=77))
    assert set(found) == {f"/{name}" for name in (*SETTINGS, *PARAMETERS)}
    assert found["/compare"]["properties"]["max_new_tokens"]["maximum"] == 77
    assert found["/load_probe"]["properties"]["loop"]["enum"] == ["closed", "open"]
    assert found["/plan"]["required"] == ["model"]
    assert all(schema["additionalProperties"] is False for schema in found.values())


@pytest.mark.parametrize("name", [*SETTINGS, *PARAMETERS])
def test_an_endpoint_s_documentation_names_each_of_its_settings(name):
    def endpoint():
        """What it does."""

    text = inspect.getdoc(documented(endpoint, name))
    assert text.startswith("What it does.\n\nParameters:")
    assert all(f"{setting}:" in text for setting in (SETTINGS | PARAMETERS)[name].model_fields)


def test_a_command_has_an_option_for_each_setting_but_secrets_and_objects():
    import argparse

    parser = argparse.ArgumentParser()
    COMMANDS["load"].add(parser)
    args = parser.parse_args(["--candidate", "x", "--levels", "1", "2", "--slo-ttft", "3", "--max-new-tokens", "4"])
    assert (args.levels, args.slo_ttft_s, args.max_new_tokens, args.long_texts) == ([1.0, 2.0], 3.0, 4, None)
    assert not {"openai_key", "hf_token"} & set(vars(args))
