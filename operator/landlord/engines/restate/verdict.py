"""Decides whether the workflow is registered, from what was just seen. Pure.

| Restate's admin API says      | worker  | before     | → WorkflowRegistered       | register?       |
|-------------------------------|---------|------------|----------------------------|-----------------|
| nothing that can be relied on | any     | any        | Unknown/EngineUnreachable  |                 |
| anything                      | away    | any        | False/WorkerUnreachable    |                 |
| our URI and its revision      | answers | any        | True/Registered            |                 |
| the same, the ingress is away | answers | any        | Unknown/EngineUnreachable  |                 |
| the same, not by the ingress  | answers | a while    | Unknown/EngineUnreachable  |                 |
| unknown service               | answers | never True | False/NotRegistered        | yes             |
| unknown service               | answers | True once  | False/RegistrationLost     | yes             |
| our URI, another revision     | answers | any        | False/Superseded           | yes, paced      |
| another URI                   | answers | any        | False/Superseded           | by policy, paced |
| as when it refused            | as then | refused    | what the refusal means     | when it is due  |
"""

from dataclasses import dataclass, replace
from typing import Literal

from landlord.engines.contract import Registration
from landlord.engines.restate import contest
from landlord.engines.restate.refusals import Refusal, Retry
from landlord.engines.restate.seen import Deployment, EngineAway, Ingress, Seen, Unheard, Worker, WorkerAway

PERMANENT_RETRY_SECONDS = 600.0
NOW_AND_THEN_SECONDS = 30.0
"""The same where something may have changed: what closes idle connections gives such hints all the time."""

UNHEARD_SECONDS = 2.0
"""How long the ingress may not know what is registered; it takes it some 30 ms."""

MIXED_WAIT_SECONDS = 30.0
"""The longest time between two attempts while workers of several revisions answer at one URL. It is soon over
in a rollout."""

LossCause = Literal["store_lost", "deployment_deleted", "superseded"]
Policy = Literal["enforce", "observe"]


@dataclass(frozen=True)
class Wanted:
    """What should be registered where."""

    service: str
    admin_url: str
    worker_url: str
    policy: Policy = "enforce"
    """Whether a worker at another URL, which somebody registered, is replaced by ours."""


@dataclass(frozen=True)
class RefusedBefore:
    """An attempt that did not succeed, and what was seen when it was made."""

    refusal: Refusal
    revision: str
    deployment_id: str | None
    at: float
    hinted: bool = False
    """Whether a connection to Restate or the worker has ended since: there may be another one now."""

    def stands(self, engine: Deployment | None, worker: Worker) -> bool:
        """Whether nothing has changed since."""
        return self.revision == worker.revision and self.deployment_id == (engine.id if engine else None)

    def due(self, now: float) -> bool:
        """Whether it is time to try the same again."""
        retry = self.refusal.retry
        often = self.hinted or retry == "now_and_then"
        return retry == "soon" or now - self.at >= (
            NOW_AND_THEN_SECONDS if often else PERMANENT_RETRY_SECONDS
        )


@dataclass(frozen=True)
class Memory:
    """What one check leaves to the next."""

    verified: Deployment | None = None
    """The registration as it was last seen to be right."""
    engine_restarted: bool = False
    """Whether Restate's connection has ended since then."""
    refused: RefusedBefore | None = None
    unheard_since: float | None = None
    """Since when the ingress does not know what is registered; None: it does, or nothing is."""
    retaken: tuple[float, ...] = ()
    """When the workflow was taken back from a worker at another URL, oldest first."""
    renewed: tuple[float, ...] = ()
    """When our own URL was registered anew because of its revision, oldest first."""


@dataclass(frozen=True)
class Verdict:
    """What to say, and whether to register."""

    registration: Registration
    doing: str
    """What landlord does about it, for a person."""
    register: bool = False
    loss: LossCause | None = None
    """Set while what had been verified is not so any more, for another reason than a changed worker."""
    verified: Deployment | None = None
    """The deployment that was seen to be right."""


_DOING: dict[Retry, str] = {
    "soon": "tries again, at least every 2 s",
    "now_and_then": "tries again every 30 s",
    "on_change": "waits for a change, and tries every 10 minutes",
}


def decide(wanted: Wanted, seen: Seen, memory: Memory, now: float) -> Verdict:
    """Apply the table above. `now` is in seconds of any clock that does not jump."""
    engine, worker = seen.engine, seen.worker
    backends = worker.backends if isinstance(worker, Worker) else None
    if isinstance(engine, EngineAway):
        return Verdict(_unknown(engine.message, None, backends), "asks Restate again, at least every 2 s")
    deployment_id = engine.id if engine else None
    if isinstance(worker, WorkerAway):
        registration = Registration("False", "WorkerUnreachable", worker.message, deployment_id)
        doing = "looks for the worker, at least every 2 s"
        return Verdict(registration, doing, loss=_loss(wanted, engine, None, memory))
    if engine is not None and is_current(engine, wanted.worker_url, worker):
        if (problem := _problem_of(seen.ingress, memory, now)) is not None:
            registration = _unknown(problem.message, deployment_id, backends)
            return Verdict(registration, "asks the ingress again, at least every 2 s", verified=engine)
        message = f"Restate runs {wanted.service} on the worker at {wanted.worker_url}"
        registration = Registration("True", "Registered", message, deployment_id, worker.revision, backends)
        return Verdict(registration, "checks it every 5 to 10 s", verified=engine)
    loss = _loss(wanted, engine, worker, memory)
    refused = memory.refused
    if refused is not None and refused.stands(engine, worker):
        return _still_refused(refused, deployment_id, backends, loss, now)
    reason, message, register = _missing(wanted, engine, memory, now)
    left_alone = not register and wanted.policy == "observe"
    registration = Registration(
        "False", reason, message, deployment_id, backends=backends, hopeless=left_alone
    )
    doing = (
        "registers the worker"
        if register
        else "leaves it to you"
        if left_alone
        else "waits before it registers the worker once more"
    )
    return Verdict(registration, doing, register, loss)


