"""What the contract suite needs of any backend: tenants to ask for, and ways to run steps."""

import asyncio
import secrets
import time
from collections.abc import Sequence

from tests.support.polling import PATIENCE

from landlord.api.compute import DockerCompute, Volume
from landlord.api.outcome import Result
from landlord.api.request import Desired
from landlord.api.workload import Container, EnvVar, Port, Workload
from landlord.backends.contract import Backend, Observation, Step
from landlord.errors import Retryable


def new_tenant_id(stem: str = "contract") -> str:
    """A tenantID that no other test uses."""
    return f"{stem}-{secrets.token_hex(4)}"


def tenant(tenant_id: str, image: str, greeting: str = "hello") -> Desired:
    """A tenant of one web server that any backend can run, with a place for data where there are such."""
    container = Container(
        name="web",
        image=image,
        env=(EnvVar(name="GREETING", value=greeting),),
        ports=(Port(name="http", container_port=8080, app_protocol="http"),),
    )
    return Desired(
        tenant_id=tenant_id,
        workload=Workload(containers=(container,)),
        docker=DockerCompute(volumes=(Volume(name="data", mount_path="/data"),)),
    )


async def run(steps: Sequence[Step]) -> Result:
    """Run the steps in order, as a workflow does that never fails."""
    made = Result()
    for step in steps:
        made = made.merged(await step.run())
    return made


async def run_with_patience(steps: Sequence[Step], tries: int) -> Result:
    """Run the steps in order, the last of them until it succeeds or has failed so many times."""
    *before, last = steps
    made = await run(before)
    for left in range(tries, 0, -1):
        try:
            return made.merged(await last.run())
        except Retryable:
            if left == 1:
                raise
    raise AssertionError("never reached")


async def settle(steps: Sequence[Step]) -> Result:
    """Run the steps in order, each until it succeeds, as a workflow does: what may pass is tried again."""
    made = Result()
    for step in steps:
        made = made.merged(await succeed(step))
    return made


async def succeed(step: Step) -> Result:
    """Run one step until it succeeds."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return await step.run()
        except Retryable:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


async def observe(backend: Backend, tenant_id: str) -> Observation | None:
    """What the backend's survey says about one tenant."""
    return (await backend.survey()).get(tenant_id)
