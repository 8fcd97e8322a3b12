"""Calls the Docker engine, in threads, because its SDK is synchronous."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from docker import APIClient, DockerClient
from docker.errors import APIError, DockerException

from landlord.backends.docker.endpoint import connect, explain_unavailable, find_innermost_reason
from landlord.errors import Retryable, StepError

T = TypeVar("T")
log = logging.getLogger(__name__)

THREADS = 20
CALL_TIMEOUT = 30
"""Seconds that the engine may take for one answer."""
WORK_TIMEOUT = 50.0
"""Seconds for all calls of one piece of work together, so that a step fails with its own reason."""


class Engine:
    """One Docker engine, found as the docker command finds it. The constructor does no I/O."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="docker")
        self._client: DockerClient | None = None
        self._connecting = threading.Lock()
        self._under_way: dict[str, asyncio.Future[Any]] = {}

    async def run(self, work: Callable[[APIClient], T], tenant_id: str | None = None) -> T:
        """Run `work` in a thread and return its result. Raises StepError.

        A thread can't be cancelled, so it continues after its caller is. Work for a tenant first waits for
        such a remainder, which could otherwise undo its result.
        """
        if tenant_id is not None and (remainder := self._under_way.get(tenant_id)):
            await self._bound(asyncio.wait([remainder]))
        future = asyncio.get_running_loop().run_in_executor(self._threads, self.run_here, work)
        if tenant_id is not None:
            self._under_way[tenant_id] = future
        future.add_done_callback(lambda done: self._finish(tenant_id, done))
        return await self._bound(asyncio.shield(future))

    def run_here(self, work: Callable[[APIClient], T]) -> T:
        """Run `work` in the calling thread, without a limit, and return its result. Raises StepError."""
        client: DockerClient | None = None
        try:
            client = self._connect()
            return work(client.api)
        except StepError:
            raise
        except APIError as error:
            raise Retryable("EngineError", f"the Docker engine failed: {read_reason(error)}") from error
        except (DockerException, OSError) as error:  # the errors of requests are OSErrors
            self._forget(client)
            raise explain_unavailable(find_innermost_reason(error)) from error

    def close(self) -> None:
        """Close the connections, without waiting for work in flight."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._forget(self._client)

    async def _bound(self, waiting: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(WORK_TIMEOUT):
                return await waiting
        except TimeoutError:
            raise explain_unavailable(f"no answer for {WORK_TIMEOUT:.0f} s") from None

    def _finish(self, tenant_id: str | None, done: asyncio.Future[Any]) -> None:
        if tenant_id is not None and self._under_way.get(tenant_id) is done:
            del self._under_way[tenant_id]
        # Read here, because the caller may have been cancelled. Only the code is logged: the text may contain
        # the value of a Secret, which the caller redacts.
        if not done.cancelled() and (error := done.exception()):
            log.debug("work on the engine failed: %s", getattr(error, "code", type(error).__name__))

    def _connect(self) -> DockerClient:
        with self._connecting:
            if self._client is None:
                self._client = connect(CALL_TIMEOUT, THREADS)
            return self._client

    def _forget(self, client: DockerClient | None) -> None:
        with self._connecting:
            if client is not None and client is self._client:
                self._client = None
                client.close()


def read_reason(error: APIError) -> str:
    """Read the engine's own text."""
    return str(error.explanation or error).strip()
