"""The Colab notebook: its cells are executed in order, the share link pointed at this machine; Colab is a fake."""

import contextlib
import io
import json
import os
import re
import sys
import threading
import time
import tomllib
import types
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from gradio_client import Client

from llmops.catalog.presets import preset_for
from llmops.public.sharing import USER
from tests.support.serving import ROOT, free_port

NOTEBOOK = ROOT / "llmops" / "colab.ipynb"
CANARY = "hf_canaryOutOfColabsStore"


class SecretNotFoundError(Exception):
    pass


def fake_colab():
    """google.colab with a store that holds one of the two secrets."""
    colab = types.ModuleType("google.colab")

    def get(name):
        if name != "HF_TOKEN":
            raise SecretNotFoundError(name)
        return CANARY

    colab.userdata = types.SimpleNamespace(get=get)
    return {"google": types.ModuleType("google"), "google.colab": colab}


def cells():
    found = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in found["cells"] if cell["cell_type"] == "code"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """(address, what the cells printed, the notebook's names) once the last cell runs."""
    folder, port = tmp_path_factory.mktemp("colab"), free_port()
    (folder / "llm-ops").symlink_to(ROOT)  # instead of the clone: the address is not public yet
    (folder / "llm-ops-environment").symlink_to(sys.prefix)
    printed, names = io.StringIO(), {}
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    patch.setenv("GRADIO_SHARE_SERVER_ADDRESS", "127.0.0.1:9")  # nobody answers: the page stays on this machine
    patch.setenv("GRADIO_SERVER_PORT", str(port))
    patch.setenv("LLMOPS_DATA", str(folder / "data"))
    for name, module in fake_colab().items():
        patch.setitem(sys.modules, name, module)
    *before, last = cells()
    with contextlib.redirect_stdout(printed):
        for source in before:
            exec(compile(source, str(NOTEBOOK), "exec"), names)
        thread = threading.Thread(target=exec, args=(compile(last, str(NOTEBOOK), "exec"), names), daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{port}/"
        _wait(address, printed, thread)
        yield address, printed, names
        names["process"].terminate()
        thread.join(30)
    patch.undo()


def _wait(address, printed, thread):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and thread.is_alive():
        with contextlib.suppress(OSError):
            urllib.request.urlopen(address, timeout=2)
            if "Running on local URL" in printed.getvalue():
                return
        time.sleep(0.3)
    raise RuntimeError(f"the last cell did not start the app: {printed.getvalue()}")


def test_fake_colab_the_notebook_says_what_it_exposes_then_serves_behind_a_password(shared):
    address, printed, _ = shared
    said = printed.getvalue()
    assert said.index("puts this page on the internet") < said.index("Running on local URL")
    password = re.search(r"Password: (\S+)", said)[1]
    assert said.count(password) == 1
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{address}config", timeout=10)
    assert refused.value.code == 401
    client = Client(address, auth=(USER, password), verbose=False)
    runs = client.predict("All met.", "medical", ["embedded/decoder@nf4"], {}, api_name="/compare")["runs"]
    assert runs[0]["error"] is None and runs[0]["timing"]["e2e_s"] > 0
    with pytest.raises(Exception, match="Could not login"):
        Client(address, auth=(USER, "guessed"), verbose=False)


def test_fake_colab_secrets_reach_the_app_alone_and_are_never_printed(shared):
    _, printed, names = shared
    said = printed.getvalue()
    assert "HF_TOKEN: found" in said and "OPENAI_API_KEY: not used (SecretNotFoundError)" in said
    assert CANARY not in said
    assert names["environment"]["HF_TOKEN"] == CANARY and names["environment"]["LLMOPS_LEND_KEYS"] == "1"
    assert os.environ.get("HF_TOKEN") != CANARY


def test_a_t4_opens_with_an_8b_in_nf4_and_nothing_in_bf16_which_it_has_not():
    preset = preset_for(15_360 * 2**20)  # what the driver of a T4 reports
    assert preset.id == "t4"
    assert any("8B@nf4" in candidate for candidate in preset.hub)
    assert not any("bf16" in candidate for candidate in (*preset.hub, *preset.offline))


def test_the_address_of_the_project_stands_alike_in_the_three_places_that_name_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address = project["urls"]["Repository"]
    name = address.removeprefix("https://github.com/")
    assert f'REPOSITORY = "{address}"' in cells()[0]
    assert f"colab.research.google.com/github/{name}/blob/main/llmops/colab.ipynb" in (ROOT / "README.md").read_text()
    assert Path("llmops/colab.ipynb") == NOTEBOOK.relative_to(ROOT)
