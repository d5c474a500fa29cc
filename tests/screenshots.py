"""Pictures of the real page: `python -m tests.screenshots` makes the README's; `--every FOLDER`: all of them.

Starts the app and `transformers serve` with the embedded decoder. One visit after the other: a comparison, a training,
a plan, both probes, an evaluation, the decision on it, the history. A scene drives the page and says what to picture.
"""

import argparse
import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from llmops.embedded import DECODER_DIR
from llmops.i18n.translation import Catalogue, read_pairs
from tests.support import browsing
from tests.support.browsing import Browser, Page, expect
from tests.support.serving import ROOT, app, transformers_serve

PICTURES = Path(__file__).parent / "pictures"
SERVED = DECODER_DIR.relative_to(ROOT)  # as in the README: no path of this machine in a picture
TEXT = "Contraindications were excluded, and the trial at home was a success; we support the rollator."
CANDIDATES = ("embedded/encoder@fp32?method=few-shot", "embedded/decoder@nf4", f"openai/{SERVED}")
# Past and Present in all their precisions, side by side; on a phone they would make a picture too long to look at.
SIX = (
    "embedded/encoder@fp32?method=few-shot",
    "embedded/encoder@fp32?method=setfit",
    "embedded/decoder@bf16",
    "embedded/decoder@int8",
    "embedded/decoder@nf4",
    f"openai/{SERVED}",
)
LOCAL = (CANDIDATES[0], "embedded/decoder@bf16")
GERMAN = Catalogue("de", read_pairs("de"))
_LONG_MS = 420_000
_STILL = "#run-bar { position: static !important; }"  # in a picture it would lie over what is behind it


def compare(visit: "Visit") -> str:
    """One text through encoders, decoders and an endpoint."""
    page = visit.page
    visit.tab("Present")
    panel = page.get_by_role(
        "button", name=visit.word("OpenAI, or any compatible server (vLLM, llama.cpp, Ollama, TGI, transformers serve)")
    )
    panel.click()
    page.get_by_label(visit.word("Server address (base URL)")).fill(visit.served)
    panel.click()
    page.locator("#text textarea").fill(TEXT)
    page.locator("#run").click()
    page.wait_for_timeout(500)
    browsing.wait_finished(page, page.locator(".lo-column:visible").count())
    return ""


def train(visit: "Visit") -> str:
    """An encoder trained with the settings that stand there, and its loss curve."""
    visit.tab("Past")
    visit.page.locator("#training button").first.click()
    visit.page.locator("#train").click()
    done = visit.word("Trained on 32 examples. Give it a name and keep it.")
    expect(visit.page.locator("#training-said")).to_contain_text(done, timeout=_LONG_MS)
    return "#past"


def plan(visit: "Visit") -> str:
    """A plan of the big model."""
    visit.tab("Future")
    visit.page.locator("#planning button").first.click()
    visit.page.locator("#plan").click()
    visit.wait("#plan-said table")
    return "#planning"


def probes(visit: "Visit") -> str:
    """A load and a context probe of the embedded decoder."""
    visit.tab("Probes")
    for name in ("load", "context"):
        visit.page.locator(f"#probe-{name}").click()
        expect(visit.page.locator(f"#{name}-said")).to_contain_text(visit.word("Done."), timeout=_LONG_MS)
    return "#probes"


def evaluate(visit: "Visit") -> str:
    """The held-out texts through the selected candidates."""
    visit.tab("Evaluate")
    visit.page.locator("#evaluate").click()
    visit.wait("#metrics svg.lo-plot")
    return "#evaluation"


def decide(visit: "Visit") -> str:
    """Which candidate, on the evaluation before."""
    visit.tab("Decide")
    visit.wait("#decision table")
    return "#decide"


def history(visit: "Visit") -> str:
    """What is kept."""
    visit.tab("History")
    visit.wait("#history-found table")
    return "#history"


@dataclass(frozen=True)
class Visit:
    """A visitor's page, the address of the served decoder, and the page's language."""

    page: Page
    served: str
    language: str

    def tab(self, name: str) -> None:
        browsing.tab(self.page, self.word(name))

    def word(self, english: str) -> str:
        return GERMAN.text(english) if self.language == "de" else english

    def wait(self, selector: str) -> None:
        expect(self.page.locator(selector).first).to_be_visible(timeout=_LONG_MS)


Scene = Callable[[Visit], str]  # drives the page; the selector of what is pictured, "" for the whole page
# In this order: the later ones show what the earlier ones made.
SCENES: dict[str, tuple[Scene, tuple[str, ...]]] = {
    "compare": (compare, CANDIDATES),
    "train": (train, LOCAL),
    "plan": (plan, LOCAL),
    "probes": (probes, LOCAL),
    "evaluate": (evaluate, LOCAL),
    "decide": (decide, LOCAL),
    "history": (history, LOCAL),
}
_README = {("light", "wide"): tuple(SCENES), ("dark", "wide"): ("compare",), ("light", "phone"): ("compare",)}


def main() -> None:
    """Parse the command line and take the pictures."""
    parser = argparse.ArgumentParser(description="Take pictures of the page.")
    parser.add_argument(
        "--every", type=Path, metavar="FOLDER", help="each in light and dark, wide and phone, en and de"
    )
    parser.add_argument("--language", choices=("en", "de"), action="append", help="with --every: only this")
    parser.add_argument("--scene", choices=SCENES, action="append", help="only this; repeat for more")
    args = parser.parse_args()
    folder = args.every or PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    scenes = [scene for scene in SCENES if scene in (args.scene or SCENES)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        log = Path(name)
        served = transformers_serve(SERVED, log / "serve.log")
        with served as url, app(log / "data", log / "app.log") as address, browsing.chromium() as browser:
            for language in (args.language or ("en", "de")) if args.every else ("en",):
                for theme in ("light", "dark"):
                    for size in browsing.SIZES:
                        wanted = scenes if args.every else _README.get((theme, size), ())
                        for scene in (scene for scene in scenes if scene in wanted):
                            picture = shoot(browser, address, url, scene, theme, size, language)
                            _keep(folder / f"{scene}-{theme}-{size}{'-de' if language == 'de' else ''}.png", picture)


def shoot(browser: Browser, address: str, url: str, scene: str, theme: str, size: str, language: str) -> bytes:
    """A visitor's page, driven through one scene."""
    drive, candidates = SCENES[scene]
    candidates = SIX if (scene, size) == ("compare", "wide") else candidates
    page = browsing.open_page(browser, browsing.link(address, *candidates, theme=theme) + f"&ui={language}", size)
    try:
        selector = drive(Visit(page, url, language))
        page.add_style_tag(content=_STILL)
        page.wait_for_timeout(1000)
        return page.locator(selector).screenshot() if selector else page.screenshot(full_page=True)
    finally:
        page.context.close()


def _keep(path: Path, picture: bytes) -> None:
    """With 128 colours: a third of the bytes, and nobody sees it on a page like this."""
    few = Image.open(io.BytesIO(picture)).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    main()
