"""What each named endpoint reads, from the models of settings: JSON schemas, and the words of its documentation."""

import inspect
from collections.abc import Callable
from typing import Any

from llmops.api.encoder_training import GivenTraining
from llmops.api.export import GivenExport
from llmops.api.history import GivenHistory
from llmops.core.given import GivenSettings, forms, listed, with_default
from llmops.core.run_settings import GivenRunSettings
from llmops.core.settings import Settings
from llmops.decision.decision_report import DecisionSettings
from llmops.decision.threshold_search import CascadeSettings
from llmops.evaluation.classification import GivenClassification
from llmops.evaluation.curve import GivenCurve
from llmops.evaluation.spec import GivenEvaluation
from llmops.planning.settings import GivenDryRun, GivenPlan
from llmops.probes.context import GivenContext
from llmops.probes.load import GivenLoad

# Endpoints whose `settings` are an object.
SETTINGS: dict[str, type[GivenSettings]] = {
    "compare": GivenRunSettings,
    "stream": GivenRunSettings,
    "evaluate": GivenEvaluation,
    "learning_curve": GivenCurve,
    "train": GivenTraining,
    "classify": GivenClassification,
    "load_probe": GivenLoad,
    "context_probe": GivenContext,
    "decide": DecisionSettings,
    "cascade": CascadeSettings,
}
# Those whose settings are parameters of their own.
PARAMETERS: dict[str, type[GivenSettings]] = {
    "plan": GivenPlan,
    "dry_run": GivenDryRun,
    "history": GivenHistory,
    "export": GivenExport,
}


def schemas(settings: Settings) -> dict[str, Any]:
    """Endpoint → JSON schema of its settings, or of its parameters where these are its settings."""
    found = {}
    for name, model in (SETTINGS | PARAMETERS).items():
        schema = model.model_json_schema()
        if "max_new_tokens" in schema["properties"]:
            schema["properties"]["max_new_tokens"]["maximum"] = settings.max_new_tokens
        found[f"/{name}"] = schema
    return found


def documented(endpoint: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The endpoint, with what its settings may be in its docstring, as Gradio reads it."""
    text = inspect.getdoc(endpoint) or ""
    if name in SETTINGS | PARAMETERS and "Parameters:" not in text:
        text += "\n\nParameters:"
    if name in SETTINGS:
        text += f"\n    settings: an object with any of {listed(SETTINGS[name])}"
    elif name in PARAMETERS:
        for form in forms(PARAMETERS[name]).values():
            text += f"\n    {form.name}: {with_default(form)}"
    endpoint.__doc__ = text
    return endpoint
