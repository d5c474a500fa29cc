"""Pictures of the real page: `python -m tests.screenshots` makes the README's; `--every FOLDER`: all of them.

Starts the app and `transformers serve` with the embedded decoder, and runs six candidates side by side.
"""

import argparse
import io
import tempfile
from pathlib import Path

from PIL import Image

from llmops.demo import DECODER_DIR
from tests import browsing
from tests.serving import ROOT, app, transformers_serve

PICTURES = Path(__file__).parent / "pictures"
SERVED = DECODER_DIR.relative_to(ROOT)  # as in the README: no path of this machine in a picture
TEXT = "Contraindications were excluded, and the trial at home was a success; we support the rollator."
CANDIDATES = (
    "embedded/encoder@fp32?method=few-shot",
    "embedded/encoder@fp32?method=setfit",
    "embedded/decoder@bf16",
    "embedded/decoder@int8",
    "embedded/decoder@nf4",
    f"openai/{SERVED}",
)


README = (("light", "wide"), ("dark", "wide"), ("light", "phone"))


def main() -> None:
    """Parse the command line and take the pictures."""
    parser = argparse.ArgumentParser(description="Take pictures of the page.")
    parser.add_argument("--every", type=Path, metavar="FOLDER", help="each tab in light and dark, wide and phone")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        served = transformers_serve(SERVED, folder / "serve.log")
        with served as url, app(folder / "data", folder / "app.log") as address, browsing.chromium() as browser:
            shoot(browser, address, url, args.every)


def shoot(browser: browsing.Browser, address: str, url: str, every: Path | None) -> None:
    """One finished comparison a theme and size; the README's three, or all tabs too."""
    PICTURES.mkdir(exist_ok=True)
    for theme in ("light", "dark"):
        for size in browsing.SIZES:
            page = browsing.open_page(browser, browsing.link(address, *CANDIDATES, theme=theme), size)
            browsing.type_address(page, url)
            if every:
                every.mkdir(parents=True, exist_ok=True)
                for tab in ("Past", "Present", "Future"):
                    browsing.tab(page, tab)
                    page.wait_for_timeout(400)
                    _keep(every / f"{tab.lower()}-{theme}-{size}.png", page.screenshot(full_page=True))
            if (theme, size) == README[0] or every:
                _plan_and_probe(page, (every or PICTURES), f"{theme}-{size}")
            browsing.tab(page, "Present")
            page.get_by_role("button", name="OpenAI, or any compatible server").click()
            browsing.run(page, TEXT)
            browsing.wait_finished(page, len(CANDIDATES))
            page.wait_for_timeout(400)
            if every:
                _keep(every / f"run-{theme}-{size}.png", page.screenshot(full_page=True))
            elif (theme, size) in README:
                _keep(PICTURES / f"{theme}-{size}.png", page.screenshot(full_page=True))
            page.context.close()


def _plan_and_probe(page: browsing.Page, folder: Path, name: str) -> None:
    """A plan of the big model, a dry run of a small one; a load and a context probe of the embedded decoder."""
    browsing.tab(page, "Future")
    page.get_by_role("button", name="Will it fit? Memory, speed and price on every GPU").click()
    page.locator("#plan").click()
    browsing.expect(page.locator("#plan-said table")).to_be_visible()
    model = page.get_by_label("Model to plan for")
    model.fill("HuggingFaceTB/SmolLM2-135M-Instruct")
    model.press("Enter")
    page.locator("#dry-run").click()
    browsing.expect(page.locator("#dry-run-said table")).to_be_visible(timeout=240_000)
    page.wait_for_timeout(1500)
    _keep(folder / f"plan-{name}.png", page.locator("#planning").screenshot())
    browsing.tab(page, "Probes")
    page.locator("#probe-load").click()
    browsing.expect(page.locator("#load-said")).to_contain_text("Done", timeout=240_000)
    page.locator("#probe-context").click()
    browsing.expect(page.locator("#context-said")).to_contain_text("Done", timeout=240_000)
    page.wait_for_timeout(1500)
    _keep(folder / f"probes-{name}.png", page.locator("#probes").screenshot())


def _keep(path: Path, picture: bytes) -> None:
    """With 128 colours: a third of the bytes, and nobody sees it on a page like this."""
    few = Image.open(io.BytesIO(picture)).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    main()
