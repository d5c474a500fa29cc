"""JUnit XML: what continuous integration reads of an evaluation."""

from xml.etree import ElementTree

from llmops.report.junit import junit_xml

ERROR = {"message": 'It said <no> & "never".', "remedy": "Retry."}
EVALUATION = {
    "evaluation": {"id": 7},
    "metrics": [
        {"candidate": "good", "accuracy": 0.9, "macro_f1": 0.85, "failed_rate": 0.0},
        {"candidate": "bad", "accuracy": 0.0, "macro_f1": 0.0, "failed_rate": 1.0},
    ],
    "ended": {"good": None, "bad": None, "broken": ERROR},
    "errors": {"bad": {**ERROR, "texts": 4}},
}


def test_each_candidate_is_a_suite_and_each_promise_a_case():
    root = ElementTree.fromstring(junit_xml(EVALUATION, {"accuracy": 0.8, "macro_f1": 0.9}))
    suites = {suite.get("name"): suite for suite in root}
    assert {name: (suite.get("tests"), suite.get("failures")) for name, suite in suites.items()} == {
        "good": ("4", "1"),
        "bad": ("4", "3"),
        "broken": ("1", "1"),
    }
    said = {name: [failure.get("message") for failure in suite.iter("failure")] for name, suite in suites.items()}
    assert said["good"] == ["macro_f1 is 0.850"]
    assert said["bad"][0] == 'It said <no> & "never". Retry.'
    assert said["broken"] == said["bad"][:1]


def test_without_limits_a_sound_evaluation_has_no_failure():
    sound = {**EVALUATION, "metrics": EVALUATION["metrics"][:1], "ended": {"good": None}}
    assert "failure " not in junit_xml(sound, {}).replace("failures", "")
