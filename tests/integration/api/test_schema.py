"""The CRD as the real API server enforces it: what is refused, with which words, and what is filled in."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from dev.kubectl import Kubectl
from landlord.api.names import API_VERSION, KIND

Manifest = dict[str, Any]
Change = Callable[[Manifest], object]


def a_tenant(namespace: str, name: str = "acme") -> Manifest:
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "compute": {"docker": {"publish": [{"port": "http"}]}},
            "workload": {
                "containers": [
                    {
                        "name": "app",
                        "image": "registry.example.com/team/app:1.2",
                        "env": [{"name": "LOG_LEVEL", "value": "info"}],
                        "ports": [{"name": "http", "containerPort": 8080}],
                        "resources": {"limits": {"cpu": "500m", "memory": "128Mi"}},
                        "probe": {"httpGet": {"path": "/", "port": 8080}},
                    }
                ]
            },
        },
    }


def container(tenant: Manifest) -> Manifest:
    first: Manifest = tenant["spec"]["workload"]["containers"][0]
    return first


def docker(tenant: Manifest) -> Manifest:
    settings: Manifest = tenant["spec"]["compute"]["docker"]
    return settings


def amount_of(kind: str, name: str, amount: int | str) -> Change:
    return lambda tenant: container(tenant).update(resources={kind: {name: amount}})


def quota_of(name: str, amount: int | str) -> Change:
    return lambda tenant: tenant["spec"]["compute"].update(kubernetes={"quota": {name: amount}})


def reference(name: str = "acme-db", key: str = "password") -> Manifest:
    return {"secretKeyRef": {"name": name, "key": key}}


MEANT: dict[int | str, str] = {
    "512m": "512Mi",
    "0.5m": "0.5Gi",
    "999u": "999Mi",
    "512": "512Mi",
    100: "100Mi",
    2: "2Gi",
    "64k": "64Mi",
    "64K": "64Mi",
    "128Ki": "128Mi",
    "5Mi": "5Gi",
}
"""Amounts of memory that nobody wants, and what they were probably meant to be."""

BAD: dict[str, tuple[Change, str]] = {
    "no spec": (lambda t: t.pop("spec"), "spec: Required value"),
    "no containers": (lambda t: t["spec"]["workload"].update(containers=[]), "should have at least 1 items"),
    "a name too long for a tenantID": (
        lambda t: t["metadata"].update(name="a" * 41),
        "metadata.name is the tenantID here, so it must have at most 40 characters",
    ),
    "a dotted name without a tenantID": (
        lambda t: t["metadata"].update(name="acme.example"),
        "choose a shorter name or set spec.tenantID",
    ),
    "an oversized tenantID": (lambda t: t["spec"].update(tenantID="a" * 41), "may not be more than 40"),
    "a tenantID with capitals": (
        lambda t: t["spec"].update(tenantID="Acme"),
        "tenantID must be at most 40 lower-case letters, digits and '-'",
    ),
    "a provider that can't be a name": (
        lambda t: t["spec"]["compute"].update(provider="My Cloud"),
        "provider must be the name of an installed backend, such as docker",
    ),
    "two containers on docker": (
        lambda t: (
            t["spec"]["compute"].update(provider="docker"),
            t["spec"]["workload"]["containers"].append({"name": "side", "image": "side:1"}),
        ),
        "a Tenant on the docker backend must have exactly one container",
    ),
    "two containers of one name": (
        lambda t: t["spec"]["workload"]["containers"].append({"name": "app", "image": "side:1"}),
        "Duplicate value",
    ),
    "an image with a scheme and spaces": (
        lambda t: container(t).update(image="docker run app"),
        "image must be a reference such as registry.example.com/team/app:1.2",
    ),
    "a variable with a value and a reference": (
        lambda t: container(t)["env"][0].update(valueFrom=reference()),
        "a variable must not have both value and valueFrom",
    ),
    "a reference to nothing": (
        lambda t: container(t)["env"].append({"name": "A", "valueFrom": {}}),
        "secretKeyRef: Required value",
    ),
    "a reference without a key": (
        lambda t: container(t)["env"].append({"name": "A", "valueFrom": {"secretKeyRef": {"name": "db"}}}),
        "key: Required value",
    ),
    "a reference to what can't be a Secret": (
        lambda t: container(t)["env"].append({"name": "A", "valueFrom": reference(name="../pods/db")}),
        "Secret name must be lower-case letters, digits, '-' and '.'",
    ),
    "a reference to what can't be a key": (
        lambda t: container(t)["env"].append({"name": "A", "valueFrom": reference(key="a/b")}),
        "Secret key must be letters, digits, '-', '_' and '.'",
    ),
    "an unknown pull policy": (
        lambda t: container(t).update(imagePullPolicy="Sometimes"),
        'supported values: "Always", "IfNotPresent", "Never"',
    ),
    "an env name that starts with a digit": (
        lambda t: container(t).update(env=[{"name": "1ST", "value": "x"}]),
        "variable name must start with a letter or '_'",
    ),
    "an env name twice": (
        lambda t: container(t)["env"].append({"name": "LOG_LEVEL", "value": "x"}),
        "Duplicate value",
    ),
    "a port out of range": (
        lambda t: container(t)["ports"][0].update(containerPort=70000),
        "should be less than or equal to 65535",
    ),
    "a port name with capitals": (
        lambda t: container(t).update(ports=[{"name": "HTTP", "containerPort": 80}]),
        "port name must be lower-case letters, digits and '-'",
    ),
    "an amount of cpu that is none": (
        lambda t: container(t)["resources"]["limits"].update(cpu="much"),
        "cpu must be a quantity of at least 1m, such as 500m or 2 cores",
    ),
    "no memory at all": (
        lambda t: container(t)["resources"]["limits"].update(memory="0"),
        "memory must be a quantity of at least 6Mi, such as 128Mi or 1Gi",
    ),
    **{
        f"memory: {amount} as a {kind[:-1]}": (
            amount_of(kind, "memory", amount),
            f"at least 6Mi, such as 128Mi or 1Gi, but is {amount}; did you mean {meant}?",
        )
        for kind in ("limits", "requests")
        for amount, meant in MEANT.items()
    },
    **{
        f"cpu: {amount} as a {kind[:-1]}": (
            amount_of(kind, "cpu", amount),
            f"cpu must be a quantity of at least 1m, such as 500m or 2 cores, but is {amount}; "
            f"did you mean {meant}?",
        )
        for kind in ("limits", "requests")
        for amount, meant in {"100n": "100m", "999u": "999m"}.items()
    },
    "a limit of cpu that no engine can enforce": (
        lambda t: container(t)["resources"]["limits"].update(cpu="9m"),
        "limits.cpu must be at least 10m, because no engine enforces less",
    ),
    **{
        f"a quota of {key}: {amount}": (
            quota_of(key, amount),
            words,
        )
        for key, amount, words in (
            ("limits.memory", "512m", "must not be in thousandths, which m means: did you mean Mi, such as"),
            ("requests.storage", "10m", "quota of anything but cpu must not be in thousandths"),
            ("pods", "500m", "quota of anything but cpu must not be in thousandths"),
            ("memory", 100, "quota of memory and storage must be 0 or at least 6Mi: did you mean Mi"),
            ("limits.cpu", "100n", "quota of cpu must be 0 or at least 1m: did you mean m, such as 500m?"),
        )
    },
    "negative cpu": (
        lambda t: container(t)["resources"]["limits"].update(cpu=-1),
        "cpu must be a quantity of at least 1m",
    ),
    "two kinds of probe": (
        lambda t: container(t)["probe"].update(tcpSocket={"port": 80}),
        "exactly one of httpGet, tcpSocket and exec must be set",
    ),
    "no kind of probe": (
        lambda t: container(t).update(probe={"timeoutSeconds": 5}),
        "exactly one of httpGet, tcpSocket and exec must be set",
    ),
    "publishing an undeclared port": (
        lambda t: docker(t).update(publish=[{"port": "admin"}]),
        "compute.docker.publish must name ports that a container declares",
    ),
    "the host's network": (
        lambda t: docker(t).update(network="host"),
        "and not host, none, bridge or default",
    ),
    "a host path instead of a volume": (
        lambda t: docker(t).update(volumes=[{"name": "/etc", "mountPath": "/etc"}]),
        "volume name must be lower-case letters, digits and '-'",
    ),
    "a relative mount path": (
        lambda t: docker(t).update(volumes=[{"name": "data", "mountPath": "data"}]),
        "mountPath must be an absolute path inside the container",
    ),
    "a bind address that is a name": (
        lambda t: docker(t).update(bindAddress="localhost"),
        "bindAddress must be an IP address of the host",
    ),
    "an unquoted restart policy no": (
        lambda t: docker(t).update(restartPolicy=False),
        "must be of type string",
    ),
    "more config than anybody reads": (
        lambda t: t["spec"]["compute"].update(config={f"key{number}": "" for number in range(65)}),
        "Too many: 65: must have at most 64 items",
    ),
    "config that is no object": (
        lambda t: t["spec"]["compute"].update(config="none"),
        "must be of type object",
    ),
    "a timeout without a unit": (
        lambda t: t["spec"].update(workflow={"timeout": "30"}),
        "timeout must be a duration from 1s to 24h, such as 90s or 1h30m",
    ),
    "a timeout of days": (
        lambda t: t["spec"].update(workflow={"timeout": "48h"}),
        "timeout must be a duration from 1s to 24h",
    ),
    "a protected Tenant that is forced": (
        lambda t: t["spec"].update(deletion={"protected": True, "force": True}),
        "deletion.force has no effect while deletion.protected is true",
    ),
    "a grace period in days": (
        lambda t: t["spec"].update(deletion={"gracePeriod": "3d"}),
        "gracePeriod must be a duration of at most a year (8760h), such as 30m or 72h",
    ),
    "a grace period of more than a year": (
        lambda t: t["spec"].update(deletion={"gracePeriod": "8761h"}),
        "gracePeriod must be a duration of at most a year",
    ),
    "a misspelt field": (lambda t: container(t).update(imagePullpolicy="Always"), "unknown field"),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_refuses(case: str, kubectl: Kubectl) -> None:
    change, words = BAD[case]
    tenant = a_tenant("default")
    change(tenant)
    refused = kubectl.run("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(tenant))
    assert refused.returncode != 0
    assert words in refused.stderr


def test_keeps_whatever_is_in_config_as_it_is(kubectl: Kubectl) -> None:
    tenant = a_tenant("default")
    config: Manifest = {"a": {"b": [1, 2.5, "three", None, True, {"c": {}}]}, "Z": "", "none": None}
    tenant["spec"]["compute"]["config"] = config
    answer = kubectl.run("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(tenant))
    assert json.loads(answer.stdout)["spec"]["compute"]["config"] == config


def test_accepts_numbers_as_quantities(kubectl: Kubectl) -> None:
    tenant = a_tenant("default")
    container(tenant)["resources"] = {"limits": {"cpu": 2, "memory": 134217728}}
    assert kubectl.run("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(tenant)).returncode == 0


def test_accepts_the_least_amounts_and_fractions_of_greater_ones(kubectl: Kubectl) -> None:
    tenant = a_tenant("default")
    container(tenant)["resources"] = {
        "limits": {"cpu": "0.25", "memory": "1.5Gi"},
        "requests": {"cpu": "1m", "memory": "6Mi"},
    }
    quota = {"pods": 0, "requests.cpu": "1500m", "limits.memory": "1.5Gi", "count/jobs.batch": "1k"}
    tenant["spec"]["compute"]["kubernetes"] = {"quota": quota}
    accepted = kubectl.run("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(tenant))
    assert accepted.returncode == 0, accepted.stderr


def test_accepts_references_to_secrets_in_as_many_variables_as_a_tenant_can_have(kubectl: Kubectl) -> None:
    tenant = a_tenant("default")
    variables = [{"name": f"V{number}", "valueFrom": reference()} for number in range(128)]
    tenant["spec"]["workload"]["containers"] = [
        container(tenant) | {"name": name, "env": variables} for name in "abcdefgh"
    ]
    accepted = kubectl.run("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(tenant))
    assert accepted.returncode == 0, accepted.stderr


def test_fills_in_defaults_and_only_those_that_mean_something(kubectl: Kubectl) -> None:
    tenant = a_tenant("default")
    answer = kubectl.run("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(tenant))
    spec = json.loads(answer.stdout)["spec"]
    filled = copy.deepcopy(tenant["spec"]) | {"desiredState": "Active"}
    filled["workload"] |= {"replicas": 1}
    filled["compute"]["docker"] |= {"bindAddress": "127.0.0.1", "restartPolicy": "unless-stopped"}
    filled["compute"]["docker"]["publish"][0] |= {"hostPort": 0}
    app = filled["workload"]["containers"][0]
    app |= {"imagePullPolicy": "IfNotPresent"}
    app["ports"][0] |= {"protocol": "TCP", "appProtocol": "tcp"}
    app["probe"] |= {"timeoutSeconds": 2}
    assert spec == filled


UNCHANGEABLE: dict[str, tuple[Manifest, Manifest, str]] = {
    "tenantID": ({"tenantID": "a"}, {"tenantID": "b"}, "tenantID can't be changed"),
    "a tenantID that was left out": ({}, {"tenantID": "b"}, "tenantID can't be changed"),
    "compute.provider": (
        {"compute": {"provider": "memory"}},
        {"compute": {"provider": "docker"}},
        "compute.provider can't be changed",
    ),
}


@pytest.mark.parametrize("case", UNCHANGEABLE, ids=str)
def test_keeps(case: str, kubectl: Kubectl, namespace: str) -> None:
    before, after, words = UNCHANGEABLE[case]
    tenant = a_tenant(namespace)
    kubectl.api.apply(json.dumps(tenant | {"spec": tenant["spec"] | before}))
    changed = tenant | {"spec": tenant["spec"] | after}
    refused = kubectl.run("replace", "-f", "-", stdin=json.dumps(changed))
    assert refused.returncode != 0
    assert words in refused.stderr


def test_keeps_the_backend_on_which_the_tenant_already_runs(kubectl: Kubectl, namespace: str) -> None:
    tenant = a_tenant(namespace)
    kubectl.api.apply(json.dumps(tenant))
    status = json.dumps({"status": {"provider": "memory"}})
    kubectl("patch", "tenant", "acme", "-n", namespace, "--subresource=status", "--type=merge", "-p", status)
    tenant["spec"]["compute"]["provider"] = "docker"
    refused = kubectl.run("apply", "-f", "-", stdin=json.dumps(tenant))
    assert "compute.provider must equal status.provider" in refused.stderr


def test_every_field_is_explained(kubectl: Kubectl) -> None:
    crd = kubectl.api.get("crd", "tenants.landlord.dev")
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]

    def undescribed(node: Manifest, path: str) -> list[str]:
        found = [] if node.get("description") else [path]
        for name, child in node.get("properties", {}).items():
            found += undescribed(child, f"{path}.{name}")
        items = node.get("items", {})
        return found + (undescribed(items, f"{path}[]") if "properties" in items else [])

    assert undescribed(schema["spec"], "spec") == []
    assert undescribed(schema["status"], "status") == []
    assert "How long failing steps are retried" in kubectl("explain", "tenant.spec.workflow.timeout")


def test_answers_to_its_short_name_and_category(kubectl: Kubectl) -> None:
    for name in ("ltn", "landlord"):
        assert kubectl.run("get", name, "-n", "default").returncode == 0
