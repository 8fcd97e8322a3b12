"""Admission policies of a cluster's administrator, for the objects with certain labels only."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.support.polling import eventually

from dev.apiserver import ApiError
from dev.kubectl import Kubectl

ADMISSION = "admissionregistration.k8s.io/v1"


@contextmanager
def denying(
    kubectl: Kubectl, name: str, *, resources: Sequence[str], concerns: str, unless: str, message: str
) -> Iterator[None]:
    """A policy that denies creations and updates unless a CEL expression holds, active until the end."""
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"]}
    canary = f"object.metadata.name == '{name}-canary'"
    policy = {
        "apiVersion": ADMISSION,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [rule | {"resources": ["namespaces", *resources]}]},
            "matchConditions": [{"name": "theirs", "expression": f"{canary} || ({concerns})"}],
            "validations": [{"expression": f"!({canary}) && ({unless})", "message": message}],
        },
    }
    binding = {
        "apiVersion": ADMISSION,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    kubectl.api.apply(policy, binding)
    try:
        eventually(lambda: _denies(kubectl, f"{name}-canary"), what="the policy is active")
        yield
    finally:
        for each in (binding, policy):
            kubectl("delete", str(each["kind"]), name)


def _denies(kubectl: Kubectl, canary: str) -> bool:
    try:
        kubectl.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": canary}})
    except ApiError:
        return True
    kubectl.api.delete("namespace", canary)
    return False
