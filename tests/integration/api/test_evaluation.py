"""/evaluate, /history, /export, /learning_curve, /decide and /cascade from a program."""

import base64

from tests.support.endpoints import compare


def test_evaluate_and_history_answer_in_plain_data(client):
    settings = {"max_new_tokens": 24}
    names = ["embedded/encoder@fp32?method=zero-shot", "nobody/none@bf16"]
    data = client.predict("support", names, settings, api_name="/evaluate")
    assert data["error"] is None
    (metrics,) = data["metrics"]
    assert (metrics["candidate"], metrics["texts"]) == (names[0], 50)
    assert data["ended"][names[0]] is None
    assert data["ended"][names[1]]["kind"] == "not-found"
    number = data["evaluation"]["id"]
    kept = client.predict(None, api_name="/history")["evaluations"]
    assert number in [evaluation["id"] for evaluation in kept]
    assert client.predict(number, api_name="/history")["metrics"] == data["metrics"]
    assert "no evaluation" in client.predict(10**6, api_name="/history")["error"]["message"]
    assert client.predict("support", [], {}, api_name="/evaluate")["error"]["kind"] == "input"
    assert client.predict(number, number, api_name="/history")["side_by_side"]["candidates"][0]["agreement"] == 1.0
    file = client.predict(number, "csv", api_name="/export")
    assert file["name"] == f"evaluation-{number}.csv"
    lines = base64.b64decode(file["base64"]).decode("utf-8-sig").splitlines()
    assert len(lines) == 1 + sum(metrics["texts"] for metrics in data["metrics"])
    assert "no format" in client.predict(number, "exe", api_name="/export")["error"]["message"]
    report = client.predict(number, "html", "de", api_name="/export")
    assert "<h2>Zahlen</h2>" in base64.b64decode(report["base64"]).decode()
    assert "no language" in client.predict(number, "html", "fr", api_name="/export")["error"]["message"]


def test_texts_of_a_program_go_through_a_precision_ladder_and_a_learning_curve_is_kept(client):
    texts = [{"text": f"The {aid} is {word} needed.", "label": label, "language": "en"} for aid in ("lift", "bed")
             for word, label in (("", "positive"), ("not", "negative"))]  # fmt: skip
    settings = {"texts": [*texts, {"text": "No label."}], "ladder": "embedded/decoder"}
    data = client.predict("medical", [], settings, api_name="/evaluate")
    assert [metrics["candidate"] for metrics in data["metrics"]] == [
        f"embedded/decoder@{precision}" for precision in ("fp32", "bf16", "int8", "nf4")
    ]
    assert [rung["precision"] for rung in data["ladders"][0]["rungs"]] == ["fp32", "bf16", "int8", "nf4"]
    assert any("Row 5" in note for note in data["notes"])
    asked = {"ks": [1, 2], "seeds": [0, 1], "evaluation": data["evaluation"]["id"]}
    drawn = client.predict("medical", asked, api_name="/learning_curve")
    assert [(point["k"], point["seed"]) for point in drawn["curve"]["points"]] == [(1, 0), (1, 1), (2, 0), (2, 1)]
    assert set(drawn["parity"]) == {metrics["candidate"] for metrics in data["metrics"]}
    assert client.predict(api_name="/history")["curves"][0]["id"] == drawn["curve"]["id"]
    assert client.predict("medical", {"ks": [0]}, api_name="/learning_curve")["error"]["kind"] == "input"


def test_decide_and_cascade_read_a_kept_evaluation_and_the_cascade_runs(client):
    texts = [
        {"text": f"The {aid} is {word} recommended for daily use.", "label": label, "language": "en"}
        for aid in ("lift", "bed", "ramp", "walker")
        for word, label in (("", "positive"), ("not", "negative"))
    ]
    first, second = "embedded/encoder@fp32", "embedded/decoder@bf16"
    made = client.predict("medical", [first, second], {"texts": texts}, api_name="/evaluate")
    number = made["evaluation"]["id"]
    board = client.predict(number, {"axis": "latency", "max_cost": 1000}, api_name="/decide")
    assert board["error"] is None
    assert board["decision"]["choice"] in (first, second)
    assert all(candidate["cost_per_1000"] > 0 for candidate in board["candidates"])
    found = client.predict(first, second, number, {"goal": "cost"}, api_name="/cascade")
    assert found["error"] is None
    (run,) = compare(client, found["candidate"])
    assert run["error"] is None
    assert run["stages"][0]["candidate"] == first
    assert "no evaluation" in client.predict(10**6, {}, api_name="/decide")["error"]["message"]
    assert client.predict(second, first, number, {}, api_name="/cascade")["error"]["remedy"]
