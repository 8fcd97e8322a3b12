"""Requests of the workflow, as an operator makes them."""

from datetime import UTC, datetime

from landlord.api.request import Desired, Operation, Request
from landlord.api.workload import Container, EnvVar, Workload

CREATED = datetime(2026, 1, 1, tzinfo=UTC)


def workload(image: str = "any", **env: str) -> Workload:
    """One container with this environment."""
    variables = tuple(EnvVar(name=name, value=value) for name, value in env.items())
    return Workload(containers=(Container(name="app", image=image, env=variables),))


def request(
    tenant_id: str = "acme",
    operation: Operation = "apply",
    *,
    uid: str = "uid-1",
    created_at: datetime = CREATED,
    generation: int = 1,
    attempt: int = 1,
    provider: str = "memory",
    timeout: float = 20.0,
    keeps_data: bool = False,
    **env: str,
) -> Request:
    """A request; one to apply asks for a container with the remaining arguments as its env."""
    desired = Desired(tenant_id=tenant_id, workload=workload(**env)) if operation == "apply" else None
    return Request(
        tenant_id=tenant_id,
        operation=operation,
        uid=uid,
        created_at=created_at,
        generation=generation,
        attempt=attempt,
        provider=provider,
        timeout_seconds=timeout,
        desired=desired,
        keeps_data=keeps_data,
    )