def is_current(deployment: Deployment, worker_url: str, worker: Worker) -> bool:
    """Whether Restate has this very worker registered. Restate stores a URI with a slash at its end."""
    return _same_uri(deployment.uri, worker_url) and deployment.revision == worker.revision


def is_new_loss(known: LossCause | None, seen: LossCause | None) -> bool:
    """Whether it is another loss than the one that is known, which has not been repaired yet."""
    if known is None or seen is None:
        return seen is not None
    # What is gone is not lost again because Restate restarts, nor what was replaced because that is removed.
    return (known, seen) == ("superseded", "store_lost") or (known != "superseded" and seen == "superseded")


def registered_over(before: Deployment | None, worker_url: str, memory: Memory, now: float) -> Memory:
    """The memory once the worker was registered in place of `before`."""
    if before is None:
        return memory
    if _same_uri(before.uri, worker_url):
        return replace(memory, renewed=(*contest.remembered(memory.renewed, now), now))
    return replace(memory, retaken=(*contest.remembered(memory.retaken, now), now))


def _same_uri(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")


def _problem_of(ingress: Ingress, memory: Memory, now: float) -> Ingress:
    """What keeps the ingress from taking work, if it is not just about to hear of the registration."""
    if not isinstance(ingress, Unheard):
        return ingress
    since = memory.unheard_since
    return ingress if since is not None and now - since > UNHEARD_SECONDS else None


def _unknown(message: str, deployment_id: str | None, backends: frozenset[str] | None) -> Registration:
    return Registration("Unknown", "EngineUnreachable", message, deployment_id, backends=backends)


def _still_refused(
    refused: RefusedBefore,
    deployment_id: str | None,
    backends: frozenset[str] | None,
    loss: LossCause | None,
    now: float,
) -> Verdict:
    reason, message = refused.refusal.reason, refused.refusal.message
    registration = Registration(
        "Unknown" if reason == "EngineUnreachable" else "False",
        reason,
        message,
        deployment_id,
        backends=backends,
        hopeless=reason == "RegistrationRejected",
    )
    return Verdict(registration, _DOING[refused.refusal.retry], register=refused.due(now), loss=loss)


def _missing(wanted: Wanted, engine: Deployment | None, memory: Memory, now: float) -> tuple[str, str, bool]:
    """(reason, message, whether to register now)."""
    again = f"landlord registers the worker at {wanted.worker_url} again"
    if engine is None and memory.verified is None:
        return (
            "NotRegistered",
            f"Restate at {wanted.admin_url} does not know {wanted.service} yet; landlord registers the "
            f"worker at {wanted.worker_url}",
            True,
        )
    if engine is None:
        message = f"Restate at {wanted.admin_url} does not know {wanted.service} any more; {again}"
        return "RegistrationLost", message, True
    if _same_uri(engine.uri, wanted.worker_url):
        has = f"Restate has another revision of {wanted.service} registered"
        wait = contest.wait(memory.renewed, now, MIXED_WAIT_SECONDS)
        message = (
            f"{has}; {again}"
            if wait is None
            else f"{has} again and again, and landlord takes longer each time to register the worker at "
            f"{wanted.worker_url}: see that all workers there are of one revision"
        )
        return "Superseded", message, not wait
    runs = f"Restate runs {wanted.service} on the worker at {engine.uri}"
    if wanted.policy == "observe":
        message = (
            f"{runs}, and LANDLORD_REGISTRATION_POLICY=observe leaves it so: `landlord registration "
            f"--register` takes it back to the worker at {wanted.worker_url}"
        )
        return "Superseded", message, False
    wait = contest.wait(memory.retaken, now)
    message = (
        f"{runs}; {again}; if this comes back, something else registers the same service there"
        if wait is None
        else f"{runs} again and again, and landlord takes longer each time to take it back: stop what "
        "registers that worker, or give each its own Restate, or set LANDLORD_REGISTRATION_POLICY=observe"
    )
    return "Superseded", message, not wait


def _loss(
    wanted: Wanted, engine: Deployment | None, worker: Worker | None, memory: Memory
) -> LossCause | None:
    before = memory.verified
    if before is None:
        return None
    if engine is None:
        # A store does not empty itself under a running server: without a restart somebody removed our entry.
        return "store_lost" if memory.engine_restarted else "deployment_deleted"
    if not _same_uri(engine.uri, wanted.worker_url):
        return "superseded"
    changed_by_others = engine.revision != before.revision
    return "superseded" if changed_by_others and worker and worker.revision == before.revision else None
