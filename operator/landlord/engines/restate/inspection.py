"""A look at the registration for a person: by our own eyes, and by the operator's word."""

import asyncio
import math
import time

from landlord.api.base import Model
from landlord.api.names import LEASE, WORKFLOW_SERVICE
from landlord.engines.contract import Registration
from landlord.engines.report import OperatorReport
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.clients import Clients
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.ingress import Ingress
from landlord.engines.restate.keeper import Attempt, AttemptOutcome, Keeper
from landlord.engines.restate.seen import Deployment, EngineAway, Seen, Unheard, Worker, WorkerAway
from landlord.engines.restate.verdict import UNHEARD_SECONDS, Memory, Policy, Wanted, decide
from landlord.errors import EngineUnreachable


class Server(Model):
    """One of the servers that it takes."""

    url: str
    problem: str | None = None
    """Why it is of no use at present; None: it answers as it should."""


class AttemptReport(Model):
    """An attempt to register the worker."""

    outcome: AttemptOutcome
    message: str


class Inspection(Model):
    """All that was found."""

    well: bool
    """Registered and verified, everything answers, and an operator watches over it. An attempt, if one was to
    be made, has been verified too."""
    service: str
    status: str
    reason: str
    message: str
    policy: Policy
    attempt: AttemptReport | None = None
    admin: Server
    ingress: Server
    worker: Server
    operator: Server
    """Of no use too if it does not lead."""
    engine_version: str | None = None
    deployment_id: str | None = None
    deployment_uri: str | None = None
    revision_wanted: str | None = None
    """What the worker says that it is."""
    revision_seen: str | None = None
    """What Restate has registered."""
    backends: tuple[str, ...] = ()
    operator_says: OperatorReport | None = None


class _Gate(Model):
    ok: bool
    message: str


class _Readiness(Model):
    gates: dict[str, _Gate]


async def inspect(
    clients: Clients, operator: HttpClient, policy: Policy, *, register: bool = False
) -> Inspection:
    """Look at everything once; with `register`, make one attempt to register the worker before that."""
    wanted = Wanted(WORKFLOW_SERVICE, clients.admin.url, clients.worker.url, policy)
    admin = Admin(clients.admin)
    keeper = Keeper(admin, Ingress(clients.ingress), clients.worker, policy, changed=lambda _: None)
    attempt: Attempt | None = None
    attempted: Registration | None = None
    if register:
        attempt = await keeper.register()
        attempted = keeper.registration
    seen = await keeper.look()
    if isinstance(seen.ingress, Unheard):
        await asyncio.sleep(UNHEARD_SECONDS)  # it may be about to hear of what has just been registered
        seen = await keeper.look()
    found = decide(wanted, seen, Memory(unheard_since=-math.inf), time.monotonic()).registration
    # Why an attempt did not succeed is known only to the one who made it.
    said = attempted if attempted is not None and not found.ready else found
    word, problem = await _ask(operator)
    engine, worker = seen.engine, seen.worker
    deployment = engine if isinstance(engine, Deployment) else None
    return Inspection(
        well=said.ready
        and (attempt is None or attempt.outcome == "verified")
        and word is not None
        and word.leading
        and word.status == "True",
        service=WORKFLOW_SERVICE,
        status=said.status,
        reason=said.reason,
        message=said.message,
        policy=policy,
        attempt=AttemptReport(outcome=attempt.outcome, message=attempt.message) if attempt else None,
        admin=Server(
            url=clients.admin.url, problem=engine.message if isinstance(engine, EngineAway) else None
        ),
        ingress=Server(url=clients.ingress.url, problem=_problem(seen)),
        worker=Server(
            url=clients.worker.url, problem=worker.message if isinstance(worker, WorkerAway) else None
        ),
        operator=Server(url=operator.url, problem=problem),
        engine_version=await _version(admin),
        deployment_id=deployment.id if deployment else None,
        deployment_uri=deployment.uri if deployment else None,
        revision_wanted=worker.revision if isinstance(worker, Worker) else None,
        revision_seen=deployment.revision if deployment else None,
        backends=tuple(sorted(worker.backends)) if isinstance(worker, Worker) else (),
        operator_says=word,
    )


async def _version(admin: Admin) -> str | None:
    try:
        return await admin.version()
    except EngineUnreachable:
        return None


async def _ask(operator: HttpClient) -> tuple[OperatorReport | None, str | None]:
    """What it says, and why it is of no use."""
    try:
        answer = await operator.request("GET", "/registration")
        word = answer.parsed(OperatorReport)
        if word is None:
            return None, str(operator.unexpected(answer))
        return word, None if word.leading else await _why_it_does_not_lead(operator)
    except EngineUnreachable as error:
        return None, str(error)


async def _why_it_does_not_lead(operator: HttpClient) -> str:
    answer = await operator.request("GET", "/readyz")
    readiness = answer.parsed(_Readiness)
    gates = readiness.gates if readiness else {}
    for name in ("apiServer", "crd", "cache"):
        if name in gates and not gates[name].ok:
            return f"the operator at {operator.url} does not lead: {gates[name].message} (gate {name})"
    return (
        f"the operator at {operator.url} stands by, and has not asked Restate: run this where the one that "
        f"leads runs, which the holderIdentity of the Lease {LEASE} names"
    )


def _problem(seen: Seen) -> str | None:
    """What is wrong with the ingress. That it does not know what nobody has registered is not."""
    if seen.ingress is None or (isinstance(seen.ingress, Unheard) and seen.engine is None):
        return None
    return seen.ingress.message
