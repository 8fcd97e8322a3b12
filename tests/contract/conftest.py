from collections.abc import AsyncIterator, Callable

import pytest
from tests.contract.harness import new_tenant_id, run, tenant

from landlord.backends import Backend
from landlord.backends.memory import MemoryBackend
from landlord.workflow.request import Desired

NewTenant = Callable[..., Desired]


@pytest.fixture(params=["memory"])
async def backend() -> AsyncIterator[Backend]:
    backend = MemoryBackend()
    yield backend
    await backend.close()


@pytest.fixture
async def new_tenant(backend: Backend) -> AsyncIterator[NewTenant]:
    """Makes up tenants that nobody else uses; what is left of them is torn down after the test."""
    ids: list[str] = []

    def make(tenant_id: str | None = None, **changes: str) -> Desired:
        desired = tenant(tenant_id or new_tenant_id(), image="landlord/web:local", **changes)
        ids.append(desired.tenant_id)
        return desired

    yield make
    for tenant_id in ids:
        await run(backend.teardown(tenant_id))
