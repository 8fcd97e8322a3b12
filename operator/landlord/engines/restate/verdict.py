"""Decides whether the workflow is registered, from one snapshot of Restate and the worker. Pure.

| Restate's admin API reports     | worker  | before     | → WorkflowRegistered      | register?        |
|---------------------------------|---------|------------|---------------------------|------------------|
| no usable answer                | any     | any        | Unknown/EngineUnreachable |                  |
| anything                        | away    | any        | False/WorkerUnreachable   |                  |
| our URI and revision            | answers | any        | True/Registered           |                  |
| the same, but the ingress is    | answers | any        | Unknown/EngineUnreachable |                  |
| away                            |         |            |                           |                  |
| the same, but the ingress has   | answers | for 2 s    | Unknown/EngineUnreachable |                  |
| no workflow                     |         |            |                           |                  |
| the same, but a partition       | answers | any        | Unknown/EngineStuck       |                  |
| records nothing                 |         |            |                           |                  |
| the same, but a service is      | answers | any        | False/NotPublic           | by policy, paced |
| private                         |         |            |                           |                  |
| no workflow                     | answers | never True | False/NotRegistered       | yes              |
| no workflow                     | answers | True once  | False/RegistrationLost    | yes              |
| our URI, another revision       | answers | any        | False/Superseded          | yes, paced       |
| another URI                     | answers | any        | False/Superseded          | by policy, paced |
| the same as when it was refused | as then | refused    | as the refusal says       | when due         |
"""

from dataclasses import dataclass, replace
from typing import Literal

from landlord.engines.contract import ENGINE_STUCK, Registration
from landlord.engines.restate import contest
from landlord.engines.restate.refusals import Refusal, Retry
from landlord.engines.restate.seen import (
    Deployment,
    EngineAway,
    IngressAnswer,
    Snapshot,
    StuckPartition,
    Worker,
    WorkerAway,
    WorkflowUnknown,
)

PERMANENT_RETRY_SECONDS = 600.0
NOW_AND_THEN_SECONDS = 30.0
"""The same after a hint that something may have changed. A proxy that closes idle connections hints all the
time."""

UNKNOWN_SECONDS = 2.0
"""How long the ingress may lack a registered workflow. Normally it takes about 30 ms."""

MIXED_WAIT_SECONDS = 30.0
"""The longest wait between two attempts while workers of several revisions answer at one URL, as they briefly
do during a rollout."""

LossCause = Literal["store_lost", "deployment_deleted", "superseded"]
Policy = Literal["enforce", "observe"]


@dataclass(frozen=True)
class Target:
    """What is to be registered, and where."""

    service: str
    admin_url: str
    worker_url: str
    policy: Policy = "enforce"
    """Whether our worker replaces a worker at another URL that someone registered."""


