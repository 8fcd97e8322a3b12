"""Finds the Docker engine as the docker command does, and connects to it.

`DOCKER_HOST` comes first, then `DOCKER_CONTEXT`, then the current context of `~/.docker/config.json`, which
Docker Desktop, colima and rootless engines set, then the local socket. The SDK does the same, but takes the
local socket where the docker command refuses a context: another engine than the user chose.
"""

import os
import socket
from dataclasses import dataclass

import docker
from docker import DockerClient
from docker.context import ContextAPI
from docker.context.config import get_current_context_name

from landlord.errors import Retryable

LOCAL = "unix:///var/run/docker.sock"
NO_CONTEXT = "default"


@dataclass(frozen=True)
class EngineAddress:
    """Where the engine is, and who says so."""

    url: str
    chosen_by: str = ""
    """Empty if nobody chose an engine, so that it is the local socket."""

    def __str__(self) -> str:
        return f"{self.url} ({self.chosen_by})" if self.chosen_by else self.url


def find_endpoint() -> EngineAddress:
    """Find the engine. Raises Retryable if a context is chosen that can't be used."""
    if host := os.environ.get("DOCKER_HOST"):
        return EngineAddress(host, "DOCKER_HOST")
    variable = os.environ.get("DOCKER_CONTEXT")
    name = variable or get_current_context_name()
    if name == NO_CONTEXT:
        return EngineAddress(LOCAL)
    chosen_by = (
        f"the Docker context {name}, chosen by {'DOCKER_CONTEXT' if variable else 'docker context use'}"
    )
    try:
        context = ContextAPI.get_context(name)
    except Exception as error:  # the SDK raises nothing narrower for a damaged file
        raise _refuse(f"{chosen_by}, can't be read: {error}") from error
    if context is None:
        raise _refuse(f"{chosen_by}, does not exist")
    if not context.Host:
        raise _refuse(f"{chosen_by}, has no endpoint of a Docker engine")
    return EngineAddress(context.Host, chosen_by)


def connect(timeout: int, connections: int) -> DockerClient:
    """Connect to the engine. Raises Retryable if it can't be used, or what the SDK raises if it is away."""
    endpoint = find_endpoint()
    if endpoint.url.startswith("ssh://"):
        raise Retryable(
            "EngineUnavailable",
            f"landlord can't reach a Docker engine by ssh, as at {endpoint}",
            "forward the engine's socket (`ssh -N -L /tmp/engine.sock:/var/run/docker.sock HOST`), and set "
            "DOCKER_HOST to it (unix:///tmp/engine.sock)",
        )
    if endpoint.url.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as knocking:  # if nobody listens, the SDK would leak a socket
            knocking.connect(endpoint.url.removeprefix("unix://"))
    return docker.from_env(timeout=timeout, max_pool_size=connections)


def explain_unavailable(why: str) -> Retryable:
    """Explain that the engine does not answer."""
    return Retryable(
        "EngineUnavailable",
        f"the Docker engine at {find_endpoint()} does not answer: {why}",
        "start the engine, or choose another by DOCKER_HOST or DOCKER_CONTEXT",
    )


def find_innermost_reason(error: BaseException) -> str:
    """Find the operating system's reason below the libraries' exceptions, if there is one."""
    current: BaseException | None = error
    text = str(error)
    while current is not None:
        for inner in (current, *current.args):
            if isinstance(inner, OSError) and inner.strerror:
                return inner.strerror
            if isinstance(inner, BaseException):
                text = str(inner)
        current = current.__cause__ or current.__context__
    return text


def _refuse(what: str) -> Retryable:
    return Retryable(
        "EngineUnavailable",
        what,
        "choose another of `docker context ls` by DOCKER_CONTEXT or `docker context use`, or set DOCKER_HOST",
    )
