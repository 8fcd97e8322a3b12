"""The whole environment: control plane, Restate, worker and operator, which keep running between commands.

Each part has its own folder in the state folder, and its processes have its mark. So the name of a part is
enough to stop it and to delete its data, which makes Ctrl-C, a crash and a second `up` harmless.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.cluster import ControlPlane
from dev.docker import connect_engine, ensure_web_image, is_engine_chosen
from dev.failure import LocalFailure
from dev.guard import Guard, discard, guarding
from dev.kubectl import Kubectl
from dev.lock import locking
from dev.net import LOOPBACK, preferred_port
from dev.paths import checkout
from dev.process import Identity, mark_of, sweep
from dev.programs import Program, operator, worker
from dev.progress import say, timing
from dev.record import ProcessRecord, Record
from dev.restate import RestatePorts, RestateServer
from dev.tenants import remove_all
from dev.tools import ensure_all
from landlord.backends.loading import find_plug_ins

CONTROL_PLANE, RESTATE, WORKER, OPERATOR = PARTS = ("control-plane", "restate", "worker", "operator")
_PORTS = {"admin": 9070, "ingress": 8080, "node": 5122, "worker": 9080, "operator": 8000}
_LOCK_SECONDS = 300.0
_PARTITIONS = 4


class Stack:
    """The environment of one state folder."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._mark = mark_of(state)
        self._file = state / "environment.json"
        self._started: list[str] = []

    def record(self) -> Record | None:
        """The record of the environment; None if it is not up."""
        return Record.load(self._file)

    def up(self, kubeconfig: Path | None = None) -> Record:
        """Start or restart every part that is not healthy. If this fails, stop what it started.

        With a kubeconfig, use that cluster instead of a control plane. `down` leaves its Tenants alone.
        """
        ensure_all()
        with self._locking(), guarding(self.state) as guard:
            record = self._record_for(kubeconfig)
            with self._forgetting_failures(record):
                self._start_cluster(record, guard)
                self._choose_backend(record)
                self._start_restate(record, guard)
                self._start_programs(record, guard)
        return record

    def down(self) -> bool:
        """Stop everything and delete all data. Returns False if the environment was not up."""
        with self._locking():
            record = self.record()
            if record is not None and record.own_cluster:
                parts = (self.restate(record), self.program(record, WORKER), self.program(record, OPERATOR))
                works = all(part.running() and part.healthy() for part in parts)
                remove_all(Kubectl(record.kubeconfig), deprovision=works)
            self._file.unlink(missing_ok=True)
            for part in reversed(PARTS):
                discard(self.state, part)
        return record is not None

    def wipe_restate(self, record: Record) -> RestateServer:
        """Delete Restate's data and start it again, as after the loss of a volume."""
        server = self.restate(record)
        server.wipe()
        server.start()
        _remember(record, RESTATE, server.identity)
        record.save(self._file)
        return server

    def restate(self, record: Record) -> RestateServer:
        """The Restate server of the environment, whether it is running or not."""
        ports = RestatePorts(*(record.ports.get(name, _PORTS[name]) for name in ("admin", "ingress", "node")))
        folder = self.state / RESTATE
        server = RestateServer(folder, ports, mark=f"{self._mark}/{RESTATE}", partitions=_PARTITIONS)
        server.identity = _identity(record, RESTATE)
        return server

    def program(self, record: Record, name: str) -> Program:
        """The worker or the operator of the environment, whether it is running or not."""
        make: Callable[..., Program] = {WORKER: worker, OPERATOR: operator}[name]
        settings = _settings(record, self.restate(record))
        folder = self.state / name
        program = make(
            folder, mark=f"{self._mark}/{name}", port=record.ports.get(name, _PORTS[name]), settings=settings
        )
        program.identity = _identity(record, name)
        return program

    def _record_for(self, kubeconfig: Path | None) -> Record:
        own = ControlPlane(self.state / CONTROL_PLANE, mark=self._mark).kubeconfig
        wanted = own if kubeconfig is None else kubeconfig.resolve()
        record = self.record()
        if record is None:
            for part in PARTS:  # what a crash left behind
                discard(self.state, part)
            return Record(kubeconfig=wanted, own_cluster=kubeconfig is None)
        if record.kubeconfig != wanted:
            raise LocalFailure(
                f"an environment for the cluster of {record.kubeconfig} is already up", fix="run `make down`"
            )
        return record

    def _start_cluster(self, record: Record, guard: Guard) -> None:
        if record.own_cluster:
            plane = ControlPlane(self.state / CONTROL_PLANE, mark=self._mark)
            if not plane.healthy():
                record.processes.clear()  # they worked on the previous cluster's Tenants
                for part in (RESTATE, WORKER, OPERATOR):
                    discard(self.state, part)
                self._begin(CONTROL_PLANE, guard)
                with timing("starting the control plane"):
                    plane.start()
        elif not Kubectl(record.kubeconfig).answers():
            raise LocalFailure(
                f"the cluster of {record.kubeconfig} does not answer",
                fix=f"check that `kubectl --kubeconfig {record.kubeconfig} get --raw /readyz` prints ok",
            )
        kubectl = Kubectl(record.kubeconfig)
        kubectl.install_crd(checkout("crds", "tenants.yaml"))
        record.save(self._file)

    def _choose_backend(self, record: Record) -> None:
        """Use the Docker engine, or the memory backend if there is none; fail if the chosen one is away."""
        try:
            client = connect_engine()
        except LocalFailure as failure:
            if is_engine_chosen():
                raise
            say(f"Tenants run on the memory backend, which starts no containers: {failure}")
            record.backend = "memory"
            return
        with timing("building the image of the web server"):
            ensure_web_image(client)
        client.close()
        record.backend = "docker"

    def _start_restate(self, record: Record, guard: Guard) -> None:
        known = self.restate(record)
        if known.running() and known.healthy() and known.private_key.exists():
            return
        self._begin(RESTATE, guard, keep_data=RESTATE in record.processes)
        for name in ("admin", "ingress", "node"):
            record.ports[name] = preferred_port(record.ports.get(name, _PORTS[name]))
        server = self.restate(record)
        with timing("starting Restate"):
            server.start()
        _remember(record, RESTATE, server.identity)
        record.save(self._file)

    def _start_programs(self, record: Record, guard: Guard) -> None:
        for name in (WORKER, OPERATOR):
            record.ports.setdefault(name, preferred_port(_PORTS[name]))
        for name in (WORKER, OPERATOR):
            program = self.program(record, name)
            known = record.processes.get(name)
            if (
                known is not None
                and known.fingerprint == program.fingerprint()
                and program.running()
                and program.healthy()
            ):
                continue
            self._begin(name, guard)
            record.ports[name] = preferred_port(record.ports[name])
            program = self.program(record, name)
            with timing(f"starting the {name}"):
                program.start()
            _remember(record, name, program.identity, program.fingerprint())
            record.save(self._file)

    def _begin(self, part: str, guard: Guard, *, keep_data: bool = False) -> None:
        guard.watch(part)
        self._started.append(part)
        if keep_data:
            sweep(f"{self._mark}/{part}")
        else:
            discard(self.state, part)

    @contextmanager
    def _forgetting_failures(self, record: Record) -> Iterator[None]:
        try:
            yield
        except BaseException:
            # The guard stops these parts, so the next `up` must not find them in the record.
            for part in self._started:
                record.processes.pop(part, None)
            if CONTROL_PLANE in self._started or not record.processes:
                self._file.unlink(missing_ok=True)
            else:
                record.save(self._file)
            raise

    @contextmanager
    def _locking(self) -> Iterator[None]:
        with locking(self.state / ".lock", timeout=_LOCK_SECONDS):
            yield


def _settings(record: Record, restate: RestateServer) -> dict[str, str]:
    return {
        "KUBECONFIG": str(record.kubeconfig),
        "LANDLORD_RESTATE_ADMIN_URL": restate.admin_url,
        "LANDLORD_RESTATE_INGRESS_URL": restate.ingress_url,
        "LANDLORD_RESTATE_IDENTITY_KEYS": restate.identity_key,
        "LANDLORD_WORKER_URL": f"http://{LOOPBACK}:{record.ports.get(WORKER, _PORTS[WORKER])}",
        "LANDLORD_BACKENDS": ",".join(sorted({"kubernetes", "memory", record.backend} | find_plug_ins())),
        "LANDLORD_DEFAULT_BACKEND": record.backend,
        "LANDLORD_LEADER_ELECTION": "false",
    }


def _identity(record: Record, part: str) -> Identity | None:
    known = record.processes.get(part)
    return None if known is None else known.identity()


def _remember(record: Record, part: str, identity: Identity | None, fingerprint: str = "") -> None:
    if identity is not None:
        known = ProcessRecord(pid=identity.pid, started=identity.started, fingerprint=fingerprint)
        record.processes[part] = known
