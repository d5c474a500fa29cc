"""An evaluation as JUnit XML, which continuous integration draws: a suite a candidate, a case a promise."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree


def junit_xml(evaluation: Mapping[str, Any], limits: Mapping[str, float]) -> str:
    """evaluation: its plain data (metrics, ended, errors); limits: figure → least value.

    The cases of a candidate: it ended well, it answered texts, and each limit is held.
    """
    root = ElementTree.Element("testsuites", name=f"evaluation {evaluation['evaluation']['id']}")
    measured = {metrics["candidate"]: metrics for metrics in evaluation["metrics"]}
    for name in dict.fromkeys([*measured, *evaluation["ended"]]):
        cases = _cases(measured.get(name), evaluation["ended"].get(name), evaluation["errors"].get(name), limits)
        failures = sum(bool(why) for _, why in cases)
        suite = ElementTree.SubElement(root, "testsuite", name=name, tests=str(len(cases)), failures=str(failures))
        for case, why in cases:
            element = ElementTree.SubElement(suite, "testcase", classname=name, name=case)
            if why:
                ElementTree.SubElement(element, "failure", message=why)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def _cases(
    metrics: Mapping[str, Any] | None,
    ended: Mapping[str, str] | None,
    error: Mapping[str, Any] | None,
    limits: Mapping[str, float],
) -> Sequence[tuple[str, str]]:
    """(what is promised, why it does not hold; "" where it does)."""
    cases = [("ends without an error", f"{ended['message']} {ended['remedy']}".strip() if ended else "")]
    if metrics is None:
        return cases
    commonest = f"{error['message']} {error['remedy']}".strip() if error else ""
    cases.append(("answers texts", (commonest or "all failed") if metrics["failed_rate"] == 1 else ""))
    for figure, least in limits.items():
        under = metrics[figure] < least
        cases.append((f"{figure} at least {least:g}", f"{figure} is {metrics[figure]:.3f}" if under else ""))
    return cases
