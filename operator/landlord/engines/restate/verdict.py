"""Decides whether the workflow is registered, from what was just seen. Pure.

| Restate says                  | worker  | before     | → WorkflowRegistered       | register?      |
|-------------------------------|---------|------------|----------------------------|----------------|
| nothing that can be relied on | any     | any        | Unknown/EngineUnreachable  |                |
| anything                      | away    | any        | False/WorkerUnreachable    |                |
| our URI and its revision      | answers | any        | True/Registered            |                |
| unknown service               | answers | never True | False/NotRegistered        | yes            |
| unknown service               | answers | True once  | False/RegistrationLost     | yes            |
| other URI or revision         | answers | any        | False/Superseded           | yes            |
| as when it refused            | as then | refused    | what the refusal means     | when it is due |
"""

from dataclasses import dataclass
from typing import Literal

from landlord.engines import Registration
from landlord.engines.restate.refusals import Refusal
from landlord.engines.restate.seen import Deployment, Engine, EngineAway, Worker, WorkerAway

PERMANENT_RETRY_SECONDS = 600.0

Loss = Literal["store_lost", "deployment_deleted", "superseded"]


@dataclass(frozen=True)
class Names:
    """What messages speak of."""

    service: str
    admin_url: str
    worker_url: str


@dataclass(frozen=True)
class RefusedBefore:
    """An attempt that did not succeed, and what was seen when it was made."""

    refusal: Refusal
    revision: str
    deployment_id: str | None
    at: float

    def stands(self, engine: Deployment | None, worker: Worker) -> bool:
        """Whether nothing has changed since."""
        return self.revision == worker.revision and self.deployment_id == (engine.id if engine else None)

    def due(self, now: float) -> bool:
        """Whether it is time to try the same again."""
        return not self.refusal.permanent or now - self.at >= PERMANENT_RETRY_SECONDS


@dataclass(frozen=True)
class Memory:
    """What one check leaves to the next."""

    verified: Deployment | None = None
    """The registration as it was last seen to be right."""
    engine_restarted: bool = False
    """Whether Restate's connection has ended since then."""
    refused: RefusedBefore | None = None


@dataclass(frozen=True)
class Verdict:
    """What to say, and whether to register."""

    registration: Registration
    register: bool = False
    loss: Loss | None = None
    """Set while what had been verified is not so any more, for another reason than a changed worker."""


def decide(names: Names, engine: Engine, worker: Worker | WorkerAway, memory: Memory, now: float) -> Verdict:
    """Apply the table above. `now` is in seconds of any clock that does not jump."""
    if isinstance(engine, EngineAway):
        backends = worker.backends if isinstance(worker, Worker) else None
        return Verdict(Registration("Unknown", "EngineUnreachable", engine.message, backends=backends))
    deployment_id = engine.id if engine else None
    if isinstance(worker, WorkerAway):
        registration = Registration("False", "WorkerUnreachable", worker.message, deployment_id)
        return Verdict(registration, loss=_loss(names, engine, None, memory))
    if engine is not None and is_current(engine, names.worker_url, worker):
        message = f"Restate runs {names.service} on the worker at {names.worker_url}"
        return Verdict(
            Registration("True", "Registered", message, deployment_id, worker.revision, worker.backends)
        )
    loss = _loss(names, engine, worker, memory)
    refused = memory.refused
    if refused is not None and refused.stands(engine, worker):
        status: Literal["Unknown", "False"] = (
            "Unknown" if refused.refusal.reason == "EngineUnreachable" else "False"
        )
        registration = Registration(
            status, refused.refusal.reason, refused.refusal.message, deployment_id, backends=worker.backends
        )
        return Verdict(registration, register=refused.due(now), loss=loss)
    reason, message = _missing(names, engine, memory)
    registration = Registration("False", reason, message, deployment_id, backends=worker.backends)
    return Verdict(registration, register=True, loss=loss)


def is_current(deployment: Deployment, worker_url: str, worker: Worker) -> bool:
    """Whether Restate has this very worker registered. Restate stores a URI with a slash at its end."""
    return _same_uri(deployment.uri, worker_url) and deployment.revision == worker.revision


def _same_uri(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")


def _missing(names: Names, engine: Deployment | None, memory: Memory) -> tuple[str, str]:
    again = f"landlord registers the worker at {names.worker_url} again"
    if engine is None and memory.verified is None:
        return "NotRegistered", (
            f"Restate at {names.admin_url} does not know {names.service} yet; landlord registers the worker "
            f"at {names.worker_url}"
        )
    if engine is None:
        return (
            "RegistrationLost",
            f"Restate at {names.admin_url} does not know {names.service} any more; {again}",
        )
    if _same_uri(engine.uri, names.worker_url):
        return "Superseded", f"Restate has another revision of {names.service} registered; {again}"
    return "Superseded", (
        f"Restate runs {names.service} on the worker at {engine.uri}; {again}; if this comes back, something "
        "else registers the same service there"
    )


def _loss(names: Names, engine: Deployment | None, worker: Worker | None, memory: Memory) -> Loss | None:
    before = memory.verified
    if before is None:
        return None
    if engine is None:
        # A store does not empty itself under a running server: without a restart somebody removed our entry.
        return "store_lost" if memory.engine_restarted else "deployment_deleted"
    if not _same_uri(engine.uri, names.worker_url):
        return "superseded"
    changed_by_others = engine.revision != before.revision
    return "superseded" if changed_by_others and worker and worker.revision == before.revision else None
