"""Operator and worker as real processes, against one namespace of the control plane and one Restate."""

import contextlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from tests.support.metrics import total
from tests.support.polling import PATIENCE, eventually
from tests.support.session import Session

from dev.api import Api
from dev.cluster import ControlPlane
from dev.docker import find_engine, remove_tenants
from dev.failure import LocalFailure
from dev.kubectl import Kubectl
from dev.net import LOOPBACK, free_ports
from dev.programs import operator, worker
from dev.restate import RestateServer
from landlord.api.names import API_VERSION, KIND

Tenant = dict[str, Any]
T = TypeVar("T")


class System:
    """One whole landlord. Its parts may be stopped, killed and started by the test."""

    def __init__(
        self,
        session: Session,
        control_plane: ControlPlane,
        restate: RestateServer,
        namespace: str,
        settings: Mapping[str, str],
    ) -> None:
        worker_port, operator_port = free_ports(2)
        common = {
            "KUBECONFIG": str(control_plane.kubeconfig),
            "LANDLORD_RESTATE_ADMIN_URL": restate.admin_url,
            "LANDLORD_RESTATE_INGRESS_URL": restate.ingress_url,
            "LANDLORD_RESTATE_IDENTITY_KEYS": restate.identity_key,
            "LANDLORD_WORKER_URL": f"http://{LOOPBACK}:{worker_port}",
            "LANDLORD_WATCH_NAMESPACES": namespace,
            "LANDLORD_DEFAULT_BACKEND": "memory",
            "LANDLORD_BACKENDS": "memory,docker",
            "LANDLORD_LEADER_ELECTION": "false",
            "LANDLORD_MASS_DELETION_COUNT": "0",  # tests delete what they like
        }
        if settings.get("LANDLORD_ENGINE") == "local":
            # With its operator the memory backend ends too: the next survey would find nothing.
            common["LANDLORD_SURVEY_SECONDS"] = "86400"
        common |= settings
        folder = session.folder("landlord")
        self.namespace = namespace
        self.restate = restate
        self.kubectl: Kubectl = control_plane.kubectl
        launch = session.nursery.start
        self.worker = worker(folder, mark=session.mark, port=worker_port, settings=common, launch=launch)
        self.operator = operator(
            folder, mark=session.mark, port=operator_port, settings=common, launch=launch
        )

    @property
    def api(self) -> Api:
        """The API server."""
        return self.kubectl.api

    def start(self) -> None:
        """Start what does not run yet, and wait until all is ready."""
        if not self.restate.running():
            self.restate.start()
        for program in (self.worker, self.operator):
            if not program.running():
                program.start(wait=False)
        self.worker.wait_ready()
        self.operator.wait_ready()

    def until_registered(self) -> None:
        """Return once the workflow is registered, which a start does not wait for."""
        registered = "landlord_registration_up"
        eventually(lambda: total(self.operator.url, registered) == 1, what="the workflow is registered")

    def apply(self, name: str, spec: Mapping[str, Any]) -> None:
        """Create or change a Tenant."""
        self.apply_all({name: spec})

    def apply_all(self, specs: Mapping[str, Mapping[str, Any]]) -> None:
        """Create or change Tenants by their names."""
        for name, spec in specs.items():
            metadata = {"name": name, "namespace": self.namespace}
            self.api.apply(
                {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": dict(spec)}
            )

    def tenant(self, name: str) -> Tenant:
        """The Tenant as it is now."""
        return self.api.get("tenant", name, namespace=self.namespace)

    def condition(self, name: str, kind: str) -> dict[str, Any]:
        """One condition of a Tenant, empty while it is not there."""
        return _condition(self.tenant(name), kind)

    def tenants(self) -> dict[str, Tenant]:
        """All Tenants as they are now, by name."""
        listed = self.api.get("tenants", namespace=self.namespace)["items"]
        return {tenant["metadata"]["name"]: tenant for tenant in listed}

    def until(
        self, name: str, kind: str, status: str, *, reason: str = "", timeout: float = PATIENCE
    ) -> Tenant:
        """The Tenant once a condition has a status (and a reason) that holds for its present generation."""

        def seen(tenants: dict[str, Tenant]) -> Tenant:
            assert name in tenants, f"there is no Tenant {name}"
            _assert_condition(tenants[name], kind, status, reason)
            return tenants[name]

        return self.watch(seen, name=name, within=timeout, what=f"{kind}={status} {reason} of {name}")

    def until_all(self, names: Iterable[str], kind: str, status: str, *, timeout: float = PATIENCE) -> None:
        """Return once a condition has a status in all these Tenants, for their present generations."""
        waiting = set(names)

        def seen(tenants: dict[str, Tenant]) -> bool:
            for name in sorted(waiting):
                assert name in tenants, f"there is no Tenant {name}"
                _assert_condition(tenants[name], kind, status)
                waiting.remove(name)
            return True

        self.watch(seen, within=timeout, what=f"{kind}={status} of all Tenants")

    def watch(
        self, probe: Callable[[dict[str, Tenant]], T | None], *, name: str = "", within: float, what: str
    ) -> T:
        """The first truthy answer of `probe`, asked again after each change of a Tenant."""
        return self.api.until("tenants", probe, namespace=self.namespace, name=name, within=within, what=what)

    def delete(self, *names: str, timeout: float = PATIENCE) -> None:
        """Delete Tenants and wait until they are gone; with `timeout` 0 do not wait."""
        self.api.delete("tenants", *names, namespace=self.namespace, within=timeout)

    def errors(self) -> list[dict[str, Any]]:
        """What operator and worker logged that nobody should have to see: tracebacks and errors."""
        lines = [line for program in (self.operator, self.worker) for line in program.logs()]
        return [line for line in lines if "raw" in line or line["severity"] in ("ERROR", "CRITICAL")]

    def stop(self) -> None:
        """Stop all, and remove what its tenants left on the Docker engine."""
        left: set[str] = set()
        with contextlib.suppress(LocalFailure):  # a test may have ended its control plane
            left = {str(each.get("status", {}).get("tenantID")) for each in self.tenants().values()}
        for part in (self.operator, self.worker, self.restate):
            part.stop()
        client = find_engine()
        if client is not None:
            remove_tenants(client, left)
            client.close()


Landlord = Callable[..., System]
"""Makes landlords with the settings given as LANDLORD_…=value, not started."""


@contextmanager
def landlords(session: Session, control_plane: ControlPlane) -> Iterator[Landlord]:
    """Each has a namespace and a Restate server of its own. All end with the context."""
    made: list[System] = []

    def make(**settings: str) -> System:
        namespace = f"e2e-{uuid.uuid4().hex[:8]}"
        control_plane.kubectl.api.create_namespace(namespace)
        made.append(System(session, control_plane, session.restate(), namespace, settings))
        return made[-1]

    yield make
    for system in made:
        system.stop()
        system.restate.wipe()
    errors = [error for system in made for error in system.errors()]
    assert not errors, errors[:10]


def _assert_condition(tenant: Tenant, kind: str, status: str, reason: str = "") -> None:
    conditions = tenant.get("status", {}).get("conditions", [])
    found: dict[str, Any] = next((each for each in conditions if each["type"] == kind), {})
    assert found.get("status") == status, conditions
    assert not reason or found.get("reason") == reason, conditions
    assert found.get("observedGeneration") == tenant["metadata"]["generation"], conditions


def _condition(tenant: Tenant, kind: str) -> dict[str, Any]:
    conditions: list[dict[str, Any]] = tenant.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == kind), {})
