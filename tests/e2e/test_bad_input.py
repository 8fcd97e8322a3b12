"""Tenants that can't become Ready: each says within seconds what is wrong, none spins."""

import re
import socket
import time
from typing import Any

import pytest
from tests.support.metrics import total
from tests.support.polling import eventually
from tests.support.specs import Spec, memory, web
from tests.support.status import conditions, message, workflow
from tests.support.system import System, Tenant

from dev.net import LOOPBACK

CALM_SECONDS = 5.0


def with_container(spec: Spec, **changes: Any) -> Spec:
    """The spec with its only container changed."""
    container = spec["workload"]["containers"][0] | changes
    return spec | {"workload": {"containers": [container]}}


def until_message(system: System, name: str, pattern: str) -> Tenant:
    """The Tenant once its Ready condition is not True and says something."""

    def says() -> Tenant:
        tenant = system.tenant(name)
        assert conditions(tenant).get("Ready", ("",))[0] == "False", conditions(tenant)
        assert re.search(pattern, message(tenant, "Ready")), message(tenant, "Ready")
        return tenant

    return eventually(says, what=f"{name} says {pattern}")


def test_an_unknown_provider_is_named_with_those_that_there_are(any_landlord: System, name: str) -> None:
    any_landlord.apply(name, memory() | {"compute": {"provider": "mainframe"}})
    tenant = any_landlord.until(name, "Accepted", "False", reason="UnknownBackend")
    assert "lacks the backend mainframe; it has docker, memory" in message(tenant, "Ready")
    assert conditions(tenant)["Stalled"] == ("True", "UnknownBackend")
    any_landlord.delete(name)


@pytest.mark.parametrize(
    ("container", "reason", "looked_at_again"),
    [
        ({"image": "a" * 256}, "must not be more than 255 characters", False),
        ({"image": "landlord/absent:1", "imagePullPolicy": "Never"}, "is not on the engine", True),
        ({"command": ["/absent"]}, "no such file or directory", False),
    ],
)
def test_what_the_engine_refuses_for_good_fails_with_its_reason(
    landlord: System, name: str, web_image: str, container: Spec, reason: str, looked_at_again: bool
) -> None:
    landlord.apply(name, with_container(web(web_image), **container))
    tenant = until_message(landlord, name, reason)
    assert conditions(tenant)["Ready"] == ("False", "ProvisioningFailed")
    assert conditions(tenant)["Stalled"][0] == "True"
    assert "Fix:" in message(tenant, "Ready")
    assert ("nextRetryTime" in workflow(tenant)) == looked_at_again
    landlord.delete(name)


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        ({"image": f"{LOOPBACK}:1/team/app:1"}, "RegistryUnreachable: .*connection refused"),
        ({"probe": {"httpGet": {"path": "/", "port": 8081}}}, "ProbeFailed: .*8081"),
        ({"env": [{"name": "PORT", "value": "none"}]}, "exited with code 1|has restarted"),
    ],
)
def test_what_may_pass_is_tried_again_and_its_reason_shown_meanwhile(
    landlord: System, name: str, web_image: str, container: Spec, reason: str
) -> None:
    landlord.apply(name, with_container(web(web_image), **container))
    tenant = until_message(landlord, name, reason)
    assert conditions(tenant)["Provisioned"] == ("False", "BackingOff")
    landlord.apply(name, web(web_image))
    landlord.until(name, "Ready", "True")
    landlord.delete(name)


def test_a_port_in_use_is_waited_for(landlord: System, name: str, web_image: str) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        landlord.apply(name, web(web_image, docker={"publish": [{"port": "http", "hostPort": port}]}))
        tenant = until_message(landlord, name, f"PortInUse: the host port {port} of 127.0.0.1 is in use")
        assert conditions(tenant)["Provisioned"] == ("False", "BackingOff")
    tenant = landlord.until(name, "Ready", "True")
    assert tenant["status"]["endpoints"] == [{"name": "http", "url": f"http://{LOOPBACK}:{port}"}]
    landlord.delete(name)


def test_none_of_them_spins(landlord: System, name: str, web_image: str) -> None:
    specs = {
        "backend": memory() | {"compute": {"provider": "mainframe"}},
        "image": with_container(web(web_image), image="a" * 256),
        "registry": with_container(web(web_image), image=f"{LOOPBACK}:1/team/app:1"),
        "probe": with_container(web(web_image), probe={"tcpSocket": {"port": 8081}}),
        "identity": memory() | {"tenantID": name},
        "full": memory(MEMORY_ERROR="the database is full"),
    }
    landlord.apply(name, memory())
    landlord.until(name, "Ready", "True")
    names = [f"{name}-{reason}" for reason in specs]
    landlord.apply_all(dict(zip(names, specs.values(), strict=True)))
    landlord.until_all(names, "Ready", "False")
    before = total(landlord.operator.url, "landlord_reconcile_total")
    time.sleep(CALM_SECONDS)  # what is to be seen is that little happens
    reconciled = total(landlord.operator.url, "landlord_reconcile_total") - before
    assert reconciled <= len(landlord.tenants()) * CALM_SECONDS
    landlord.delete(name, *names)
