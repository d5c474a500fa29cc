"""The named endpoints for programs: /candidates and /compare. Everything else on the page is private to it."""

from typing import Any

import gradio as gr

from llmops.compare import run_all
from llmops.engines.base import Connection
from llmops.errors import LlmopsError
from llmops.inputs import make_comparison
from llmops.offer import offers
from llmops.run import Run, RunError
from llmops.task import load_builtin
from llmops.ui.services import Services

_HUB_WAIT_S = 3.0


def wire(services: Services) -> None:
    """Register the endpoints in the current Blocks."""

    def candidates() -> list[dict[str, Any]]:
        """All that can be selected: candidate text, name, epoch, available, why_not, licence, needs, weights_bytes."""
        reach = services.hub.in_reach(_HUB_WAIT_S)
        return [offer.to_json() for offer in offers(Connection(), reach, services.kept_encoders())]

    def compare(text: str, task: str, candidates: list[str], settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send one text to several candidates and return a JSON object with `runs`, in the candidates' order.

        text: the input. task: id of a built-in task, such as medical. candidates: texts such as
        embedded/decoder@nf4. settings: an object with any of language, max_new_tokens, temperature, seed, truncate,
        all_at_once, unload_after, openai_key, base_url, hf_token, provider; {} for the defaults. Without a language
        it is told from the text.
        """
        try:
            comparison = make_comparison(
                services.pool, load_builtin(task), text, candidates, settings, services.settings
            )
        except LlmopsError as error:
            failure = RunError(error.kind, error.message, error.remedy)
            return {"runs": [Run(str(one), error=failure).to_json() for one in candidates]}
        return {"runs": [run.to_json() for run in run_all(comparison)]}

    gr.api(candidates, api_name="candidates")
    gr.api(compare, api_name="compare", concurrency_limit=8)
