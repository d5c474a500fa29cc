"""What axe-core finds on the real page: `python -m tests.accessibility` prints it, for every tab and a finished run,
light and dark, wide and phone. The script of axe-core comes from the installed package axe-playwright-python.
"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
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
_FILLED = 5  # states that `walk` adds with `run`
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


def tab_names(browser: Browser, address: str) -> list[str]:
    """The tabs' names, in their order; of a wide page, since a phone's menu hides some."""
    page = browsing.open_page(browser, address)
    names = page.get_by_role("tab").all_inner_texts()
    page.context.close()
    return names


def open_all(page: Page) -> None:
    """Unfold every accordion and explanation that is in sight."""
    closed = page.locator("button.label-wrap:not(.open):visible")
    while closed.count():
        closed.first.click()
    page.evaluate("window.scrollTo(0, 0)")  # from under the bar that sticks to the top
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.wait_for_timeout(600)  # until what unfolds stands still


def examine(page: Page, state: str, part: str | None = None) -> Iterator[Finding]:
    """What axe-core says of the page as it is, or of a part of it that a selector names."""
    for violation in Axe().run(page, context=part, options=_RULES).response["violations"]:
        for node in violation["nodes"]:
            why = node["failureSummary"].splitlines()[-1].strip()
            element = f"{' '.join(map(str, node['target']))} {node['html'][:200]}"
            yield Finding(state, violation["id"], str(violation["impact"]), element, why)


def walk(
    browser: Browser, address: str, theme: str, size: str, names: list[str], run: bool = True
) -> Iterator[Finding]:
    """Every tab with all of it unfolded; with `run`, also a plan, a comparison with an error, and an evaluation."""
    page = browsing.open_page(browser, browsing.link(address, *_CHOSEN, theme=theme), size)
    for place, name in enumerate(names):
        browsing.tab(page, name)
        open_all(page)
        # What stands above and below the tabs is the same on each.
        yield from examine(page, f"{name}, {theme}, {size}", _SHOWN_TAB if place else None)
    if run:
        browsing.run(page)
        browsing.wait_finished(page, len(_CHOSEN))
        expect(page.locator("#summary")).not_to_be_empty()
        open_all(page)
        yield from examine(page, f"a finished run, {theme}, {size}", "#results")
    page.context.close()
    if run:
        yield from _filled(browser, browsing.link(address, _CHOSEN[0], theme=theme), theme, size)


def _filled(browser: Browser, url: str, theme: str, size: str) -> Iterator[Finding]:
    """A plan, an evaluation, and what Decide and History show of it."""
    page = browsing.open_page(browser, url, size)
    browsing.tab(page, "Future")
    open_all(page)
    page.locator("#plan").click()
    expect(page.locator("#plan-said table").first).to_be_visible()
    yield from examine(page, f"a plan, {theme}, {size}", _SHOWN_TAB)
    browsing.tab(page, "Evaluate")
    page.locator("#evaluate").click()
    expect(page.locator("#metrics table").first).to_be_visible(timeout=240_000)
    for name in ("Evaluate", "Decide", "History"):
        browsing.tab(page, name)
        page.wait_for_timeout(2000)
        open_all(page)
        yield from examine(page, f"{name} with an evaluation, {theme}, {size}", _SHOWN_TAB)
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
    findings: list[Finding] = []
    with tempfile.TemporaryDirectory() as name, browsing.chromium() as browser:
        folder = Path(name)
        with app(folder / "data", folder / "app.log") as address:
            names = tab_names(browser, address)
            looks = [(theme, size) for theme in THEMES for size in browsing.SIZES]
            for look in looks:
                findings += walk(browser, address, *look, names)
    print(report(findings))
    serious = [finding for finding in findings if finding.impact in SERIOUS and not finding.known]
    states = len(looks) * (len(names) + _FILLED)
    appearances = ", ".join(" ".join(look) for look in looks)
    print(f"axe-core {VERSION}, {states} states, {appearances}: {len(serious)} serious to mend")
    sys.exit(bool(serious))


if __name__ == "__main__":
    main()
