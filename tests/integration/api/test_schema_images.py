"""Which texts the schema takes for an image reference: those that an engine does."""

import pytest
from tests.support.specs import memory

from dev.apiserver import ApiError
from dev.kubectl import Kubectl
from landlord.api.names import API_VERSION, KIND

DIGEST = "sha256:" + "0a" * 32

GOOD = (
    "nginx", "nginx:1.27", "team/app", "registry.example.com/team/app:1.2", "localhost:5000/app",
    "registry:5000/a/b/c:1_2-3.x", "[2001:db8::1]:5000/app:1", "Registry.Example.com/app", "0/0",
    "a__b/c---d.e_f:Latest", f"app@{DIGEST}", f"r.example.com/app:1@{DIGEST}", DIGEST, "a" * 255,
)  # fmt: skip
BAD = (
    "https://registry.example.com/app:1", "http://app", "docker://app", "oci:/app", "user:word@host/app",
    "app\n", "app\nimage: b", "app:1\n", "\napp", "app\t", "app:1\r", f"app@{DIGEST}\n",
    "app ", " app", "a b", "app\u00a0", "äpp", "Team/App:1", "APP", "$(IMAGE)", "${IMAGE}",
    "//app", "/app", "app/", "a//b", "-app", "app-", "a..b", "registry.example.com:port/app",
    "app:", "app:1:2", "app:-1", "app:" + "a" * 129, "app@", "app@sha256:0a",
)  # fmt: skip
EXPLANATION = "image must be a reference such as registry.example.com/team/app:1.2"


@pytest.mark.parametrize("image", GOOD)
def test_an_image_reference_is_accepted(kubectl: Kubectl, namespace: str, image: str) -> None:
    apply(kubectl, namespace, image)


@pytest.mark.parametrize("image", BAD, ids=repr)
def test_what_is_no_image_reference_is_refused_in_a_sentence(
    kubectl: Kubectl, namespace: str, image: str
) -> None:
    with pytest.raises(ApiError, match=EXPLANATION):
        apply(kubectl, namespace, image)


def apply(kubectl: Kubectl, namespace: str, image: str) -> None:
    spec = memory()
    spec["workload"]["containers"][0]["image"] = image
    metadata = {"name": "acme", "namespace": namespace}
    kubectl.api.apply({"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec})
