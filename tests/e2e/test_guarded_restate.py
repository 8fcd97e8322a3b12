"""The programs with a Restate behind TLS and a proxy that asks for a secret, which nothing tells."""

import asyncio
import json
from pathlib import Path

from tests.conftest import SystemFactory
from tests.support.guarded import FIRST, SECOND, guarded
from tests.support.polling import eventually
from tests.support.programs import readiness, run
from tests.support.specs import memory
from tests.support.system import System

from dev.cluster import ControlPlane
from dev.net import request
from dev.restate import RestateServer


def told(system: System) -> str:
    """All that anybody can read of the system without reading its files."""
    process = system.operator.identity.process() if system.operator.identity else None
    assert process is not None
    pages = [
        request(f"{system.operator.url}{path}")
        for path in ("/readyz", "/healthz", "/metrics", "/registration")
    ]
    logs = [system.operator.log.read_text(), system.worker.log.read_text()]
    objects = system.kubectl("get", "tenants,events", "-n", system.namespace, "-o", "yaml")
    return json.dumps([process.cmdline(), pages, logs, objects])


async def test_a_secret_is_brought_replaced_while_running_and_never_told(
    start_system: SystemFactory, restate: RestateServer, name: str, tmp_path: Path
) -> None:
    async with guarded(restate, tmp_path) as guard:
        system = await asyncio.to_thread(
            start_system,
            LANDLORD_RESTATE_ADMIN_URL=guard.admin_url,
            LANDLORD_RESTATE_INGRESS_URL=guard.ingress_url,
            LANDLORD_RESTATE_AUTH_HEADER_FILE=str(guard.header_file),
            LANDLORD_RESTATE_CA_FILE=str(guard.ca_file),
        )

        def use_it() -> None:
            system.apply(f"{name}-first", memory())
            system.until(f"{name}-first", "Ready", "True")
            guard.accepts = SECOND
            system.apply(f"{name}-refused", memory())
            system.until(f"{name}-refused", "WorkflowRegistered", "Unknown", reason="EngineUnreachable")
            eventually(lambda: "answered 401" in told(system), what="the refusal")
            guard.bring(SECOND)
            system.until(f"{name}-refused", "Ready", "True")
            system.delete(f"{name}-first", f"{name}-refused")

        await asyncio.to_thread(use_it)
        everything = await asyncio.to_thread(told, system)
        for secret in (FIRST, SECOND):
            assert secret.split()[1] not in everything
        assert readiness(system.operator)[0] == 200
        # Whom it connects to in the moment in which the proxies end would be left with half a handshake.
        await asyncio.to_thread(system.operator.stop)


def test_a_secret_that_is_no_header_ends_the_start_without_being_told(
    tmp_path: Path, control_plane: ControlPlane
) -> None:
    settings = {"KUBECONFIG": str(control_plane.kubeconfig), "LANDLORD_RESTATE_AUTH_HEADER": "s3cr3t"}
    ended = run(tmp_path, "operator", settings)
    assert ended.code == 2
    assert 'LANDLORD_RESTATE_AUTH_HEADER must contain one header on one line, such as "Authori' in ended.said
    assert "s3cr3t" not in ended.said
