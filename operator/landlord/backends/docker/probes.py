"""Runs a probe once."""

import asyncio
from http.client import responses

import aiohttp
from docker import APIClient
from docker.errors import APIError

from landlord.api.workload import Probe
from landlord.backends.docker.desired import ports
from landlord.backends.docker.engine import Engine, read_reason
from landlord.backends.docker.observed.container import InspectedContainer
from landlord.backends.urls import format_host

SETTLE = 0.1
"""Seconds after which the engine's port proxy, which accepts at once, has closed a connection that nobody
accepts behind it."""
EXEC_POLL = 0.05


class ProbeFailed(Exception):
    """The probe failed, for the reason in the text."""


async def try_probe(engine: Engine, probe: Probe, inspected: InspectedContainer) -> str | None:
    """Run the probe once. Returns why it failed, or None. Raises StepError if the engine fails.

    The reason does not repeat the container's own answer, which may contain the value of a Secret.
    """
    try:
        async with asyncio.timeout(probe.timeout_seconds):
            if probe.http_get:
                await _try_http(_find_address(inspected, probe.http_get.port), probe.http_get.path)
            elif probe.tcp_socket:
                await _try_tcp(*_find_address(inspected, probe.tcp_socket.port))
            elif probe.exec:
                await _try_exec(engine, inspected["Id"], list(probe.exec.command))
    except TimeoutError:
        return f"{_describe(probe)}: no success within {probe.timeout_seconds} s"
    except ProbeFailed as error:
        return f"{_describe(probe)}: {error}"
    return None


def _find_address(inspected: InspectedContainer, port: int) -> tuple[str, int]:
    """Find the address of a container port: the published one, otherwise that on the container's network."""
    settings = inspected["NetworkSettings"]
    if published := ports.find_address(settings["Ports"], f"{port}/tcp"):
        return published
    addresses = [network["IPAddress"] for network in settings["Networks"].values() if network["IPAddress"]]
    if not addresses:
        raise ProbeFailed("the container has no address yet")
    return addresses[0], port


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
