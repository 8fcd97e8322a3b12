"""Hundreds of Tenants that run on undisturbed: an outage of Restate costs little, and they tell of it."""

import asyncio
import json
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from bench import manifests
from bench.api import connecting
from tests.support.audit import Write, writes_of
from tests.support.polling import eventually
from tests.support.rbac import OPERATOR_RULES, account
from tests.support.status import conditions
from tests.support.system import Landlord, System, Tenant

from dev.cluster import ControlPlane
from landlord.controller.tell.pace import PACE
from landlord.controller.tell.sweep import BAD_NEWS_SECONDS

TENANTS = 600
OUTAGE_SECONDS = BAD_NEWS_SECONDS + 7
"""So long that most have been told of it when it ends, at the pace of the sweep, and some have not."""
RIGHT_AGAIN_SECONDS = 120.0
MOST_WRITES_A_SECOND = 60
ACCOUNT = "operator"
PATTERN = "pattern"


@pytest.fixture
def landlord_of_many(new_landlord: Landlord, control_plane: ControlPlane) -> System:
    """One whose Tenants were provisioned long ago: one of them really, and the others after its pattern."""
    # The worker does not know the others, so a survey would have them made again.
    system = new_landlord(LANDLORD_SURVEY_SECONDS="86400")
    kubeconfig = account(control_plane, system.namespace, ACCOUNT, OPERATOR_RULES)
    system.operator.settings["KUBECONFIG"] = str(kubeconfig)
    system.start()
    system.apply(PATTERN, json.loads(manifests.memory(PATTERN))["spec"])
    pattern = system.until(PATTERN, "Ready", "True")
    system.operator.stop()
    asyncio.run(settle(control_plane, system.namespace, pattern))
    system.operator.start()
    system.until_registered()
    return system


async def settle(control_plane: ControlPlane, namespace: str, pattern: Tenant) -> None:
    """Create Tenants with the status of one that is Ready; without a finalizer, for nothing was made."""
    sample, slots = manifests.Sample(pattern), asyncio.Semaphore(32)
    async with connecting(control_plane.kubeconfig) as api, asyncio.TaskGroup() as group:

        async def one(name: str) -> None:
            async with slots:
                created = await api.create(namespace, manifests.memory(name))
                await api.apply_status(namespace, name, sample.status(created, namespace))

        for number in range(TENANTS):
            group.create_task(one(f"settled-{number:04}"))


async def listed(control_plane: ControlPlane, namespace: str) -> dict[str, Tenant]:
    """All Tenants as they are now, by name; kubectl would take the machine for itself for seconds."""
    async with connecting(control_plane.kubeconfig) as api:
        return await api.list_all(namespace)


def said(tenants: Mapping[str, Tenant], kind: str) -> set[tuple[str, str]]:
    """All that the Tenants say of a condition, as (status, reason)."""
    return {conditions(tenant)[kind] for tenant in tenants.values()}


def readiness_since(tenants: Mapping[str, Tenant]) -> dict[str, tuple[str, str]]:
    """Status of Ready, and since when it is that, of each Tenant."""
    return {
        name: (condition["status"], condition["lastTransitionTime"])
        for name, tenant in tenants.items()
        for condition in tenant["status"]["conditions"]
        if condition["type"] == "Ready"
    }


def most_within_a_second(writes: list[Write]) -> int:
    times = sorted(write.at for write in writes)
    return max(bisect_right(times, at + timedelta(seconds=1)) - number for number, at in enumerate(times))


@pytest.mark.timeout(600)
def test_an_outage_costs_settled_tenants_no_storm_and_they_are_right_again_soon_after_it(
    landlord_of_many: System, control_plane: ControlPlane
) -> None:
    system = landlord_of_many
    before = readiness_since(asyncio.run(listed(control_plane, system.namespace)))
    assert len(before) == TENANTS + 1
    assert {status for status, _ in before.values()} == {"True"}

    stopped, ends = datetime.now(UTC), time.monotonic() + OUTAGE_SECONDS
    system.restate.stop()
    time.sleep(BAD_NEWS_SECONDS + 5)  # nothing to wait for: the outage is what it is
    during = asyncio.run(listed(control_plane, system.namespace))
    time.sleep(max(0.0, ends - time.monotonic()))
    system.restate.start()
    back = datetime.now(UTC)
    assert said(during, "WorkflowRegistered") == {("True", "Registered"), ("Unknown", "EngineUnreachable")}
    assert said(during, "Ready") == {("True", "Provisioned")}

    def all_say_it() -> dict[str, Tenant]:
        tenants = asyncio.run(listed(control_plane, system.namespace))
        assert said(tenants, "WorkflowRegistered") == {("True", "Registered")}
        return tenants

    after = eventually(all_say_it, within=RIGHT_AGAIN_SECONDS, every=5, what="all are right again")
    assert readiness_since(after) == before, "Ready was True all the time"

    writes = [write for write in writes_of(control_plane, system.namespace, ACCOUNT) if write.at > stopped]
    assert {write.resource for write in writes} == {"tenants/status"}
    assert (writes[0].at - stopped).total_seconds() >= BAD_NEWS_SECONDS
    assert set(Counter(write.name for write in writes).values()) == {2}, "one that is right is left alone"
    assert len(writes) <= 2 * ((back - stopped).total_seconds() - BAD_NEWS_SECONDS + 1) * PACE
    assert most_within_a_second(writes) <= MOST_WRITES_A_SECOND
    system.delete(PATTERN)
