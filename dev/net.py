"""Find free ports, send plain HTTP requests, and wait until a program is ready."""

import functools
import http.client
import itertools
import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from dev.failure import LocalFailure

LOOPBACK = "127.0.0.1"
_OWN_PORTS = range(10000, 20000)
"""Below the ports of outgoing connections and the ports that the docker backend chooses."""
_SHARE = "LANDLORD_PORTS_SHARE"
"""`2/5`: processes with this setting use the second of five equal parts of these ports."""
_REQUEST_SECONDS = 5.0
_POLL_SECONDS = 0.05


def free_ports(count: int) -> list[int]:
    """Ports on which no process listens, and which this function has not returned before.

    The system's own choice would not do. It gives the same ports to outgoing connections, so that a part that
    restarts could find its port taken.
    """
    return list(itertools.islice(filter(_is_free, _candidates()), count))


@functools.cache
def _candidates() -> Iterator[int]:
    number, _, of = os.environ.get(_SHARE, "1/1").partition("/")
    ports = _OWN_PORTS[int(number) - 1 :: int(of)]
    return itertools.cycle(random.sample(ports, len(ports)))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def preferred_port(wanted: int) -> int:
    """The wanted port if it is free, or another one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", wanted))
        except OSError:
            return free_ports(1)[0]
    return wanted


def status_of(url: str, *, json_body: str | None = None) -> int | None:
    """The HTTP status of a GET (of a POST when there is a body); None if nothing answers."""
    answer = request(url, json_body=json_body)
    return None if answer is None else answer[0]


def request(url: str, *, json_body: str | None = None) -> tuple[int, str] | None:
    """Status and body of a GET (of a POST when there is a body); None if nothing answers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or LOOPBACK, parts.port, timeout=_REQUEST_SECONDS)
    headers = {"accept": "application/json"}
    if json_body is not None:
        headers["content-type"] = "application/json"
    try:
        connection.request("GET" if json_body is None else "POST", parts.path or "/", json_body, headers)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def wait_until(
    ready: Callable[[], bool], *, timeout: float, what: str, alive: Callable[[], bool], log: Path
) -> None:
    """Wait until `ready`. Raises LocalFailure with the end of `log` after `timeout`, or if not `alive`."""
    deadline = time.monotonic() + timeout
    while not ready():
        if not alive():
            raise LocalFailure(f"{what} ended before it was ready:\n{tail(log)}")
        if time.monotonic() > deadline:
            raise LocalFailure(f"{what} was not ready within {timeout:.0f} s:\n{tail(log)}")
        time.sleep(_POLL_SECONDS)


def tail(log: Path, lines: int = 30) -> str:
    """The last lines of a log file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.is_file() else ""
