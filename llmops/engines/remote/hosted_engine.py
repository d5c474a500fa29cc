"""The hosted engine: top open models at inference providers, through huggingface_hub's client.

A small variant of the OpenAI-compatible one. Model ids are checked before any call, because the client takes a URL as
a model and would send the token there; and a token is always passed, because the client would take the owner's.
"""

import os
import re
from collections.abc import AsyncIterator
from typing import Any

from llmops.core.candidate import Candidate
from llmops.core.errors import InputError, NotConfigured
from llmops.core.request import Connection, Job, Request
from llmops.core.settings import Settings
from llmops.core.task import Task
from llmops.engines.remote.chunks import Chunk, as_chunk
from llmops.engines.remote.endpoint import check_base_url
from llmops.engines.remote.model import RemoteModel, model_notes
from llmops.engines.remote.parameters import AcceptedParameters, completion_arguments
from llmops.hub.allowed import check_model

_ID = re.compile(r"[\w.-]+/[\w.-]+(?::[\w-]+)?")
_PROVIDER = re.compile(r"[a-z0-9-]{1,40}")
# A server to ask instead of the providers: for a private endpoint of the operator's, and for tests.
_BASE_URL = "LLMOPS_HOSTED_BASE_URL"
_NO_TOKEN = "none"
_TOP_LOGPROBS = 5  # what providers allow at most


class HostedEngine:
    """Makes RemoteModels for inference providers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def key(self, candidate: Candidate, _task: Task) -> str:
        """Nothing heavy is held, so nothing is shared."""
        return str(candidate)

    def device(self, _candidate: Candidate, _connection: Connection) -> str:
        """Always `remote`."""
        return "remote"

    def estimate_bytes(self, _candidate: Candidate) -> int | None:
        """Not known from here."""
        return None

    def load(self, candidate: Candidate, _task: Task, job: Job) -> RemoteModel:
        """No call is made. Raises NotConfigured or InputError."""
        provider = candidate.option("provider") or job.connection.provider or "auto"
        base_url = os.environ.get(_BASE_URL)
        if not base_url and not _ID.fullmatch(candidate.model):
            raise InputError(f"“{candidate.model}” is no model id.", "Write org/name, such as openai/gpt-oss-120b.")
        check_model(candidate.model.partition(":")[0], self._settings)
        if not _PROVIDER.fullmatch(provider):
            raise InputError("That is no provider's name.", "Write auto, or a name such as together.")
        _token(job.connection, base_url)

        async def open_stream(request: Request, accepted: AcceptedParameters) -> AsyncIterator[Chunk]:
            from huggingface_hub import AsyncInferenceClient

            token = _token(request.connection, base_url)
            where: dict[str, Any] = {"base_url": check_base_url(base_url)} if base_url else {"provider": provider}
            async with AsyncInferenceClient(token=token, timeout=request.connection.timeout_s, **where) as client:
                yield Chunk(sent=True)
                stream = await client.chat_completion(
                    **completion_arguments(candidate.model, request, accepted, _TOP_LOGPROBS)
                )
                async for part in stream:
                    yield as_chunk(part)

        sent_to = "the operator's endpoint" if base_url else f"Hugging Face and a provider ({provider})"
        return RemoteModel(
            candidate, open_stream, AcceptedParameters(completion_tokens=False), model_notes(sent_to), sent_to
        )


def make(settings: Settings) -> HostedEngine:
    """See engines.Engines."""
    return HostedEngine(settings)


def _token(connection: Connection, base_url: str | None) -> str:
    """The visitor's token; the owner's only towards the providers, never to another address."""
    token = connection.hf_token or (None if base_url else os.environ.get("HF_TOKEN"))
    if token:
        return token
    if base_url:
        return _NO_TOKEN
    raise NotConfigured("There is no Hugging Face token.", "Set HF_TOKEN, or type a token in the Future tab.")
