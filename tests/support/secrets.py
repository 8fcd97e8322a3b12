"""Secrets that Tenants refer to, as their owners make, change and remove them."""

import base64
import uuid

from dev.kubectl import Kubectl
from landlord.api.request import Desired
from landlord.api.workload import EnvSource, EnvVar, SecretKeyRef


def referring(name: str, secret: str = "acme-db", key: str = "password", *, optional: bool = False) -> EnvVar:
    """A variable that takes its value from a Secret."""
    reference = SecretKeyRef(name=secret, key=key, optional=optional)
    return EnvVar(name=name, value_from=EnvSource(secret_key_ref=reference))


def referring_to(owner: "Owner", desired: Desired) -> Desired:
    """The tenant with a variable besides, PASSWORD, that takes its value from a Secret of the owner's."""
    first, *others = desired.workload.containers
    first = first.model_copy(update={"env": (*first.env, referring("PASSWORD"))})
    workload = desired.workload.model_copy(update={"containers": (first, *others)})
    return desired.model_copy(update={"workload": workload, "secrets_namespace": owner.namespace})


def allow_reading(kubectl: Kubectl, namespace: str) -> None:
    """What docs/install.md says to do in a namespace whose Tenants refer to Secrets."""
    reader = ("rolebinding", "landlord-secrets-reader", "--clusterrole=landlord-secrets-reader")
    kubectl("create", *reader, "--serviceaccount=landlord-system:landlord-worker", "-n", namespace)


class Owner:
    """Whoever has Secrets in a namespace."""

    def __init__(self, kubectl: Kubectl, namespace: str) -> None:
        self._kubectl = kubectl
        self.namespace = namespace

    def put(self, name: str = "acme-db", /, **values: str | bytes) -> None:
        """Have a Secret with exactly these values."""
        data = {key: base64.b64encode(_bytes(value)).decode() for key, value in values.items()}
        metadata = {"name": name, "namespace": self.namespace}
        manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
        self._kubectl.api.apply(manifest)

    def touch(self, name: str = "acme-db") -> None:
        """Make another version of the Secret, with the same values."""
        touched = {"metadata": {"annotations": {"touched": str(uuid.uuid4())}}}
        self._kubectl.api.patch("secret", name, touched, namespace=self.namespace)

    def remove(self, name: str = "acme-db") -> None:
        """Have no such Secret."""
        self._kubectl.api.delete("secret", name, namespace=self.namespace)


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
