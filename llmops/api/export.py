"""/export from plain values to plain data."""

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import Field

from llmops.api.context import error_in
from llmops.core.given import GivenSettings, Whole, unknown_choice
from llmops.core.settings import Settings
from llmops.history.store import History
from llmops.i18n.translation import LANGUAGES
from llmops.report.export import FORMATS, export


class GivenExport(GivenSettings):
    """Which evaluation is exported, and how."""

    evaluation: Whole = Field(description="its id")
    kind: str = Field("html", description=", ".join(FORMATS), json_schema_extra={"enum": list(FORMATS)})
    language: str = Field("en", description="of the html", json_schema_extra={"enum": list(LANGUAGES)})


def export_data(settings: Settings, given: Mapping[str, Any], owner: str = "") -> dict[str, Any]:
    """An evaluation as a file: its name and its bytes in base64. given: GivenExport's settings."""
    answer: dict[str, Any] = {"error": None}
    with error_in(answer, "export"):
        asked = GivenExport.read(given)
        if asked.kind not in FORMATS:
            raise unknown_choice("format", asked.kind, FORMATS)
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"evaluation-{asked.evaluation}.{asked.kind}"
            export(History(settings.history_path, owner), asked.evaluation, path, language=asked.language)
            answer |= {"name": path.name, "base64": b64encode(path.read_bytes()).decode()}
    return answer
