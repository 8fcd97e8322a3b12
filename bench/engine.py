"""The floor of a Tenant on the Docker engine: create and start its container."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import docker

from landlord.api.request import Desired
from landlord.backends.docker.desired import ports
from landlord.backends.docker.desired.container import build_container_config

THREADS = 20
_LABEL = "landlord-bench"
_SECONDS = 60


class FloorEngine:
    """Starts containers like those of a tenant with this desired state. Their network must exist."""

    def __init__(self, desired: Desired) -> None:
        self._client = docker.from_env(timeout=_SECONDS, max_pool_size=THREADS)
        any_port = dict.fromkeys(ports.find_published(desired), 0)
        self._config = build_container_config(desired, any_port) | {"Labels": {_LABEL: "floor"}}

    def start(self, names: Sequence[str]) -> list[float]:
        """Create and start one container for each name. Returns the seconds of each."""
        with ThreadPoolExecutor(THREADS) as threads:
            return list(threads.map(self._start, names))

    def remove(self) -> None:
        """Remove all containers that `start` created."""
        api = self._client.api
        for container in api.containers(all=True, filters={"label": f"{_LABEL}=floor"}):
            api.remove_container(container["Id"], force=True)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _start(self, name: str) -> float:
        began = time.perf_counter()
        made = self._client.api.create_container_from_config(  # type: ignore[no-untyped-call]
            self._config, f"{_LABEL}-{name}"
        )
        self._client.api.start(made["Id"])
        return time.perf_counter() - began
