"""Inspects the registration for a person: what this process observes, and what the operator reports."""

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
from landlord.engines.restate.keeper import AttemptOutcome, Keeper, RegistrationAttempt
from landlord.engines.restate.seen import (
    Deployment,
    EngineAnswer,
    EngineAway,
    Snapshot,
    Worker,
    WorkerAway,
    WorkflowUnknown,
)
from landlord.engines.restate.verdict import UNKNOWN_SECONDS, Memory, Policy, Target, decide
from landlord.errors import EngineUnreachable


class Server(Model):
    """One of the servers that the registration depends on."""

    url: str
    problem: str | None = None
    """Why it can't be used; None if it works."""


class AttemptReport(Model):
    """An attempt to register the worker."""

    outcome: AttemptOutcome
    message: str


class RegistrationReport(Model):
    """Everything that `landlord registration` shows."""

    well: bool
    """Whether the workflow is registered and verified, everything answers, and an operator leads. A requested
    attempt must have been verified too."""
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
    """An operator that does not lead is a problem too."""
    engine_version: str | None = None
    deployment_id: str | None = None
    deployment_uri: str | None = None
    revision_wanted: str | None = None
    """The revision that the worker reports."""
    revision_seen: str | None = None
    """The revision that is registered in Restate."""
    backends: tuple[str, ...] = ()
    operator_says: OperatorReport | None = None


class _Gate(Model):
    ok: bool
    message: str


class _Readiness(Model):
    gates: dict[str, _Gate]


async def inspect(
    clients: Clients, operator: HttpClient, policy: Policy, *, register: bool = False
) -> RegistrationReport:
    """Observe everything once; with `register`, try once to register the worker first."""
    target = Target(WORKFLOW_SERVICE, clients.admin.url, clients.worker.url, policy)
    admin = Admin(clients.admin)
    keeper = Keeper(
        admin=admin,
        ingress=Ingress(clients.ingress),
        worker=clients.worker,
        policy=policy,
        on_change=lambda _: None,
    )
    attempt: RegistrationAttempt | None = None
    attempted: Registration | None = None
    if register:
        attempt = await keeper.register()
        attempted = keeper.registration
    seen = await _observe_settled(keeper)
    found = decide(target, seen, Memory(unknown_since=-math.inf), time.monotonic()).registration
    # Only the attempt itself knows why it failed.
    registration = attempted if attempted is not None and not found.ready else found
    operator_says, problem = await _ask(operator)
    engine, worker = seen.engine, seen.worker
    deployment = engine if isinstance(engine, Deployment) else None
    return RegistrationReport(
        well=registration.ready
        and (attempt is None or attempt.outcome == "verified")
        and operator_says is not None
        and operator_says.leading
        and operator_says.status == "True",
        service=WORKFLOW_SERVICE,
        status=registration.status,
        reason=registration.reason,
        message=registration.message,
        policy=policy,
        attempt=AttemptReport(outcome=attempt.outcome, message=attempt.message) if attempt else None,
        admin=_build_server(clients.admin, engine),
        ingress=Server(url=clients.ingress.url, problem=_find_ingress_problem(seen)),
        worker=_build_server(clients.worker, worker),
        operator=Server(url=operator.url, problem=problem),
        engine_version=await _read_version(admin),
        deployment_id=deployment.id if deployment else None,
        deployment_uri=deployment.uri if deployment else None,
        revision_wanted=worker.revision if isinstance(worker, Worker) else None,
        revision_seen=deployment.revision if deployment else None,
        backends=tuple(sorted(worker.backends)) if isinstance(worker, Worker) else (),
        operator_says=operator_says,
    )


async def _observe_settled(keeper: Keeper) -> Snapshot:
    seen = await keeper.observe()
    if isinstance(seen.ingress, WorkflowUnknown):
        await asyncio.sleep(UNKNOWN_SECONDS)  # it may be about to learn of a new registration
        seen = await keeper.observe()
    return seen


def _build_server(client: HttpClient, answer: EngineAnswer | Worker | WorkerAway) -> Server:
    problem = answer.message if isinstance(answer, EngineAway | WorkerAway) else None
    return Server(url=client.url, problem=problem)


async def _read_version(admin: Admin) -> str | None:
    try:
        return await admin.version()
    except EngineUnreachable:
        return None


async def _ask(operator: HttpClient) -> tuple[OperatorReport | None, str | None]:
    """Return what the operator reports, and why that can't be used."""
    try:
        answer = await operator.request("GET", "/registration")
        report = answer.parse(OperatorReport)
        if report is None:
            return None, str(operator.error_for(answer))
        return report, None if report.leading else await _explain_standby(operator)
    except EngineUnreachable as error:
        return None, str(error)


async def _explain_standby(operator: HttpClient) -> str:
    answer = await operator.request("GET", "/readyz")
    readiness = answer.parse(_Readiness)
    gates = readiness.gates if readiness else {}
    for name in ("apiServer", "crd", "cache"):
        if name in gates and not gates[name].ok:
            return f"the operator at {operator.url} does not lead: {gates[name].message} (gate {name})"
    return (
        f"the operator at {operator.url} is a standby and has not asked Restate\n"
        f"Fix: run this command where the leader runs, which the holderIdentity of the Lease {LEASE} names."
    )


def _find_ingress_problem(seen: Snapshot) -> str | None:
    """Return what is wrong with the ingress. It need not have a workflow that is not registered."""
    if seen.ingress is None or (isinstance(seen.ingress, WorkflowUnknown) and seen.engine is None):
        return None
    return seen.ingress.message
