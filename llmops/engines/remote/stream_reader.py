"""Chunks of a stream, read in an event loop in a thread: only there can a blocked read be cancelled so that the
connection really closes."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, suppress

from llmops.engines.remote.chunks import Chunk

_POLL_S = 0.1


class StreamReader:
    """Reads one stream; `close` cancels it and waits until the thread has left it."""

    def __init__(self, open_stream: Callable[[], AsyncIterator[Chunk]]) -> None:
        self._open = open_stream
        self._chunks: queue.SimpleQueue[Chunk | BaseException | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="remote-stream", daemon=True)
        self._thread.start()

    def chunks(self) -> Iterator[Chunk | None]:
        """Chunks as they come; None at least every 0.1 s without one. Raises what the stream raised."""
        while True:
            try:
                chunk = self._chunks.get(timeout=_POLL_S)
            except queue.Empty:
                yield None
                continue
            if chunk is None:
                return
            if isinstance(chunk, BaseException):
                raise chunk
            yield chunk

    def close(self) -> None:
        """Cancel the stream where it goes on, and wait."""
        self._ready.wait()
        if self._loop is not None and self._task is not None and not self._task.done():
            with suppress(RuntimeError):  # it ended in this moment
                self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
            self._chunks.put(None)
        except asyncio.CancelledError:
            self._chunks.put(None)
        except BaseException as error:  # noqa: BLE001  raised again where it is read
            self._chunks.put(error)
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._ready.set()
        async with aclosing(self._open()) as stream:  # type: ignore[type-var]
            async for chunk in stream:
                self._chunks.put(chunk)
