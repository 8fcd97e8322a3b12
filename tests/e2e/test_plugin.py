"""A backend that is no part of landlord: built, installed beside the worker, and used by a Tenant."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.support.polling import eventually
from tests.support.programs import run
from tests.support.session import Session
from tests.support.specs import Spec
from tests.support.static_sites import NAME, installed_with_a_web_server
from tests.support.status import conditions, message
from tests.support.system import Landlord, System

from dev.paths import CHECKOUT

Variables = dict[str, str]


@pytest.fixture(scope="module")
def variables(session: Session) -> Iterator[Variables]:
    """What a worker with the plug-in needs."""
    with installed_with_a_web_server(session.folder("static-sites")) as variables:
        yield variables | {"LANDLORD_BACKENDS": f"memory,{NAME}"}


@pytest.fixture(scope="module")
def system(new_landlord: Landlord, variables: Variables) -> System:
    system = new_landlord(**variables)
    system.start()
    return system


@pytest.fixture
def spec() -> Spec:
    """The Tenant that comes with the plug-in."""
    manifest = yaml.safe_load((CHECKOUT / "examples" / "plugin-backend" / "tenant.yaml").read_text())
    spec: Spec = manifest["spec"]
    return spec


def with_config(spec: Spec, config: Spec) -> Spec:
    return spec | {"compute": spec["compute"] | {"config": config}}


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def test_tenant_of_a_plug_in_becomes_ready_is_served_and_goes(
    system: System, variables: Variables, name: str, spec: Spec
) -> None:
    system.apply(name, spec)
    tenant = system.until(name, "Ready", "True")
    url = f"{variables['STATIC_SITES_URL']}/{name}/"
    assert tenant["status"]["endpoints"] == [{"name": "http", "url": url}]
    assert "<h1>Hello from Acme</h1>" in read(url)
    assert "<h1>About us</h1>" in read(f"{url}about.html")

    system.apply(name, with_config(spec, {"pages": {"index.html": "closed"}}))
    system.until(name, "Ready", "True")
    assert read(url) == "closed"

    system.delete(name)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        read(url)


def test_wrong_config_is_refused_by_field_before_any_step_and_a_corrected_one_goes_on(
    system: System, variables: Variables, name: str, spec: Spec
) -> None:
    system.apply(name, with_config(spec, {"pages": {"index.html": ["xyzzy"]}, "colour": "xyzzy"}))
    tenant = system.until(name, "Ready", "False", reason="ProvisioningFailed")
    assert conditions(tenant)["Stalled"][0] == "True"
    said = message(tenant, "Ready")
    assert "compute.config.pages.index.html: Input should be a valid string" in said
    assert "compute.config.colour: Extra inputs are not permitted" in said
    assert "xyzzy" not in said
    assert not (Path(variables["STATIC_SITES_ROOT"]) / "tenants" / name).exists()

    system.apply(name, spec)
    system.until(name, "Ready", "True")
    system.delete(name)


def test_tenant_of_a_plug_in_is_suspended_resumed_and_repaired(
    system: System, variables: Variables, name: str, spec: Spec
) -> None:
    link = Path(variables["STATIC_SITES_ROOT"]) / "www" / name
    system.apply(name, spec)
    system.until(name, "Ready", "True")
    system.apply(name, spec | {"desiredState": "Suspended"})
    system.until(name, "Ready", "True", reason="Suspended")
    assert not link.exists()

    system.apply(name, spec)
    system.until(name, "Ready", "True", reason="Provisioned")
    link.unlink()
    eventually(link.exists, what="the link to be put back")
    system.delete(name)


def test_backend_that_takes_no_config_says_so_on_the_tenant(system: System, name: str, spec: Spec) -> None:
    system.apply(name, spec | {"compute": {"provider": "memory", "config": {"network": "blue"}}})
    tenant = system.until(name, "Ready", "False", reason="ProvisioningFailed")
    assert "the backend memory takes no compute.config" in message(tenant, "Ready")
    system.delete(name)


def test_plug_in_is_listed_with_its_schema_and_health(variables: Variables, tmp_path: Path) -> None:
    ended = run(tmp_path, "backends", variables, NAME, "-o", "json")
    assert ended.code == 0, ended
    told = json.loads(ended.printed)
    assert (told["distribution"], told["version"]) == ("landlord-static-sites", "1.0.0")
    assert (told["enabled"], told["healthy"]) == (True, True)
    assert "$NAME stands for" in told["configSchema"]["properties"]["pages"]["description"]


def test_plug_in_that_is_not_configured_is_told_of_beside_those_that_work(
    variables: Variables, tmp_path: Path
) -> None:
    variables = {name: value for name, value in variables.items() if not name.startswith("STATIC_SITES")}
    ended = run(tmp_path, "backends", variables)
    assert ended.code == 1
    lines = {line.split()[0]: line for line in ended.printed.splitlines()}
    assert "PROBLEM: the backend 'static-sites'" in lines[NAME]
    assert "KeyError: 'STATIC_SITES_ROOT'" in lines[NAME]
    assert lines["memory"].endswith("healthy")
