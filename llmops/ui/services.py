"""What every callback shares in this process: settings, the pool of models, the hub, what visitors have going.

No visitor's data is among it."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import gradio as gr

from llmops.core.settings import Settings, kept_folder
from llmops.history.store import History
from llmops.hub.reachability import HubProbe
from llmops.public.crash_notice import ENDED_WELL, CrashNotice
from llmops.public.quotas import Quotas, Visitor
from llmops.report.page import figures_css
from llmops.runtime.pool import Pool
from llmops.ui.visitor import asking, visitor_of

_DIR = Path(__file__).parent


@dataclass(frozen=True)
class Services:
    """Made once by the page."""

    settings: Settings
    pool: Pool
    hub: HubProbe
    crash_notice: CrashNotice = ENDED_WELL
    quotas: Quotas = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "quotas", Quotas(self.settings))  # the class is frozen

    def asking(self) -> Visitor:
        """Who asks in the callback that runs now, or in a thread that has its context."""
        return asking(self.settings)

    def history(self, request: gr.Request | None) -> History:
        """The history as this request's visitor sees it. Raises HistoryError."""
        return History(self.settings.history_path, visitor_of(request, self.settings))

    def kept_encoders(self, owner: str = "") -> tuple[str, ...]:
        """Names of the encoders that the owner has trained here and kept."""
        folder = kept_folder(self.settings.data_dir, owner)
        return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir())) if folder.is_dir() else ()


@cache
def texts() -> dict[str, dict[str, str]]:
    """The page's longer texts, by epoch."""
    return tomllib.loads((_DIR / "texts.toml").read_text(encoding="utf-8"))


def stylesheet() -> str:
    """The page's own CSS."""
    return (_DIR / "style.css").read_text(encoding="utf-8") + figures_css()
