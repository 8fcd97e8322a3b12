"""What `landlord retry` says before anything has happened, and about an API server that gives no answer."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from kubernetes.aio.client.configuration import Configuration
from tests.support.kubeconfigs import always
from tests.support.plans import (
    DONE,
    FACTS,
    GIVEN_UP,
    HOPELESS,
    a_failed_tenant,
    a_ready_tenant,
    a_tenant,
    decide,
    with_flight,
)

from dev.net import LOOPBACK
from landlord.api.tenant import Key, Tenant
from landlord.controller.decide.facts import Facts
from landlord.engines.contract import Progress
from landlord.errors import LandlordError
from landlord.kubernetes_api import ApiServer
from landlord.kubernetes_config import find_namespace
from landlord.retry import describe_request, request_retry

SOON = "2026-01-01T12:05:00Z"
PAUSED = {"mode": "Paused"}
STUCK = Progress("BackingOff", step="image", last_error="503")


def reported(tenant: Tenant, facts: Facts = FACTS) -> Tenant:
    """The Tenant once its status says what is decided about it, and with the request."""
    metadata = tenant.metadata.model_copy(update={"annotations": {"landlord.dev/retry-requested-at": SOON}})
    return tenant.model_copy(update={"metadata": metadata, "status": decide(tenant, facts).status})


@pytest.mark.parametrize(
    ("tenant", "said"),
    [
        (a_tenant(retry=SOON), "no operator has seen it"),
        (a_failed_tenant(HOPELESS, retry=SOON), "starts the workflow again now. Before, it was this: Ready"),
        (a_failed_tenant(GIVEN_UP, retry=SOON), "starts the workflow again now"),
        (a_ready_tenant(retry=SOON), "The tenant is Ready, so landlord does nothing unless"),
        (reported(a_tenant(), with_flight(a_tenant(), progress=Progress("Running"))), "workflow is running."),
        (reported(a_tenant(), with_flight(a_tenant(), progress=STUCK)), "starts the workflow again now"),
        (reported(a_ready_tenant(2, management=PAUSED)), "while the Tenant is paused. To resume, set"),
        (reported(a_ready_tenant(2, deleting=True, deletion={"protected": True})), "deletion is held. The"),
        (reported(a_tenant(compute={"provider": "mainframe"})), "as it can accept the Tenant. The worker"),
        (reported(a_tenant(), with_flight(a_tenant(), outcome=DONE)), "The tenant is Ready"),
    ],
)
def test_it_says_what_follows(tenant: Tenant, said: str) -> None:
    shown = describe_request(tenant)
    assert f"Requested a retry of Tenant tenants/acme (landlord.dev/retry-requested-at={SOON})." in shown
    assert said in shown
    assert "kubectl describe tenant acme -n tenants" in shown


async def test_an_api_server_that_does_not_answer_is_told_with_a_fix() -> None:
    api = ApiServer(always(Configuration(host=f"http://{LOOPBACK}:1")))
    with pytest.raises(LandlordError, match="does not answer") as raised:
        await request_retry(api, Key("tenants", "acme"), datetime.now(UTC))
    assert raised.value.fix == "check that `kubectl get tenants` works with the same KUBECONFIG"
    with pytest.raises(LandlordError, match=r"'\.\./acme' is not a name"):
        await request_retry(api, Key("tenants", "../acme"), datetime.now(UTC))
    await api.close()


@pytest.mark.parametrize(("chosen", "namespace"), [({}, "default"), ({"namespace": "shop"}, "shop")])
def test_the_namespace_is_that_of_the_context(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str], namespace: str
) -> None:
    file = tmp_path / "config"
    somewhere = {"cluster": "c", "user": "u"}
    config = {
        "current-context": "mine",
        "contexts": [
            {"name": "other", "context": {**somewhere, "namespace": "x"}},
            {"name": "mine", "context": {**somewhere, **chosen}},
        ],
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example.com"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    file.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", f"{file}:{tmp_path / 'absent'}")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert find_namespace() == namespace
