"""Two Tenants with one tenantID: one has it, the other waits, nothing is made twice or removed by mistake."""

import docker
from tests.support.containers import containers_of
from tests.support.polling import eventually
from tests.support.specs import Spec, memory, web
from tests.support.status import conditions, message
from tests.support.system import System

PAIRS = 6


def of(tenant_id: str, spec: Spec) -> Spec:
    return spec | {"tenantID": tenant_id}


def test_the_younger_tenant_waits_and_its_deletion_touches_nothing(
    any_landlord: System, name: str, docker_engine: docker.DockerClient, web_image: str
) -> None:
    older, younger = f"{name}-older", f"{name}-younger"
    any_landlord.apply(older, of(name, web(web_image)))
    any_landlord.until(older, "Ready", "True")
    made = containers_of(docker_engine, name)

    any_landlord.apply(younger, of(name, web(web_image, GREETING="mine")))
    refused = any_landlord.until(younger, "Accepted", "False", reason="IdentityConflict")
    assert f"belongs to the older Tenant {any_landlord.namespace}/{older}" in message(refused, "Ready")
    assert conditions(refused)["Stalled"] == ("True", "IdentityConflict")
    any_landlord.delete(younger)
    assert conditions(any_landlord.tenant(older))["Ready"] == ("True", "Provisioned")
    assert containers_of(docker_engine, name) == made
    any_landlord.delete(older)


def test_the_younger_tenant_takes_over_when_the_older_is_deleted(any_landlord: System, name: str) -> None:
    older, younger = f"{name}-older", f"{name}-younger"
    any_landlord.apply(older, of(name, memory(ports=1)))
    any_landlord.until(older, "Ready", "True")
    any_landlord.apply(younger, of(name, memory(ports=2)))
    any_landlord.until(younger, "Accepted", "False", reason="IdentityConflict")
    any_landlord.delete(older)
    heir = any_landlord.until(younger, "Ready", "True")
    assert len(heir["status"]["endpoints"]) == 2
    any_landlord.delete(younger)


def test_of_two_tenants_applied_together_one_is_ready_and_the_other_its_heir(
    any_landlord: System, name: str
) -> None:
    """Their ages are the same, because Kubernetes knows them in whole seconds only."""
    pairs = {f"{name}-{n}": (f"{name}-{n}-a", f"{name}-{n}-b") for n in range(PAIRS)}
    any_landlord.apply_all(
        {each: of(tenant_id, memory(ports=1)) for tenant_id, pair in pairs.items() for each in pair}
    )
    every = [each for pair in pairs.values() for each in pair]

    def one_of_each() -> tuple[list[str], list[str]]:
        tenants = any_landlord.tenants()
        said = {each: conditions(tenants[each]).get("Ready") for each in every}
        ready = [each for each in every if said[each] == ("True", "Provisioned")]
        waiting = [each for each in every if said[each] == ("False", "IdentityConflict")]
        assert {len({*pair} & {*ready}) for pair in pairs.values()} == {1}, said
        assert {*ready, *waiting} == {*every}, said
        return ready, waiting

    ready, waiting = eventually(one_of_each)
    any_landlord.delete(*ready)
    any_landlord.until_all(waiting, "Ready", "True")
    any_landlord.delete(*waiting)
