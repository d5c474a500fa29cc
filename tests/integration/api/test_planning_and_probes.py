"""/plan, /dry_run and the probes from a program: plain data, and what is wrong as an error in the answer."""

import pytest


def test_plan_answers_with_every_gpu(client):
    data = client.predict("meta-llama/Llama-3.1-8B-Instruct", "nf4", 8192, 4, 128, api_name="/plan")
    assert data["error"] is None
    assert {"weights_bytes", "kv_cache_bytes", "peak_bytes", "predicted", "gpus"} <= set(data)
    assert len(data["gpus"]) >= 15
    assert {"name", "fits", "max_requests", "max_context", "why_not", "remedy"} <= set(data["gpus"][0])


def test_dry_run_and_probes_answer_in_plain_data(client):
    data = client.predict("HuggingFaceTB/SmolLM2-135M-Instruct", "bf16", 3, 32, 4, api_name="/dry_run")
    assert data["error"] is None
    assert abs(data["gaps"]["weights_bytes"]) < 0.02
    settings = {"levels": [1, 2], "requests_each": 4, "max_new_tokens": 4}
    data = client.predict("medical", "embedded/decoder@bf16", settings, api_name="/load_probe")
    assert data["error"] is None
    assert [point["users"] for point in data["points"]] == [1, 2]
    settings = {"lengths": [64], "depths": [0, 1], "language": "en"}
    data = client.predict("medical", "embedded/decoder@bf16", settings, api_name="/context_probe")
    assert data["error"] is None
    assert len(data["cells"]) == 2


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("/plan", ("meta-llama/Llama-3.1-8B-Instruct", "nf4", 10**7, 1, 128), "131,072"),
        ("/plan", ("nobody/none", "nf4", 1024, 1, 128), "hub"),
        ("/plan", ("meta-llama/Llama-3.1-8B-Instruct", "nf5", 1024, 1, 128), "precision"),
        ("/plan", ("meta-llama/Llama-3.1-8B-Instruct", "nf4", 1024, 0, 128), "requests"),
        ("/dry_run", ("HuggingFaceTB/SmolLM2-135M-Instruct", "bf16", 99, 32, 4), "30 layers"),
        ("/load_probe", ("medical", "embedded/decoder@bf16", {"levels": "x"}), "levels"),
        ("/load_probe", ("medical", "embedded/decoder@bf16", {"nonsense": 1}), "nonsense"),
        ("/load_probe", ("nothing", "embedded/decoder@bf16", {}), "nothing"),
        ("/context_probe", ("medical", "embedded/decoder@bf16", {"lengths": [0]}), "lengths"),
        ("/context_probe", ("medical", "openai/m", {}), "OPENAI_API_KEY"),
    ],
)
def test_a_wrong_plan_or_probe_is_an_error_in_the_answer(client, name, arguments, says):
    error = client.predict(*arguments, api_name=name)["error"]
    assert says in f"{error['message']} {error['remedy']}"
