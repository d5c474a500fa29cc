"""The OpenAI-compatible engine: OpenAI itself as the baseline, or any server that speaks its chat completions."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llmops.core.candidate import Candidate
from llmops.core.errors import LlmopsError
from llmops.core.request import Connection, Job, Request
from llmops.core.settings import Settings
from llmops.core.task import Task
from llmops.engines.remote import endpoint
from llmops.engines.remote.addresses import http_client
from llmops.engines.remote.chunks import Chunk, as_chunk
from llmops.engines.remote.errors import explain
from llmops.engines.remote.model import RemoteModel, model_notes
from llmops.engines.remote.parameters import AcceptedParameters, completion_arguments
from llmops.hub.allowed import check_model

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_CONNECT_S = 5.0
_TOP_LOGPROBS = 20


class OpenAIEngine:
    """Makes RemoteModels for OpenAI-compatible endpoints."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def key(self, candidate: Candidate, _task: Task) -> str:
        """Nothing heavy is held, so nothing is shared."""
        return str(candidate)

    def device(self, _candidate: Candidate, connection: Connection) -> str:
        """`remote`; a server on this very machine shares its cores, so it waits its turn like a local model."""
        return "cpu" if endpoint.is_loopback(endpoint.base_url_of(connection)) else "remote"

    def estimate_bytes(self, _candidate: Candidate) -> int | None:
        """Not known from here."""
        return None

    def load(self, candidate: Candidate, _task: Task, job: Job) -> RemoteModel:
        """No call is made. Raises NotConfigured or InputError."""
        base_url = endpoint.base_url_of(job.connection)
        endpoint.key_for(base_url, job.connection)
        if not job.connection.openai_key and base_url in (
            endpoint.OPENAI,
            os.environ.get("OPENAI_BASE_URL", "").rstrip("/"),
        ):
            check_model(candidate.model, self._settings)  # the operator pays, or serves

        async def open_stream(request: Request, accepted: AcceptedParameters) -> AsyncIterator[Chunk]:
            async with _client(request.connection, self._settings) as client:
                yield Chunk(sent=True)
                stream = await client.chat.completions.create(
                    **completion_arguments(candidate.model, request, accepted, _TOP_LOGPROBS)
                )
                async with stream:
                    async for part in stream:
                        yield as_chunk(part)

        is_openai = base_url == endpoint.OPENAI
        accepted = AcceptedParameters(completion_tokens=is_openai)
        name = "OpenAI" if is_openai else urlsplit(base_url).netloc
        if endpoint.is_loopback(base_url):
            return RemoteModel(candidate, open_stream, accepted, ())
        sent_to = "OpenAI" if is_openai else "a server of your choice"
        return RemoteModel(candidate, open_stream, accepted, model_notes(name), sent_to)


def make(settings: Settings) -> OpenAIEngine:
    """See engines.Engines."""
    return OpenAIEngine(settings)


def list_models(connection: Connection, settings: Settings) -> list[str]:
    """Model names that the endpoint lists, sorted. Raises LlmopsError."""

    async def ask() -> list[str]:
        async with _client(connection, settings) as client:
            return sorted([model.id async for model in client.models.list()])

    try:
        return asyncio.run(ask())
    except LlmopsError:
        raise
    except Exception as error:  # noqa: BLE001  whatever the client raises; explain() logs what is unforeseen
        explained = explain(error, "the list of models", connection)
        raise type(explained)(explained.message, "A model's name can be typed all the same.") from None


def _client(connection: Connection, settings: Settings) -> "AsyncOpenAI":
    from openai import AsyncOpenAI, Timeout

    base_url = endpoint.base_url_of(connection)
    timeout = Timeout(connection.timeout_s, connect=_CONNECT_S)
    return AsyncOpenAI(
        api_key=endpoint.key_for(base_url, connection),
        base_url=base_url,
        timeout=timeout,
        http_client=http_client(timeout, settings),
        max_retries=0,  # ours are announced, and are in no figure
    )