@dataclass(frozen=True, kw_only=True)
class RefusedAttempt:
    """A registration attempt that failed, and what was observed at the time."""

    refusal: Refusal
    revision: str
    deployment_id: str | None
    at: float
    is_hinted: bool = False
    """Whether a connection to Restate or the worker has ended since, so that either may have been
    replaced."""

    def is_unchanged(self, engine: Deployment | None, worker: Worker) -> bool:
        """Return whether neither Restate's registration nor the worker has changed since."""
        return self.revision == worker.revision and self.deployment_id == (engine.id if engine else None)

    def is_due(self, now: float) -> bool:
        """Return whether it is time to retry."""
        retry = self.refusal.retry
        often = self.is_hinted or retry == "now_and_then"
        return retry == "soon" or now - self.at >= (
            NOW_AND_THEN_SECONDS if often else PERMANENT_RETRY_SECONDS
        )


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What one check remembers for the next."""

    verified: Deployment | None = None
    """The deployment that was last verified."""
    engine_restarted: bool = False
    """Whether the connection to Restate has ended since then."""
    refused: RefusedAttempt | None = None
    unknown_since: float | None = None
    """Since when the ingress lacks a registered workflow; None if it has it or none is registered."""
    retaken: tuple[float, ...] = ()
    """When the workflow was taken back from a worker at another URL, oldest first."""
    renewed: tuple[float, ...] = ()
    """When our own URL was registered again because of its revision, oldest first."""


@dataclass(frozen=True, kw_only=True)
class RegistrationVerdict:
    """What to report, and whether to register."""

    registration: Registration
    doing: str
    """What landlord does about the registration, for a person."""
    register: bool = False
    loss: LossCause | None = None
    """Set while a verified registration is lost for a reason other than a changed worker."""
    verified: Deployment | None = None
    """The deployment that this verdict verifies."""


_DOING: dict[Retry, str] = {
    "soon": "retries at least every 2 s",
    "now_and_then": "retries every 30 s",
    "on_change": "waits for a change, and retries every 10 minutes",
}


def decide(target: Target, seen: Snapshot, memory: Memory, now: float) -> RegistrationVerdict:
    """Apply the table above. `now` is in seconds of any monotonic clock."""
    engine, worker = seen.engine, seen.worker
    backends = worker.backends if isinstance(worker, Worker) else None
    if isinstance(engine, EngineAway):
        registration = _unreachable(engine.message, None, backends)
        return RegistrationVerdict(registration=registration, doing="asks Restate again, at least every 2 s")
    deployment_id = engine.id if engine else None
    if isinstance(worker, WorkerAway):
        return RegistrationVerdict(
            registration=Registration("False", "WorkerUnreachable", worker.message, deployment_id),
            doing="checks the worker again, at least every 2 s",
            loss=_find_loss(target, engine, None, memory),
        )
    if engine is not None and is_current(engine, target.worker_url, worker) and not engine.private:
        if seen.stuck is not None and seen.ingress is None:
            return _decide_stuck(target, engine, worker, seen.stuck)
        return _decide_current(target, engine, worker, seen.ingress, memory, now)
    loss = _find_loss(target, engine, worker, memory)
    refused = memory.refused
    if refused is not None and refused.is_unchanged(engine, worker):
        return _decide_refused(refused, deployment_id, backends, loss, now)
    return _decide_missing(target, engine, worker, memory, loss, now)


def is_current(deployment: Deployment, worker_url: str, worker: Worker) -> bool:
    """Return whether Restate has this very worker registered. Restate appends a slash to a URI."""
    return _is_same_uri(deployment.uri, worker_url) and deployment.revision == worker.revision


def is_new_loss(known: LossCause | None, seen: LossCause | None) -> bool:
    """Return whether it is another loss than the known one, which is not repaired yet."""
    if known is None or seen is None:
        return seen is not None
    # A missing workflow is not lost again when Restate restarts, nor a replaced one when the other goes.
    return (known, seen) == ("superseded", "store_lost") or (known != "superseded" and seen == "superseded")


def remember_takeover(before: Deployment | None, worker_url: str, memory: Memory, now: float) -> Memory:
    """Return the memory after the worker was registered in place of `before`."""
    if before is None:
        return memory
    if _is_same_uri(before.uri, worker_url):
        return replace(memory, renewed=(*contest.keep_recent(memory.renewed, now), now))
    return replace(memory, retaken=(*contest.keep_recent(memory.retaken, now), now))


def _is_same_uri(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")


def _unreachable(message: str, deployment_id: str | None, backends: frozenset[str] | None) -> Registration:
    return Registration("Unknown", "EngineUnreachable", message, deployment_id, backends=backends)


def _decide_current(
    target: Target, engine: Deployment, worker: Worker, ingress: IngressAnswer, memory: Memory, now: float
) -> RegistrationVerdict:
    if (problem := _find_problem(ingress, memory, now)) is not None:
        return RegistrationVerdict(
            registration=_unreachable(problem.message, engine.id, worker.backends),
            doing="asks the ingress again, at least every 2 s",
            verified=engine,
        )
    registration = Registration(
        status="True",
        reason="Registered",
        message=f"Restate runs {target.service} on the worker at {target.worker_url}",
        deployment_id=engine.id,
        revision=worker.revision,
        backends=worker.backends,
    )
    return RegistrationVerdict(registration=registration, doing="checks it every 5 to 10 s", verified=engine)


def _decide_stuck(
    target: Target, engine: Deployment, worker: Worker, stuck: StuckPartition
) -> RegistrationVerdict:
    registration = Registration(
        status="Unknown",
        reason=ENGINE_STUCK,
        message=(
            f"Restate at {target.admin_url} has {target.service} registered, but can't run it, because at "
            f"least one of its partitions does not record requests: {stuck.message}\n"
            "Fix: find the reason in Restate's log. If its disk is full, make space and restart Restate."
        ),
        deployment_id=engine.id,
        backends=worker.backends,
    )
    return RegistrationVerdict(
        registration=registration,
        doing="asks the partition again, at least every 2 s after it did not answer",
        verified=engine,
    )


def _find_problem(ingress: IngressAnswer, memory: Memory, now: float) -> IngressAnswer:
    """Return why the ingress can't take work, unless it is about to learn of the registration."""
    if not isinstance(ingress, WorkflowUnknown):
        return ingress
    since = memory.unknown_since
    return ingress if since is not None and now - since > UNKNOWN_SECONDS else None


def _decide_refused(
    refused: RefusedAttempt,
    deployment_id: str | None,
    backends: frozenset[str] | None,
    loss: LossCause | None,
    now: float,
) -> RegistrationVerdict:
    reason, message = refused.refusal.reason, refused.refusal.message
    registration = Registration(
        status="Unknown" if reason == "EngineUnreachable" else "False",
        reason=reason,
        message=message,
        deployment_id=deployment_id,
        backends=backends,
        hopeless=reason == "RegistrationRejected",
    )
    return RegistrationVerdict(
        registration=registration,
        doing=_DOING[refused.refusal.retry],
        register=refused.is_due(now),
        loss=loss,
    )


