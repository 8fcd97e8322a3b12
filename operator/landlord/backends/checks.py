"""Checks that every backend makes before it creates anything. No I/O."""

from collections import Counter
from collections.abc import Iterable

from landlord.api.workload import Workload
from landlord.errors import Terminal


def require(holds: object, message: str, fix: str = "") -> None:
    """Raise Terminal with the code InvalidSpec unless the condition holds."""
    if not holds:
        raise Terminal("InvalidSpec", message, fix)


def check_distinct_ports(workload: Workload) -> None:
    """Raise Terminal if two ports have the same name or number, because only one could be reached."""
    ports = [port for container in workload.containers for port in container.ports]
    _check_distinct((port.name for port in ports), "name")
    _check_distinct((f"{port.container_port}/{port.protocol}" for port in ports), "number")


def _check_distinct(values: Iterable[str], what: str) -> None:
    duplicates = [value for value, count in Counter(values).items() if count > 1]
    require(
        not duplicates,
        f"two ports have the {what} {', '.join(duplicates)}; the containers of a tenant share one network",
        f"give each port a {what} of its own",
    )
