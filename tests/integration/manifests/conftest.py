"""A cluster of one's own with manifests/base applied: its operator watches all namespaces."""

import subprocess
from collections.abc import Iterator

import pytest
from tests.support.manifests import BASE
from tests.support.session import Session

from landlord.dev.cluster import ControlPlane

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
