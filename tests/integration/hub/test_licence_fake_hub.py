"""A gated model in memory is for those who accepted its licence; the hub is the tests' own server."""

import json
import os
import subprocess
import sys

from llmops.embedded import DECODER_DIR
from tests.support.fake_hub import FakeHub, Repo
from tests.support.serving import ROOT

GATED = "meta-llama/Llama-3.2-1B-Instruct"
CODE = """
import json, sys
from llmops.hub import licence
from llmops.core.candidate import parse_candidate
from llmops.core.request import Connection
from llmops.core.errors import LlmopsError

said = []
for model, token in json.loads(sys.argv[1]):
    try:
        licence.permit(parse_candidate(model), Connection(hf_token=token))
        said.append("permitted")
    except LlmopsError as error:
        said.append(error.kind)
print(json.dumps(said))
"""


def test_fake_hub_a_gated_model_is_handed_to_those_who_accepted_its_licence_and_to_nobody_else():
    asked = [
        (f"{GATED}@nf4", None),
        (f"{GATED}@nf4", "hf_goodtoken"),
        (f"{GATED}@bf16", "hf_goodtoken"),
        (f"{GATED}@nf4", "hf_othertoken"),
        ("embedded/decoder@nf4", None),
    ]
    with FakeHub({GATED: Repo(DECODER_DIR, gated=True)}) as hub:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        environment |= {"HF_ENDPOINT": hub.url}
        command = [sys.executable, "-c", CODE, json.dumps(asked)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60)
        assert json.loads(done.stdout) == ["gated", "permitted", "permitted", "gated", "permitted"], done.stderr
        assert hub.tokens.count("Bearer hf_goodtoken") == 1, "asked once, then remembered"
