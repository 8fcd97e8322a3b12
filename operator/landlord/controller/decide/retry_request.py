"""Decides what a person's request to try again now means: the annotation `landlord.dev/retry-requested-at`.

| when landlord reads a new value, the Tenant … | → landlord                                              |
|-----------------------------------------------|---------------------------------------------------------|
| has work that failed, or waits to be repaired | starts the next attempt now                             |
| has work that backs off, or that is paused    | starts the next attempt, which supersedes the stuck one |
| has work that makes progress                  | waits: if that fails, it starts the next attempt at once |
| has work that has not started                 | starts it as usual                                      |
| matches its spec, and is healthy              | does nothing                                            |
| is paused or held, or waits for the engine    | waits until that is over                                |

Each value counts once. `status.lastHandledRetryAt` has the last one that counted, and is written together
with the attempt that it leads to and before that is submitted. So an operator that dies in between continues
with the same attempt, and another value leads to another one.
"""

import re
from datetime import datetime

from landlord.api import names
from landlord.api.conditions import COMPUTE_HEALTHY, RETRY_REJECTED, Verdict, find, shortened
from landlord.api.request import Request
from landlord.api.tenant import Tenant
from landlord.controller.decide.facts import Case, Flight
from landlord.controller.decide.last_work import find_operation, may_be_running
from landlord.engines.contract import Progress

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_LONGEST = 64
"""Characters of a valid value: the status repeats it."""


def find_retry(tenant: Tenant) -> str | None:
    """Find the request to try again that landlord has yet to handle."""
    value = tenant.metadata.annotations.get(names.ANNOTATION_RETRY)
    if value is None or value == tenant.status.last_handled_retry_at or not _is_time(value):
        return None
    return value


def find_rejection(tenant: Tenant) -> Verdict | None:
    """Find out whether landlord has to ignore the annotation because nobody can read it."""
    value = tenant.metadata.annotations.get(names.ANNOTATION_RETRY)
    if value is None or _is_time(value):
        return None
    message = (
        f"The annotation {names.ANNOTATION_RETRY} is {shortened(value, _LONGEST)!r}, which is not an RFC "
        "3339 time such as 2026-01-31T12:00:00Z, so landlord does not try again.\n"
        f"Fix: run `landlord retry {tenant.key.name} -n {tenant.key.namespace}`, or set the annotation to "
        "the present time."
    )
    return Verdict(RETRY_REJECTED, "True", "InvalidTime", message)


def is_stuck(flight: Flight) -> bool:
    """Whether the work is known to fail or to be paused, so that another attempt loses nothing."""
    return not flight.has_ended and flight.progress is not None and _makes_no_progress(flight.progress)


def is_continued(tenant: Tenant, request: Request) -> bool:
    """Whether the status reports this very work as started: it began before anything that is new now."""
    workflow = tenant.status.workflow
    return (
        workflow is not None
        and may_be_running(workflow)
        and (workflow.generation, workflow.attempt) == (request.generation, request.attempt)
        and find_operation(workflow.operation) == request.operation
    )


def is_in_order(case: Case) -> bool:
    """Whether nothing is known against a tenant whose last workflow succeeded."""
    status, finding = case.tenant.status, case.finding
    known = find(status.conditions, COMPUTE_HEALTHY)
    health = known.status if known else None
    drift = status.drift.items if status.drift else ()
    if finding is not None:
        health = finding.health.status if finding.health else health
        drift = drift if finding.drift is None else finding.drift
    return health == "True" and not drift and not (finding and finding.repair)


def _makes_no_progress(progress: Progress) -> bool:
    is_failing = progress.attempt > 1 and bool(progress.last_error)
    return progress.sub_state in ("BackingOff", "Paused") or (progress.sub_state == "Running" and is_failing)


def _is_time(text: str) -> bool:
    if len(text) > _LONGEST or not _RFC_3339.fullmatch(text.upper()):
        return False
    try:
        datetime.fromisoformat(text.upper())
    except ValueError:  # such as the 31st of February
        return False
    return True
