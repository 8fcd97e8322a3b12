"""Calls to the Docker engine: the SDK is synchronous, so they run in threads of their own."""

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import docker
from docker import APIClient, DockerClient
from docker.errors import APIError, DockerException

from landlord.errors import Retryable, StepError

T = TypeVar("T")
log = logging.getLogger(__name__)

THREADS = 20
CALL_TIMEOUT = 30
"""Seconds that the engine may take for one answer."""
WORK_TIMEOUT = 50.0
"""Seconds for all calls of one piece of work together, so that a step ends with its own reason."""


class Engine:
    """One Docker engine, found as the docker command finds it. Constructing it does no I/O."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="docker")
        self._client: DockerClient | None = None
        self._connecting = threading.Lock()
        self._under_way: dict[str, asyncio.Future[Any]] = {}

    async def run(self, work: Callable[[APIClient], T], tenant_id: str | None = None) -> T:
        """What `work` returns, run in a thread. Raises StepError.

        A thread can't be cancelled: what the caller gave up goes on to its end. Work that names a tenant
        waits for such a remainder, so that it can't undo what is done after it.
        """
        if tenant_id is not None and (remainder := self._under_way.get(tenant_id)):
            await self._bounded(asyncio.wait([remainder]))
        future = asyncio.get_running_loop().run_in_executor(self._threads, self.work, work)
        if tenant_id is not None:
            self._under_way[tenant_id] = future
        future.add_done_callback(lambda done: self._finished(tenant_id, done))
        return await self._bounded(asyncio.shield(future))

    def work(self, work: Callable[[APIClient], T]) -> T:
        """What `work` returns, run in the calling thread for as long as it takes. Raises StepError."""
        client: DockerClient | None = None
        try:
            client = self._connected()
            return work(client.api)
        except StepError:
            raise
        except APIError as error:
            raise Retryable("EngineError", f"the Docker engine says: {read_reason(error)}") from error
        except (DockerException, OSError) as error:  # what requests raises is an OSError
            self._forget(client)
            raise explain_unavailable(_find_innermost_reason(error)) from error

    def close(self) -> None:
        """Let go of the connections; work under way is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._forget(self._client)

    async def _bounded(self, waiting: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(WORK_TIMEOUT):
                return await waiting
        except TimeoutError:
            raise explain_unavailable(f"no answer for {WORK_TIMEOUT:.0f} s") from None

    def _finished(self, tenant_id: str | None, done: asyncio.Future[Any]) -> None:
        if tenant_id is not None and self._under_way.get(tenant_id) is done:
            del self._under_way[tenant_id]
        # Asked for here because nobody else may: the caller can be gone. Its text may hold what a container
        # was told in secret, and is told by the caller without that.
        if not done.cancelled() and (error := done.exception()):
            log.debug("work on the engine failed: %s", getattr(error, "code", type(error).__name__))

    def _connected(self) -> DockerClient:
        with self._connecting:
            if self._client is None:
                _check_listening()
                self._client = docker.from_env(timeout=CALL_TIMEOUT, max_pool_size=THREADS)
            return self._client

    def _forget(self, client: DockerClient | None) -> None:
        with self._connecting:
            if client is not None and client is self._client:
                self._client = None
                client.close()


def read_reason(error: APIError) -> str:
    """The engine's own words."""
    return str(error.explanation or error).strip()


def explain_unavailable(why: str) -> Retryable:
    """The failure of an engine that does not answer."""
    return Retryable(
        "EngineUnavailable",
        f"the Docker engine at {_find_host()} does not answer: {why}; start it or set DOCKER_HOST",
    )


def _find_host() -> str:
    return os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"


def _check_listening() -> None:
    """Raises OSError if nobody listens on the engine's socket; the SDK would leak one each time."""
    if _find_host().startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.connect(_find_host().removeprefix("unix://"))


def _find_innermost_reason(error: BaseException) -> str:
    """The operating system's reason below the libraries' wrappings, if there is one."""
    seen: BaseException | None = error
    text = str(error)
    while seen is not None:
        for inner in (seen, *seen.args):
            if isinstance(inner, OSError) and inner.strerror:
                return inner.strerror
            if isinstance(inner, BaseException):
                text = str(inner)
        seen = seen.__cause__ or seen.__context__
    return text
