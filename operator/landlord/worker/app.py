"""The worker's process: listens, serves, and stops without losing unfinished requests."""

import asyncio
import logging
import signal
import socket
from collections.abc import Mapping, Sequence

from hypercorn.config import Config
from restate.server import install_shutdown_hook

from landlord.backends.contract import Backend
from landlord.errors import SettingsError
from landlord.worker.asgi import build_app
from landlord.worker.connections import Connections

logger = logging.getLogger(__name__)

BIND_SETTING = "LANDLORD_WORKER_BIND"
GRACE_SECONDS = 10.0
UNLIMITED = 2**31 - 1


async def serve(
    bind: str,
    backends: Mapping[str, Backend],
    identity_keys: Sequence[str] = (),
    grace_seconds: float = GRACE_SECONDS,
) -> None:
    """Serve until SIGTERM or SIGINT, then wait some seconds for unfinished invocations.

    After that, it aborts them, and Restate retries them. Closes the backends at the end. Raises SettingsError
    if it can't listen.
    """
    connections = Connections(build_app(backends, identity_keys), _build_config())
    listening = _listen(bind)
    logger.info("worker listens on %s:%s", *listening.getsockname()[:2], extra={"backends": sorted(backends)})

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Not with the loop itself: at the first request the SDK replaces the SIGTERM handler and runs only hooks.
    install_shutdown_hook(loop, stop.set, signal.SIGTERM)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    try:
        server = await connections.listen(listening)
        await stop.wait()
        server.close()
        await connections.end(grace_seconds)
    finally:
        for backend in backends.values():
            await backend.close()
    logger.info("worker stopped")


def _listen(bind: str) -> socket.socket:
    host, _, port = bind.rpartition(":")
    host = host.strip("[]")
    if not port.isdecimal():
        raise SettingsError(f"{BIND_SETTING} is {bind!r}; it must be address:port, such as 0.0.0.0:9080")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family)
    except (OSError, OverflowError) as error:
        raise SettingsError(
            f"{BIND_SETTING} is {bind!r}, and the worker can't listen there: {error}\n"
            "Fix: stop the program that uses the port, or choose another address:port."
        ) from error


def _build_config() -> Config:
    config = Config()
    config.errorlog = logging.getLogger("hypercorn")
    # Restate decides how many requests it sends, over how many connections.
    config.h2_max_concurrent_streams = UNLIMITED
    config.keep_alive_max_requests = UNLIMITED
    return config
