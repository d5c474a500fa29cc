"""A whole task in place of a built-in one's id, /train and /classify, from a program."""

from pathlib import Path

import pytest

from llmops.data.builtin import TASKS_DIR
from tests.support.endpoints import compare

TASK = """
id = "medical"
name = "Ordered or not"
[[labels]]
id = "ordered"
[[labels]]
id = "refused"
[prompts.en]
instruction = "Is the aid ordered or refused? Answer with one word."
"""
EXAMPLES = "".join(
    f'[[examples]]\ntext = "The {aid} is {word}."\nlabel = "{label}"\nlanguage = "en"\nsplit = "{split}"\n'
    for aid, split in (("lift", "pool"), ("bed", "pool"), ("ramp", "test"), ("walker", "test"))
    for word, label in (("ordered by the doctor", "ordered"), ("refused by the doctor", "refused"))
)
OWN = TASK + EXAMPLES
LABELS = {"ordered", "refused"}
ENCODER = "embedded/encoder@fp32?k=2"
# name of an endpoint → its arguments around the task
CALLS = {
    "/compare": lambda task: ("The bed is ordered.", task, [ENCODER], {}),
    "/evaluate": lambda task: (task, [ENCODER], {}),
    "/learning_curve": lambda task: (task, {"ks": [1], "seeds": [0]}),
    "/load_probe": lambda task: (
        task,
        "embedded/decoder@bf16",
        {"levels": [1], "requests_each": 2, "max_new_tokens": 4},
    ),
    "/context_probe": lambda task: (task, "embedded/decoder@bf16", {"lengths": [64], "depths": [0]}),
    "/train": lambda task: (task, "never", "embedded/encoder", {"method": "few-shot", "k": 2}),
    "/classify": lambda task: (["The bed is ordered."], task, ENCODER, {}),
}


def call(client, name, task):
    return client.predict(*CALLS[name](task), api_name=name)


@pytest.mark.parametrize("name", CALLS)
def test_a_path_and_a_file_beside_are_refused(client, name, tmp_path):
    path = tmp_path / "task.toml"
    path.write_text(OWN, encoding="utf-8")
    for given in (str(path), str(tmp_path), str(TASKS_DIR / "medical" / "task.toml")):
        error = call(client, name, given)["error"]
        assert error["kind"] == "input"
        assert "There is no task" in error["message"] and "a path is not read" in error["remedy"]
    (tmp_path / "texts.csv").write_text("text,label\na,ordered\nb,refused\n", encoding="utf-8")
    for beside in ("texts.csv", f"{tmp_path}/texts.csv", f"{Path(__file__).name}"):
        error = call(client, name, f"examples = '{beside}'\n{TASK}")["error"]
        assert error["kind"] == "file"
        assert beside[:80] in error["message"] and "can't be sent along" in error["message"]


def test_a_tasks_text_is_compared_evaluated_probed_and_learnt_from(client):
    (run,) = call(client, "/compare", OWN)["runs"]
    assert run["error"] is None
    assert set(run["probabilities"]) == LABELS
    (builtin,) = compare(client, ENCODER, text="The bed is ordered.")
    assert set(builtin["probabilities"]) == {"positive", "negative"}
    evaluated = call(client, "/evaluate", OWN)
    assert evaluated["error"] is None
    assert (evaluated["evaluation"]["task_name"], evaluated["metrics"][0]["texts"]) == ("Ordered or not", 4)
    drawn = call(client, "/learning_curve", OWN)
    assert drawn["error"] is None
    assert [point["k"] for point in drawn["curve"]["points"]] == [1]
    probed = call(client, "/load_probe", OWN)
    assert (probed["error"], len(probed["points"])) == (None, 1)
    told = [update["columns"] for update in client.submit("Ordered.", OWN, [ENCODER], {}, api_name="/stream")]
    assert set(told[-1][0]["run"]["probabilities"]) == LABELS


def test_an_encoder_that_was_trained_is_a_candidate_and_its_name_is_taken(client):
    settings = {"method": "few-shot", "k": 2}
    made = client.predict(OWN, "ordering", "embedded/encoder", settings, api_name="/train")
    assert made == {
        "error": None,
        "candidate": "trained/ordering",
        "base": "embedded/encoder",
        "method": "few-shot",
        "labels": ["ordered", "refused"],
        "examples": 4,
        "windowed": 0,
    }
    assert "trained/ordering@fp32" in [row["candidate"] for row in client.predict(api_name="/candidates")]
    (run,) = compare(client, made["candidate"], text="The bed is refused.", task=OWN)
    assert run["error"] is None
    assert run["label"] in LABELS
    again = client.predict(OWN, "ordering", "embedded/encoder", settings, api_name="/train")
    assert "already" in again["error"]["message"]


@pytest.mark.parametrize(
    ("name", "base", "settings", "said"),
    [
        ("../x", "embedded/encoder", {}, "no name"),
        ("x", "", {}, "No base encoder"),
        ("x", "embedded/encoder", {"k": 0}, "k is a whole number from 1"),
        ("x", "embedded/encoder", {"method": "zero-shot"}, "no way to learn"),
        ("x", "/no/such/folder", {"method": "few-shot"}, "no/such/folder"),
    ],
)
def test_a_training_that_can_t_be_is_an_error_in_the_answer(client, name, base, settings, said):
    error = client.predict(OWN, name, base, settings, api_name="/train")["error"]
    assert said in error["message"]
    assert error["remedy"]


@pytest.mark.parametrize(
    ("task", "candidate", "labels"),
    [
        (OWN, ENCODER, LABELS),
        ("medical", f"cascade({ENCODER}, embedded/decoder@bf16, 0.9)", {"positive", "negative"}),
    ],
)
def test_each_text_gets_its_label_and_confidence_in_order_and_a_bad_one_its_error(client, task, candidate, labels):
    texts = ["All requirements for the lift are met.", "", {"text": "It is not needed.", "language": "English"}, 7, {}]
    found = client.predict(texts, task, candidate, {}, api_name="/classify")
    assert found["error"] is None
    first, empty, third, number, nothing = found["answers"]
    for answer in (first, third):
        assert (answer["label"] in labels, answer["error"]) == (True, None)
        assert answer["confidence"] is None or 0.5 <= answer["confidence"] <= 1
    for answer in (empty, number, nothing):
        assert (answer["label"], answer["confidence"], answer["error"]["kind"]) == (None, None, "input")
    assert "empty" in empty["error"]["message"]


@pytest.mark.parametrize(
    ("texts", "candidate", "settings", "kind"),
    [
        ([], ENCODER, {}, "input"),
        ("text", ENCODER, {}, "input"),
        (["x"], "", {}, "input"),
        (["x"], "nobody/none@bf16", {}, "not-found"),
        (["x"], ENCODER, {"language": "fr"}, "input"),
        (["x"], ENCODER, {"nonsense": 1}, "input"),
    ],
)
def test_a_classification_that_is_wrong_as_a_whole_says_so(client, texts, candidate, settings, kind):
    found = client.predict(texts, OWN, candidate, settings, api_name="/classify")
    assert found["error"]["kind"] == kind
    assert not any(answer["label"] for answer in found["answers"])


def test_what_both_endpoints_read_is_in_the_schema(client):
    found = client.predict(api_name="/schema")
    assert set(found["/train"]["properties"]) == {"method", "k", "seed", "hf_token"}
    assert "language" in found["/classify"]["properties"]
