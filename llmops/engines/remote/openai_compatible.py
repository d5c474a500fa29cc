"""The OpenAI-compatible engine: OpenAI itself as the baseline, or any server that speaks its chat completions.

The address is always passed explicitly, and a key goes only where it belongs: the one typed on the page to the address
typed beside it, the environment's to OpenAI or the environment's own address.
"""

import asyncio
import ipaddress
import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from llmops.core.candidate import Candidate
from llmops.core.errors import InputError, LlmopsError, NotConfigured
from llmops.core.request import Connection, Job, Request
from llmops.core.settings import Settings
from llmops.core.task import Task
from llmops.engines.remote.addresses import http_client
from llmops.engines.remote.chat import Accepts, Chunk, RemoteModel, as_chunk, model_notes
from llmops.engines.remote.errors import explain
from llmops.hub.allowed import check_model

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_OPENAI = "https://api.openai.com/v1"
_CONNECT_S = 5.0
_TOP_LOGPROBS = 20
_NO_KEY = "none"


class OpenAIEngine:
    """Makes RemoteModels for OpenAI-compatible endpoints."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def key(self, candidate: Candidate, task: Task) -> str:
        """Nothing heavy is held, so nothing is shared."""
        return str(candidate)

    def device(self, candidate: Candidate, connection: Connection) -> str:
        """`remote`; a server on this very machine shares its cores, so it waits its turn like a local model."""
        return "cpu" if _is_loopback(address(connection)) else "remote"

    def estimate_bytes(self, candidate: Candidate) -> int | None:
        """Not known from here."""
        return None

    def load(self, candidate: Candidate, task: Task, job: Job) -> RemoteModel:
        """No call is made. Raises NotConfigured or InputError."""
        base_url = address(job.connection)
        key_for(base_url, job.connection)
        if not job.connection.openai_key and base_url in (_OPENAI, os.environ.get("OPENAI_BASE_URL", "").rstrip("/")):
            check_model(candidate.model, self._settings)  # the operator pays, or serves

        async def open_stream(request: Request, accepts: Accepts) -> AsyncIterator[Chunk]:
            async with _client(request.connection, self._settings) as client:
                yield Chunk(sent=True)
                stream = await client.chat.completions.create(
                    **arguments(candidate.model, request, accepts, _TOP_LOGPROBS)
                )
                async with stream:
                    async for part in stream:
                        yield as_chunk(part)

        is_openai = base_url == _OPENAI
        where = "OpenAI" if is_openai else urlsplit(base_url).netloc
        if _is_loopback(base_url):
            return RemoteModel(candidate, open_stream, Accepts(completion_tokens=is_openai), ())
        sent_to = "OpenAI" if is_openai else "a server of your choice"
        return RemoteModel(candidate, open_stream, Accepts(completion_tokens=is_openai), model_notes(where), sent_to)


def make(settings: Settings) -> OpenAIEngine:
    """See engines.Engines."""
    return OpenAIEngine(settings)


def address(connection: Connection) -> str:
    """The base URL: typed, of the environment, or OpenAI's. Raises InputError for what is no address."""
    return check_address(connection.base_url or os.environ.get("OPENAI_BASE_URL") or _OPENAI)


def check_address(url: str) -> str:
    """http or https, a host, no user or password in it. Which hosts may be asked is decided here too, for all."""
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = None, None
    if parts is None or parts.scheme not in ("http", "https") or not host or any(c.isspace() for c in url):
        raise InputError("The server address is not a URL.", "Write http://host:port/v1 or https://….")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InputError("The server address holds more than host and path.", "Put the key into its own field.")
    return url


def key_for(base_url: str, connection: Connection) -> str:
    """The key that may go to an address. Raises NotConfigured where OpenAI has none."""
    if connection.openai_key:
        return connection.openai_key
    own = os.environ.get("OPENAI_BASE_URL", "").strip().rstrip("/") or _OPENAI
    key = os.environ.get("OPENAI_API_KEY") if base_url in (own, _OPENAI) else None
    if key:
        return key
    if base_url == _OPENAI:
        raise NotConfigured(
            "There is no OpenAI key and no other server.",
            "Set OPENAI_API_KEY, type a key in the Present tab, or type the address of a compatible server.",
        )
    return _NO_KEY


def list_models(connection: Connection, settings: Settings) -> list[str]:
    """Model names that the endpoint lists, sorted. Raises LlmopsError."""

    async def ask() -> list[str]:
        async with _client(connection, settings) as client:
            return sorted([model.id async for model in client.models.list()])

    try:
        return asyncio.run(ask())
    except LlmopsError:
        raise
    except Exception as error:
        explained = explain(error, "the list of models", connection)
        raise type(explained)(explained.message, "A model's name can be typed all the same.") from None


def _client(connection: Connection, settings: Settings) -> "AsyncOpenAI":
    from openai import AsyncOpenAI, Timeout

    base_url = address(connection)
    timeout = Timeout(connection.timeout_s, connect=_CONNECT_S)
    return AsyncOpenAI(
        api_key=key_for(base_url, connection),
        base_url=base_url,
        timeout=timeout,
        http_client=http_client(timeout, settings),
        max_retries=0,  # ours are announced, and are in no figure
    )


def arguments(model: str, request: Request, accepts: Accepts, top_logprobs: int) -> dict[str, Any]:
    """A streamed chat completion's arguments, without what the endpoint is known to refuse."""
    generation = request.generation
    limit = "max_completion_tokens" if accepts.completion_tokens else "max_tokens"
    made: dict[str, Any] = {
        "model": model,
        "messages": request.task.messages(request.text, request.language),
        "stream": True,
        limit: generation.max_new_tokens,
    }
    if accepts.temperature:
        made["temperature"] = generation.temperature
    if accepts.seed:
        made["seed"] = generation.seed
    if accepts.stream_options:
        made["stream_options"] = {"include_usage": True}
    if accepts.logprobs:
        made |= {"logprobs": True, "top_logprobs": top_logprobs}
    return made


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
