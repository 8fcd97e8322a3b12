"""The measured parts: control plane, Restate, worker and operator, each as its own process."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from bench.metrics import read_metrics
from bench.processes import Processes, find
from dev.cluster import ControlPlane
from dev.failure import LocalFailure
from dev.guard import discard, guarding
from dev.net import LOOPBACK, free_ports, request
from dev.paths import checkout
from dev.process import find_processes, mark_of
from dev.programs import Program, operator, worker
from dev.restate import RestatePorts, RestateServer

MEASURED, FLOOR = "measured", "floor"
"""Two namespaces. The operator watches only the first."""
PARTITIONS = 4
_PART = "bench"
_ENGINE = ("dockerd", "containerd")
_COUNTERS = ("landlord_kubernetes_writes_total", "landlord_reconcile_total", "landlord_workflow_total")


class System:
    """All measured parts."""

    def __init__(self, state: Path, mark: str, backends: str, settings: Mapping[str, str]) -> None:
        folder = state / _PART
        admin, ingress, node, worker_port, operator_port = free_ports(5)
        self.control_plane = ControlPlane(folder / "kwok", mark=mark)
        self.restate = RestateServer(
            folder / "restate", RestatePorts(admin, ingress, node), mark=mark, partitions=PARTITIONS
        )
        common = {
            "KUBECONFIG": str(self.control_plane.kubeconfig),
            "LANDLORD_RESTATE_ADMIN_URL": self.restate.admin_url,
            "LANDLORD_RESTATE_INGRESS_URL": self.restate.ingress_url,
            "LANDLORD_RESTATE_IDENTITY_KEYS": self.restate.identity_key,
            "LANDLORD_WORKER_URL": f"http://{LOOPBACK}:{worker_port}",
            "LANDLORD_WATCH_NAMESPACES": MEASURED,
            "LANDLORD_DEFAULT_BACKEND": "memory",
            "LANDLORD_BACKENDS": backends,
            "LANDLORD_LEADER_ELECTION": "false",
            "LANDLORD_MASS_DELETION_COUNT": "0",
        } | dict(settings)
        self.worker: Program = worker(folder, mark=mark, port=worker_port, settings=common)
        self.operator: Program = operator(folder, mark=mark, port=operator_port, settings=common)
        self._mark = mark

    def start(self) -> None:
        """Start all parts, and wait until they are ready."""
        self.control_plane.start()
        kubectl = self.control_plane.kubectl
        kubectl.install_crd(checkout("crds", "tenants.yaml"))
        for namespace in (MEASURED, FLOOR):
            kubectl("create", "namespace", namespace)
        self.restate.start()
        self.worker.start()
        self.operator.start()

    def processes(self) -> Processes:
        """All measured processes, including the Docker engine if one runs on this machine."""
        parts = {
            process.name(): find(process.pid) for process in find_processes(f"{self._mark}/control-plane")
        }
        engine = {
            process.info["name"]: find(process.pid)
            for process in psutil.process_iter(["name"])  # skips those that end meanwhile
            if process.info["name"] in _ENGINE
        }
        programs = {
            "operator": lambda: _process(self.operator),
            "worker": lambda: _process(self.worker),
            "restate-server": lambda: _process(self.restate),
        }
        return Processes(programs | parts | engine)

    def operator_pid(self) -> int:
        """The number of the operator's current process."""
        if self.operator.identity is None:
            raise LocalFailure("the operator is not started")
        return self.operator.identity.pid

    def revision(self) -> str:
        """The worker's revision. Its registration is correct when it has the same."""
        answer = request(f"{self.worker.url}/healthz")
        if answer is None:
            raise LocalFailure("the worker does not report its revision: /healthz does not answer")
        return str(json.loads(answer[1])["revision"])

    def counters(self) -> dict[str, float]:
        """The operator's counters, as `name{label,…}`."""
        return {
            name: value
            for name, value in read_metrics(self.operator.url).items()
            if name.partition("{")[0] in _COUNTERS
        }


@contextmanager
def running_system(backends: str, settings: Mapping[str, str] | None = None) -> Iterator[System]:
    """A system while the body runs. It is removed afterwards, even if this process is killed."""
    with disposing(_PART) as (state, mark):
        system = System(state, mark, backends, settings or {})
        system.start()
        yield system


@contextmanager
def disposing(part: str) -> Iterator[tuple[Path, str]]:
    """A folder with one part, and the mark of its processes. Both are removed like `running_system`."""
    with TemporaryDirectory(prefix="landlord-bench-") as folder:
        state = Path(folder)
        with guarding(state) as guard:
            guard.watch(part)
            yield state, f"{mark_of(state)}/{part}"
            discard(state, part)


def _process(part: Program | RestateServer) -> psutil.Process | None:
    return part.identity.process() if part.identity else None
