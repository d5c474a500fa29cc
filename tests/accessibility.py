"""What axe-core finds on the real page: `python -m tests.accessibility` prints it, for every tab and a finished run,
light and dark, wide and phone. The script of axe-core comes from the installed package axe-playwright-python.
"""

import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support import browsing
from tests.support.serving import app

VERSION = Axe().axe_script[:40].split()[2].lstrip("v")
SERIOUS = ("serious", "critical")
THEMES = ("light", "dark")
_SHOWN_TAB = '[role="tabpanel"]:not([style*="display: none"])'
_CHOSEN = ("embedded/encoder@fp32?method=zero-shot", "embedded/decoder@bf16", "openai/gpt-5.4-mini")
_BOARDS = {"Evaluate": "#metrics table", "Decide": "#decision table", "History": "#history-found table"}
# What unfolds stands still: nothing moves any more, and the page is as high as a quarter of a second before.
_STILL = """() => {
    const now = performance.now(), height = document.documentElement.scrollHeight;
    if (window.lastHeight?.height !== height) window.lastHeight = {height, since: now};
    return now - window.lastHeight.since > 250;
}"""
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# What sits inside Gradio's own components and can't be mended from outside: (rule, part of the element) → why.
KNOWN: dict[tuple[str, str], str] = {
    ("scrollable-region-focusable", "virtual-table-viewport"): (
        "the grid around the scrolling part takes the focus, and its arrow keys scroll; a focus of its own would break "
        "the grid's rows (aria-required-children)"
    ),
}


@dataclass(frozen=True)
class Finding:
    """One element that breaks one rule in one state of the page."""

    state: str
    rule: str
    impact: str
    element: str
    why: str

    @property
    def known(self) -> str:
        """Why it can't be mended here; empty where it can."""
        return next(
            (why for (rule, part), why in KNOWN.items() if rule == self.rule and part in self.element),
            "",
        )


def open_all(page: Page) -> None:
    """Unfold every accordion and explanation that is in sight."""
    closed = page.locator("button.label-wrap:not(.open):visible")
    while closed.count():
        closed.first.click()
    page.evaluate("window.scrollTo(0, 0)")  # from under the bar that sticks to the top
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.wait_for_function(_STILL)


@dataclass
class Walk:
    """What was found, in which states of the page, and the address of every request that the page made meanwhile."""

    theme: str
    size: str
    findings: list[Finding] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    def examine(self, page: Page, what: str, part: str | None = None) -> None:
        """What axe-core says of the page as it is, or of a part of it that a selector names."""
        state = f"{what}, {self.theme}, {self.size}"
        self.states.append(state)
        for violation in Axe().run(page, context=part, options=_RULES).response["violations"]:
            for node in violation["nodes"]:
                why = node["failureSummary"].splitlines()[-1].strip()
                element = f"{' '.join(map(str, node['target']))} {node['html'][:200]}"
                self.findings.append(Finding(state, violation["id"], str(violation["impact"]), element, why))


def walk(browser: Browser, address: str, theme: str, size: str, run: bool = True) -> Walk:
    """Every tab with all of it unfolded; with `run`, also a plan, a comparison with an error, and an evaluation."""
    seen = Walk(theme, size)
    page = browsing.open_page(browser, browsing.link(address, *_CHOSEN, theme=theme), asked=seen.asked)
    names = page.get_by_role("tab").all_inner_texts()  # of a wide page: a phone's menu hides some
    page.set_viewport_size(dict(zip(("width", "height"), browsing.SIZES[size], strict=True)))
    for place, name in enumerate(names):
        browsing.tab(page, name)
        open_all(page)
        seen.examine(page, name, _SHOWN_TAB if place else None)  # above and below the tabs it is the same on each
    if run:
        browsing.run(page)
        browsing.wait_finished(page, len(_CHOSEN))
        expect(page.locator("#summary")).not_to_be_empty()
        open_all(page)
        seen.examine(page, "a finished run", "#results")
    page.context.close()
    if run:
        _walk_filled(browser, browsing.link(address, _CHOSEN[0], theme=theme), seen)
    return seen


def _walk_filled(browser: Browser, url: str, seen: Walk) -> None:
    """A plan, an evaluation, and what Decide and History show of it."""
    page = browsing.open_page(browser, url, seen.size, seen.asked)
    browsing.tab(page, "Future")
    open_all(page)
    page.locator("#plan").click()
    expect(page.locator("#plan-said table").first).to_be_visible()
    seen.examine(page, "a plan", _SHOWN_TAB)
    browsing.tab(page, "Evaluate")
    page.locator("#evaluate").click()
    expect(page.locator("#metrics table").first).to_be_visible(timeout=240_000)
    for name, filled in _BOARDS.items():
        browsing.tab(page, name)
        expect(page.locator(filled).first).to_be_visible()
        open_all(page)
        seen.examine(page, f"{name} with an evaluation", _SHOWN_TAB)
    page.context.close()


def report(findings: list[Finding]) -> str:
    """A line a rule and element, with the number of states it was seen in; what is known apart."""
    lines = []
    for known in (False, True):
        some = [finding for finding in findings if bool(finding.known) is known]
        seen = dict.fromkeys(
            (finding.impact, finding.rule, finding.element, finding.known or finding.why) for finding in some
        )
        lines.append(f"{'known, within Gradio' if known else 'to mend'}: {len(seen)}")
        for impact, rule, element, why in seen:
            states = [finding.state for finding in some if (finding.rule, finding.element) == (rule, element)]
            lines.append(f"  {impact:9} {rule:28} {len(states)} states, first: {states[0]}\n    {element}\n    {why}")
    return "\n".join(lines)


def main() -> None:
    """Print the report; ends with 1 where something serious is not known."""
    with tempfile.TemporaryDirectory() as name, browsing.chromium() as browser:
        folder = Path(name)
        with app(folder / "data", folder / "app.log") as address:
            walks = [walk(browser, address, theme, size) for theme in THEMES for size in browsing.SIZES]
    findings = [finding for seen in walks for finding in seen.findings]
    print(report(findings))
    serious = [finding for finding in findings if finding.impact in SERIOUS and not finding.known]
    appearances = ", ".join(f"{seen.theme} {seen.size}" for seen in walks)
    states = sum(len(seen.states) for seen in walks)
    print(f"axe-core {VERSION}, {states} states, {appearances}: {len(serious)} serious to mend")
    sys.exit(bool(serious))


if __name__ == "__main__":
    main()
