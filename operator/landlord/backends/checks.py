"""What a tenant's ports have to be on every backend. No I/O."""

from collections import Counter
from collections.abc import Iterable

from landlord.api.workload import Workload
from landlord.errors import Terminal


def check_distinct_ports(workload: Workload) -> None:
    """Raises Terminal for two ports of one name or of one number: only one of them could be offered."""
    ports = [port for container in workload.containers for port in container.ports]
    _check_distinct((port.name for port in ports), "are called")
    _check_distinct((f"{port.container_port}/{port.protocol}" for port in ports), "have the number")


def _check_distinct(values: Iterable[str], how: str) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise Terminal(
            "InvalidSpec",
            f"two ports {how} {', '.join(twice)}; the containers of a tenant share one network: make them "
            f"differ",
        )
