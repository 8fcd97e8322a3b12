"""Variables from Secrets on a real Docker engine: what a container gets, and when it gets it anew."""

import json
import socket

import pytest
from tests.contract.harness import observe, run
from tests.integration.backends.tenants import Tenants, ask
from tests.support.secrets import Owner, referring

from dev.cluster import ControlPlane
from landlord.api.compute import Publish
from landlord.api.request import Desired
from landlord.api.workload import EnvVar
from landlord.backends.docker.backend import DockerBackend
from landlord.backends.docker.engine import Engine
from landlord.backends.docker.ready import wait_until_ready
from landlord.errors import Retryable

PUBLISH = (Publish(port="http"),)


@pytest.fixture
def owner(control_plane: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Owner:
    """The owner of a Tenant's namespace, on an API server that the worker finds as kubectl does."""
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    owner = Owner(control_plane.kubectl, namespace)
    owner.put(password="first")
    return owner


def of(tenants: Tenants, owner: Owner, *variables: EnvVar) -> Desired:
    """A tenant whose container has these variables; without any, its GREETING is a Secret's."""
    env = variables or (referring("GREETING"),)
    return tenants.new(env=env, secrets_namespace=owner.namespace, publish=PUBLISH)


async def test_a_container_gets_what_its_variables_refer_to_and_no_label_tells_it(
    tenants: Tenants, owner: Owner
) -> None:
    desired = of(tenants, owner, EnvVar(name="TENANT", value="acme"), referring("GREETING"))
    made = await tenants.apply(desired)
    answer = ask(made.endpoints[0].url)
    assert (answer["greeting"], answer["tenant"]) == ("first", "acme")
    labels = tenants.container(desired).labels
    (source,) = json.loads(labels["landlord.dev/secrets"])
    assert source == f"{owner.namespace}/acme-db"
    assert "first" not in json.dumps(labels)


async def test_another_version_of_a_secret_is_noticed_and_rolled_out_and_the_same_one_is_not(
    tenants: Tenants, owner: Owner
) -> None:
    desired = of(tenants, owner)
    await tenants.apply(desired)

    async def outdated() -> str:
        seen = await observe(tenants.backend, desired.tenant_id)
        assert seen is not None
        assert seen.healthy, seen
        return seen.outdated

    first = tenants.container(desired).id
    assert await outdated() == ""
    await tenants.apply(desired)
    assert tenants.container(desired).id == first
    owner.put(password="second")
    assert await outdated() == f"the Secret {owner.namespace}/acme-db has changed"
    made = await tenants.apply(desired)
    assert ask(made.endpoints[0].url)["greeting"] == "second"
    assert await outdated() == ""
    owner.touch()
    assert await outdated() != ""
    await tenants.apply(desired)
    assert await outdated() == "", "or it would be applied again and again"
    owner.remove()
    assert await outdated() == ""
    assert await tenants.backend.inspect(desired) == []


async def test_an_optional_variable_is_the_image_s_own_while_there_is_no_value(
    tenants: Tenants, owner: Owner
) -> None:
    desired = of(tenants, owner, referring("GREETING", "later", optional=True))
    await tenants.apply(desired)
    environment = tenants.container(desired).attrs["Config"]["Env"] or []
    assert not any(variable.startswith("GREETING=") for variable in environment)
    owner.put("later", password="here")
    await tenants.apply(desired)
    assert "GREETING=here" in tenants.container(desired).attrs["Config"]["Env"]


async def test_a_missing_secret_makes_no_container(tenants: Tenants, owner: Owner) -> None:
    desired = of(tenants, owner, referring("GREETING", "none"))
    failure = await tenants.failure(desired)
    assert (failure.code, desired.tenant_id in await tenants.backend.survey()) == ("SecretNotFound", False)


@pytest.mark.parametrize("value", ["no-port-but-s3cret", "s3cret" * 100], ids=["short", "long"])
async def test_what_a_container_says_last_does_not_carry_its_secret_into_a_message(
    tenants: Tenants, owner: Owner, value: str
) -> None:
    owner.put(port=value)
    failure = await tenants.failure(of(tenants, owner, referring("PORT", key="port")))
    assert failure.code in ("CrashLooping", "ContainerExited")
    assert "s3cret" not in failure.message
    assert "***" in failure.message, failure.message


async def test_what_a_container_was_given_is_not_told_when_its_source_is_gone(
    tenants: Tenants, owner: Owner
) -> None:
    desired = of(tenants, owner, referring("PORT", key="port"))
    owner.put(port="no-port-but-s3cret")
    await tenants.failure(desired)
    owner.remove()
    with pytest.raises(Retryable, match=r"exited with code .*\*\*\*") as failure:
        await wait_until_ready(Engine(), desired, start=nothing)
    assert "s3cret" not in failure.value.message


async def test_a_secret_that_is_corrected_while_its_container_fails_is_rolled_out_by_the_next_try(
    tenants: Tenants, owner: Owner
) -> None:
    desired = of(tenants, owner, referring("PORT", key="port"))
    owner.put(port="no-port")
    await tenants.failure(desired)
    ready = tenants.backend.apply(desired)[-1]
    owner.put(port="8080")
    await ready.run()


async def nothing() -> None:
    """What ready does to start a container again."""


async def test_without_references_no_api_server_is_needed(
    tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere/at/all")
    await tenants.apply(tenants.new())
    await tenants.backend.survey()


async def test_without_an_api_server_a_reference_waits_and_says_which_kubeconfig_is_missing(
    tenants: Tenants, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere/at/all")
    with pytest.raises(Retryable, match=r"the Secrets of .* can't be read: KUBECONFIG") as failure:
        await run(tenants.backend.apply(of(tenants, owner)))
    assert failure.value.code == "NotConfigured"


async def test_a_survey_while_the_api_server_is_away_tells_what_runs(
    tenants: Tenants, owner: Owner, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    desired = of(tenants, owner)
    await tenants.apply(desired)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"https://127.0.0.1:{taken.getsockname()[1]}"
    kubeconfig = control_plane.kubeconfig.with_name("away.yaml")
    server = next(line for line in control_plane.kubeconfig.read_text().splitlines() if "server:" in line)
    kubeconfig.write_text(control_plane.kubeconfig.read_text().replace(server.split("server: ")[1], nobody))
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    elsewhere = DockerBackend()
    seen = (await elsewhere.survey())[desired.tenant_id]
    await elsewhere.close()
    assert (seen.healthy, seen.outdated) == (True, "")
