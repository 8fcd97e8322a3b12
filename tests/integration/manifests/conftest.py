"""A cluster of one's own with manifests/base applied: its operator watches all namespaces."""

import subprocess
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.support.manifests import BASE, NAMESPACE
from tests.support.session import Session

from dev.cluster import ControlPlane
from landlord.backends.kubernetes.backend import KubernetesBackend

WORKER = "landlord-worker"
Applied = subprocess.CompletedProcess[str]
APPLY = ("apply", "--validate=strict", "-k", str(BASE))


@pytest.fixture(scope="package")
def cluster(session: Session) -> Iterator[ControlPlane]:
    """A control plane whose nodes are fake: pods are admitted, scheduled and said to run."""
    cluster = session.control_plane()
    cluster.start()
    yield cluster
    cluster.delete()


@pytest.fixture(scope="package")
def applied(cluster: ControlPlane) -> Applied:
    """What kubectl said when it applied manifests/base for the first time."""
    return cluster.kubectl.run(*APPLY)


@pytest.fixture
async def backend(
    cluster: ControlPlane, applied: Applied, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[KubernetesBackend]:
    """The backend as a worker has it that runs under the ServiceAccount of the manifests."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig_of(NAMESPACE, WORKER)))
    backend = KubernetesBackend()
    yield backend
    await backend.close()
