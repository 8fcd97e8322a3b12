"""What tests of an engine share."""

from collections.abc import AsyncIterator

import pytest
from tests.unit.engines.restate.keeping import Kept, Restate, healthy


@pytest.fixture
async def kept() -> AsyncIterator[Kept]:
    kept = Kept(Restate(), healthy)
    yield kept
    for client in kept.clients:
        await client.close()
