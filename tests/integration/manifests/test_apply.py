"""What the API server and its controllers make of manifests/base."""

import copy
from collections.abc import Callable

import pytest
import yaml
from tests.integration.manifests.conftest import APPLY, Applied
from tests.support.manifests import BASE, NAMESPACE, Manifest, find
from tests.support.polling import eventually

from dev.cluster import ControlPlane
from dev.kubectl import Kubectl

PROGRAMS = ("operator", "worker")


@pytest.fixture(scope="module")
def kubectl(cluster: ControlPlane, applied: Applied) -> Kubectl:
    assert applied.returncode == 0, applied.stderr
    return cluster.kubectl


def test_it_is_applied_without_a_warning(applied: Applied) -> None:
    assert (applied.returncode, applied.stderr) == (0, "")


def test_applied_again_it_changes_nothing(kubectl: Kubectl) -> None:
    def there() -> list[Manifest]:
        found: list[Manifest] = kubectl.get("-k", str(BASE))["items"]
        for each in found:
            each.pop("status", None)
            each["metadata"].pop("resourceVersion")
        return found

    before = there()
    kubectl(*APPLY)
    assert there() == before


@pytest.mark.parametrize("program", PROGRAMS)
def test_its_pods_are_admitted_and_found_by_their_service(kubectl: Kubectl, program: str) -> None:
    name = f"landlord-{program}"
    kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{name}", "--timeout=60s")
    port = find("Service", name)["spec"]["ports"][0]["port"]

    def served() -> bool:
        selector = f"kubernetes.io/service-name={name}"
        (found,) = kubectl.api.get("endpointslices", namespace=NAMESPACE, selector=selector)["items"]
        assert [each["port"] for each in found["ports"]] == [port]
        return [each["conditions"]["ready"] for each in found["endpoints"]] == [True, True]

    eventually(served, what="both replicas are behind the Service")


def test_a_disruption_takes_one_replica_at_most(kubectl: Kubectl) -> None:
    for program in PROGRAMS:
        budget = kubectl.api.get("pdb", f"landlord-{program}", namespace=NAMESPACE)
        assert budget["status"]["disruptionsAllowed"] == 1


BREACHES: dict[str, Callable[[Manifest], object]] = {
    "runs as root": lambda pod: pod["securityContext"].pop("runAsNonRoot"),
    "any system call": lambda pod: pod["securityContext"].pop("seccompProfile"),
    "more privileges": lambda pod: pod["containers"][0]["securityContext"].pop("allowPrivilegeEscalation"),
    "capabilities": lambda pod: pod["containers"][0]["securityContext"].pop("capabilities"),
    "host network": lambda pod: pod.update(hostNetwork=True),
}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("breach", [None, *BREACHES])
def test_less_than_the_restricted_level_is_refused_in_its_namespace(
    kubectl: Kubectl, program: str, breach: str | None
) -> None:
    template = find("Deployment", f"landlord-{program}")["spec"]["template"]
    pod = copy.deepcopy(template["spec"])
    if breach:
        BREACHES[breach](pod)
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it"}, "spec": pod}
    answer = kubectl.run(
        "create", "-n", NAMESPACE, "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(manifest)
    )
    assert (answer.returncode == 0) == (breach is None), answer.stderr
    assert ('violates PodSecurity "restricted' in answer.stderr) == (breach is not None)


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("view", {"get", "list", "watch"}, {"create", "patch", "delete"}),
        ("edit", {"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}, set()),
        ("admin", {"get", "create", "delete"}, set()),
    ],
)
def test_who_may_see_or_change_a_namespace_may_do_so_with_its_tenants(
    kubectl: Kubectl, role: str, may: set[str], may_not: set[str]
) -> None:
    kubectl("create", "rolebinding", role, "-n", "default", f"--clusterrole={role}", f"--user={role}")

    def allowed(verb: str, *what: str) -> bool:
        tenants = ("tenants.landlord.dev", *what, "-n", "default", f"--as={role}")
        return kubectl.run("auth", "can-i", verb, *tenants).returncode == 0

    eventually(lambda: allowed("list"), what="the role is aggregated")
    assert {verb for verb in may | may_not if allowed(verb)} == may
    assert not allowed("patch", "--subresource=status")
