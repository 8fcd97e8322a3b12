"""Runs a probe once."""

import asyncio
import socket
import sys
from http.client import responses

import aiohttp
from docker import APIClient
from docker.errors import APIError

from landlord.api.workload import Probe
from landlord.backends.docker.endpoint import find_endpoint
from landlord.backends.docker.engine import Engine, read_reason
from landlord.backends.docker.observed import reach
from landlord.backends.docker.observed.container import InspectedContainer, read_networks
from landlord.backends.urls import format_host
from landlord.errors import Stuck

SETTLE = 0.1
"""Seconds after which the engine's port proxy, which accepts at once, has closed a connection that nobody
accepts behind it."""
EXEC_POLL = 0.05


class ProbeFailed(Exception):
    """The probe failed, for the reason in the text."""


async def try_probe(engine: Engine, probe: Probe, inspected: InspectedContainer) -> str | None:
    """Run the probe once. Returns why it failed, or None. Raises StepError if the engine fails,
    and Stuck if the worker can't ask the container.

    The reason does not repeat the container's own answer, which may contain the value of a Secret.
    """
    try:
        async with asyncio.timeout(probe.timeout_seconds):
            if probe.http_get:
                address = await _find_address(engine, inspected, probe.http_get.port)
                await _try_http(address, probe.http_get.path)
            elif probe.tcp_socket:
                await _try_tcp(*await _find_address(engine, inspected, probe.tcp_socket.port))
            elif probe.exec:
                await _try_exec(engine, inspected["Id"], list(probe.exec.command))
    except TimeoutError:
        return f"{_describe(probe)}: no success within {probe.timeout_seconds} s"
    except ProbeFailed as error:
        return f"{_describe(probe)}: {error}"
    return None


async def _find_address(engine: Engine, inspected: InspectedContainer, port: int) -> tuple[str, int]:
    """Find where the worker can ask a port. Raises Stuck if another program might answer everywhere."""
    if not any(each["IPAddress"] for each in (read_networks(inspected) or {}).values()):
        raise ProbeFailed("the container has no address yet")
    interfaces = {name for _, name in socket.if_nameindex()}
    if shared := reach.find_shared_address(inspected, port, interfaces):
        return shared
    worker = reach.WorkerHost(socket.gethostname(), sys.platform == "linux", interfaces)
    info = await engine.run(lambda api: api.info())
    try:
        return reach.find_forwarded_address(inspected, port, info, find_endpoint().url, worker)
    except reach.OutOfReach as error:
        raise Stuck(
            "Unsupported",
            f"the worker can't probe the container: {error.reason}",
            "use an exec probe, which runs in the container; docs/backends/docker.md says which ports of "
            "which engines the worker can ask",
        ) from error


async def _try_http(address: tuple[str, int], path: str) -> None:
    host, port = address
    url = f"http://{format_host(host)}:{port}{path}"
    try:
        async with aiohttp.ClientSession() as session, session.get(url, allow_redirects=False) as answer:
            if not 200 <= answer.status < 400:
                raise ProbeFailed(f"answered {answer.status} {responses.get(answer.status, '')}".rstrip())
    except aiohttp.ClientConnectorError as error:
        raise ProbeFailed(str(error)) from error
    except aiohttp.ClientError as error:
        raise ProbeFailed(f"no answer by HTTP ({type(error).__name__})") from error


async def _try_tcp(host: str, port: int) -> None:
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError as error:
        raise ProbeFailed(error.strerror or str(error)) from error
    try:
        async with asyncio.timeout(SETTLE):
            greeting = await reader.read(1)
        if not greeting:
            raise ProbeFailed("the connection was closed at once")
    except TimeoutError:
        return  # accepted, and waiting for the client to send
    except OSError as error:
        raise ProbeFailed(error.strerror or str(error)) from error
    finally:
        writer.close()


async def _try_exec(engine: Engine, container_id: str, command: list[str]) -> None:
    exec_id = await engine.run(lambda api: _start_exec(api, container_id, command))
    while True:
        state = await engine.run(lambda api: api.exec_inspect(exec_id))
        if not state["Running"]:
            break
        await asyncio.sleep(EXEC_POLL)
    if state["ExitCode"] != 0:
        raise ProbeFailed(f"exited with {state['ExitCode']}")


def _start_exec(api: APIClient, container_id: str, command: list[str]) -> str:
    """Start the command detached, so that it blocks no thread if it hangs; reuse one that still runs."""
    for exec_id in api.inspect_container(container_id)["ExecIDs"] or ():
        config = api.exec_inspect(exec_id)["ProcessConfig"]
        if [config["entrypoint"], *config["arguments"]] == command:
            return str(exec_id)
    try:
        exec_id = api.exec_create(container_id, command, stdout=False, stderr=False)["Id"]
        api.exec_start(exec_id, detach=True)
    except APIError as error:
        raise ProbeFailed(read_reason(error)) from error
    return str(exec_id)


def _describe(probe: Probe) -> str:
    if probe.http_get:
        return f"GET {probe.http_get.path} on port {probe.http_get.port}"
    if probe.tcp_socket:
        return f"connection to port {probe.tcp_socket.port}"
    return f"command {' '.join(probe.exec.command) if probe.exec else ''}"