def _decide_missing(
    target: Target,
    engine: Deployment | None,
    worker: Worker,
    memory: Memory,
    loss: LossCause | None,
    now: float,
) -> RegistrationVerdict:
    if engine is not None and is_current(engine, target.worker_url, worker):
        reason, message, register = _describe_private(target, engine, memory, now)
    else:
        reason, message, register = _describe_missing(target, engine, memory, now)
    left_alone = not register and target.policy == "observe"
    registration = Registration(
        status="False",
        reason=reason,
        message=message,
        deployment_id=engine.id if engine else None,
        backends=worker.backends,
        hopeless=left_alone,
    )
    if register:
        doing = "registers the worker"
    else:
        doing = "leaves it to you" if left_alone else "waits before it registers the worker again"
    return RegistrationVerdict(registration=registration, doing=doing, register=register, loss=loss)


def _describe_private(
    target: Target, engine: Deployment, memory: Memory, now: float
) -> tuple[str, str, bool]:
    """Registering the worker again makes its services public."""
    private = " and ".join(engine.private)
    fact = f"Restate at {target.admin_url} rejects all requests to {private}, which somebody made private"
    if target.policy == "observe":
        message = (
            f"{fact}, and LANDLORD_REGISTRATION_POLICY=observe leaves it so\n"
            "Fix: run `landlord registration --register` to make it public again."
        )
        return "NotPublic", message, False
    wait = contest.wait_before_takeover(memory.renewed, now)
    message = (
        f"{fact}; landlord is registering the worker at {target.worker_url} again, which makes it public"
        if wait is None
        else f"{fact} repeatedly; landlord waits longer each time before it makes it public again\n"
        "Fix: stop whatever makes it private, or set LANDLORD_REGISTRATION_POLICY=observe."
    )
    return "NotPublic", message, not wait


def _describe_missing(
    target: Target, engine: Deployment | None, memory: Memory, now: float
) -> tuple[str, str, bool]:
    """Return (reason, message, whether to register now)."""
    again = f"landlord is registering the worker at {target.worker_url} again"
    if engine is None and memory.verified is None:
        return (
            "NotRegistered",
            f"Restate at {target.admin_url} does not have {target.service} yet; landlord is registering the "
            f"worker at {target.worker_url}",
            True,
        )
    if engine is None:
        return "RegistrationLost", f"Restate at {target.admin_url} lost {target.service}; {again}", True
    if _is_same_uri(engine.uri, target.worker_url):
        wait = contest.wait_before_takeover(memory.renewed, now, MIXED_WAIT_SECONDS)
        message = (
            f"Restate has another revision of {target.service} registered; {again}"
            if wait is None
            else f"Restate repeatedly has another revision of {target.service} registered; landlord waits "
            f"longer each time before it registers the worker at {target.worker_url} again\n"
            "Fix: run only one revision of the worker at this URL."
        )
        return "Superseded", message, not wait
    return _describe_takeover(target, engine, memory, now)


def _describe_takeover(
    target: Target, engine: Deployment, memory: Memory, now: float
) -> tuple[str, str, bool]:
    runs = f"Restate runs {target.service} on the worker at {engine.uri}"
    if target.policy == "observe":
        message = (
            f"{runs}, and LANDLORD_REGISTRATION_POLICY=observe leaves it there\n"
            "Fix: run `landlord registration --register` to take the workflow back to the worker at "
            f"{target.worker_url}."
        )
        return "Superseded", message, False
    wait = contest.wait_before_takeover(memory.retaken, now)
    message = (
        f"{runs}; landlord is registering the worker at {target.worker_url} again"
        if wait is None
        else f"{runs}, because something repeatedly registers it; landlord waits longer each time before it "
        "takes the workflow back\n"
        "Fix: stop whatever registers that worker, give each worker its own Restate, or set "
        "LANDLORD_REGISTRATION_POLICY=observe."
    )
    return "Superseded", message, not wait


def _find_loss(
    target: Target, engine: Deployment | None, worker: Worker | None, memory: Memory
) -> LossCause | None:
    before = memory.verified
    if before is None:
        return None
    if engine is None:
        # A running server does not lose its store: without a restart, someone deleted our deployment.
        return "store_lost" if memory.engine_restarted else "deployment_deleted"
    if not _is_same_uri(engine.uri, target.worker_url):
        return "superseded"
    changed_by_others = engine.revision != before.revision
    return "superseded" if changed_by_others and worker and worker.revision == before.revision else None
