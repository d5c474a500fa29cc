"""What every endpoint has: the process it runs in, and how what goes wrong becomes an `error` in its answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from llmops.core.failures import as_run_error
from llmops.core.request import NOBODY, Connection
from llmops.core.settings import Settings
from llmops.public.quotas import Quotas
from llmops.runtime.pool import Pool


@dataclass(frozen=True)
class ApiContext:
    """The process. source: what the history says of where a comparison came from, api or command."""

    pool: Pool
    quotas: Quotas
    source: str = "api"

    @property
    def settings(self) -> Settings:
        """Its limits and places."""
        return self.pool.settings


@dataclass
class Asker:
    """Whose keys must not be in an error; nobody's until the settings are read."""

    connection: Connection = NOBODY


@contextmanager
def error_in(answer: dict[str, Any], doing: str) -> Iterator[Asker]:
    """Whatever goes wrong within is the answer's `error`, the unforeseen too; what was measured before it stays.

    doing: what is under way, for the log.
    """
    asker = Asker()
    try:
        yield asker
    except Exception as caught:  # noqa: BLE001  the edge: error_data logs it
        answer |= error_data(caught, doing, asker.connection)


def error_data(caught: Exception, doing: str, connection: Connection = NOBODY) -> dict[str, Any]:
    """`error` as plain data, without secrets."""
    return {"error": asdict(as_run_error(caught, doing, connection.secrets))}
