"""Carries out the plan for one Tenant: the thin shell around `plan` and `compose`.

At most three writes bring a Tenant to Ready: the finalizer, the progress if the work takes a while, and the
outcome.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from landlord import metrics
from landlord.api import names
from landlord.api.conditions import READY, find
from landlord.api.request import Request
from landlord.api.schema import JsonObject
from landlord.api.status import TenantStatus
from landlord.api.tenant import Key, Tenant
from landlord.controller.act.flights import Flights
from landlord.controller.act.queue import WorkQueue
from landlord.controller.decide.breaker import Deletions
from landlord.controller.decide.facts import Case, Facts
from landlord.controller.decide.hold import is_deprovisioning
from landlord.controller.decide.news import describe_departure, describe_expiry, find_tenant_news
from landlord.controller.decide.plan import Plan, plan
from landlord.controller.decide.situation import Releasing, Repairing, Retrying, Situation
from landlord.controller.decide.status import compose
from landlord.controller.kube import KubeClient
from landlord.controller.tell.events import Recorder, Regarding
from landlord.controller.watch.cache import Cache
from landlord.controller.watch.deletion_ledger import MassDeletion
from landlord.controller.watch.surveyor import Surveyor
from landlord.engines.contract import Registration, WorkflowEngine
from landlord.kubernetes_api import KubeError

log = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds that a workflow may take before the Tenant reports that it is running.

Short work takes 10 ms of its own, but far longer among hundreds of others: with 0.3 s, 150 Tenants at once
took 1.4 status writes each instead of one.
"""
COSMETIC_PACE = 10.0
"""Seconds, at least, between two writes that change nothing but wording and counters."""


class Reconciler:
    """Reconciles one Tenant at a time per key; many keys at once."""

    def __init__(
        self,
        *,
        cache: Cache,
        queue: WorkQueue[Key],
        flights: Flights,
        engine: WorkflowEngine,
        kube: KubeClient,
        events: Recorder,
        surveyor: Surveyor,
        mass_deletion: MassDeletion | None,
        default_provider: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._cache = cache
        self._queue = queue
        self._flights = flights
        self._engine = engine
        self._kube = kube
        self._events = events
        self._surveyor = surveyor
        self._mass_deletion = mass_deletion
        self._default_provider = default_provider
        self._clock = clock
        self._written: dict[Key, float] = {}
        self._first_seen: dict[Key, tuple[int, float]] = {}
        self.steady: Registration | None = None
        """The registration once it has not changed for a while: what settled Tenants report."""

    async def reconcile(self, key: Key) -> None:
        """Bring the Tenant one step on. Raises KubeError; the Tenant's status reports everything else."""
        tenant = self._cache.get(key)
        if tenant is None:
            self.forget(key)
            return
        case = self._build_case(tenant, await self._observe_deletions(tenant))
        decided = plan(case)
        self._start_timer(tenant, decided)
        if decided.add_finalizer:
            finalizers = (*tenant.metadata.finalizers, names.FINALIZER)
            case = self._build_case(await self._set_finalizers(tenant, finalizers))
            decided = plan(case)
        if decided.submit is not None:
            case = await self._submit(case, decided.situation, decided.submit)
            decided = plan(case)
            if decided.submit is not None:  # by now something else is wanted
                self._queue.add(key)
        await self._write_status(case, decided)
        if decided.delete:
            await self._delete(case.tenant)
        if isinstance(decided.situation, Releasing):
            await self._release(case.tenant, decided.situation)
        self._follow_up(case, decided)

    def forget(self, key: Key) -> None:
        """Drop everything about a Tenant that no longer exists."""
        self._flights.forget(key)
        self._queue.forget(key)
        self._written.pop(key, None)
        self._first_seen.pop(key, None)

    def _build_case(self, tenant: Tenant, deletions: Deletions | None = None) -> Case:
        owner = self._cache.find_owner(tenant.key)
        facts = Facts(
            registration=self._engine.registration,
            steady=self.steady,
            default_provider=self._default_provider,
            owner=str(owner) if owner else None,
            flight=self._flights.get(tenant.key),
            finding=self._surveyor.get_finding(tenant.key),
            deletions=deletions,
        )
        return Case(tenant, facts, self._clock())

    async def _observe_deletions(self, tenant: Tenant) -> Deletions | None:
        """Observe what has to be known before deprovisioning may begin."""
        if self._mass_deletion is None or not tenant.deleting or not tenant.has_finalizer:
            return None
        if is_deprovisioning(tenant, self._flights.get(tenant.key)):
            return None
        return await self._mass_deletion.observe(self._clock())

    async def _submit(self, case: Case, situation: Situation, request: Request) -> Case:
        """Submit the request, and wait for its outcome for a moment."""
        tenant, key = case.tenant, case.tenant.key
        self._cache.unsettled.add(key)
        self._cache.claim(key)
        if isinstance(situation, Repairing | Retrying):
            # First, because nothing else of the object says so: the next repair or retry must not use this
            # attempt again.
            await self._write(tenant, compose(case, situation))
            tenant = self._cache.get(key) or tenant
        if isinstance(situation, Repairing):
            self._surveyor.remember_repair(key)
        await self._flights.start(key, request, PATIENCE)
        return self._build_case(tenant)

    async def _delete(self, tenant: Tenant) -> None:
        log.info("landlord deletes the Tenant because it expired", extra=_build_log_fields(tenant))
        self._events.record(Regarding.of_tenant(tenant), describe_expiry(tenant))
        await self._kube.delete_tenant(tenant.key, tenant.metadata.uid, tenant.metadata.resource_version)

    async def _release(self, tenant: Tenant, situation: Releasing) -> None:
        news = describe_departure(tenant, situation.departure, situation.left)
        # Before the object goes, because afterwards nobody could say what was left where.
        level = logging.WARNING if news.type == "Warning" else logging.INFO
        log.log(level, "%s: %s", news.reason, news.note, extra=_build_log_fields(tenant))
        self._events.record(Regarding.of_tenant(tenant), news)
        finalizers = tuple(f for f in tenant.metadata.finalizers if f != names.FINALIZER)
        await self._set_finalizers(tenant, finalizers)

    def _follow_up(self, case: Case, decided: Plan) -> None:
        key, flight = case.tenant.key, case.facts.flight
        # The status has its outcome by now, but not what came in since the plan was made.
        if flight is not None and flight.has_ended and self._flights.get(key) is flight:
            self._flights.forget(key)
        if decided.is_settled:
            self._cache.unsettled.discard(key)
        else:
            self._cache.unsettled.add(key)
        if decided.retry:
            self._queue.retry(key)
            return
        self._queue.reset_backoff(key)
        if decided.requeue_after is not None:
            self._queue.add_after(key, decided.requeue_after)

    async def _set_finalizers(self, tenant: Tenant, finalizers: tuple[str, ...]) -> Tenant:
        body = await self._kube.set_finalizers(tenant.key, tenant.metadata.resource_version, finalizers)
        self._cache.refresh(body)
        return Tenant.model_validate(body)

    async def _write_status(self, case: Case, decided: Plan) -> None:
        """Write the status if it says something new, and soon if it matters."""
        tenant, new = case.tenant, compose(case, decided.situation)
        since = time.monotonic() - self._written.get(tenant.key, float("-inf"))
        is_cosmetic = _summarize(new) == _summarize(tenant.status) and not decided.is_settled
        if new != tenant.status and is_cosmetic and since < COSMETIC_PACE:
            self._queue.add_after(tenant.key, COSMETIC_PACE - since)
            return
        await self._write(tenant, new)

    async def _write(self, tenant: Tenant, new: TenantStatus) -> None:
        if new == tenant.status:
            return
        version, body = tenant.metadata.resource_version, _serialize(new)
        self._cache.refresh(await self._kube.apply_status(tenant.key, version, body))
        self._written[tenant.key] = time.monotonic()
        self._report(tenant, new)
        self._stop_timer(tenant, new)

    def _report(self, tenant: Tenant, new: TenantStatus) -> None:
        """Log one line when Ready changes, and record an Event of what is new."""
        before, after = find(tenant.status.conditions, READY), find(new.conditions, READY)
        changed = after and (before is None or (before.status, before.reason) != (after.status, after.reason))
        news = find_tenant_news(tenant.status, new)
        if news or changed:
            self._events.record(Regarding.of_tenant(tenant), news)
        if after is None or not changed:
            return
        is_bad = after.reason.endswith(("Failed", "Conflict", "Spec", "Backend"))
        level = logging.WARNING if is_bad else logging.INFO
        log.log(level, "%s: %s", after.reason, after.message, extra=_build_log_fields(tenant, new))

    def _start_timer(self, tenant: Tenant, decided: Plan) -> None:
        generation = tenant.metadata.generation
        if not decided.is_settled and self._first_seen.get(tenant.key, (0, 0.0))[0] != generation:
            self._first_seen[tenant.key] = (generation, time.monotonic())

    def _stop_timer(self, tenant: Tenant, new: TenantStatus) -> None:
        """Measure how long a generation took to Ready; a short update leads from Ready straight to Ready."""
        ready, seen = find(new.conditions, READY), self._first_seen.get(tenant.key)
        if ready is None or ready.status != "True" or new.workflow is None or seen is None:
            return
        del self._first_seen[tenant.key]
        if seen[0] == tenant.metadata.generation:
            operation = new.workflow.operation.lower()
            seconds = time.monotonic() - seen[1]
            metrics.time_to_ready_seconds.labels(operation, new.provider or "").observe(seconds)


async def work(queue: WorkQueue[Key], reconciler: Reconciler) -> None:
    """Reconcile key after key, until cancelled. An error delays only its own key."""
    while True:
        key = await queue.get()
        started = time.monotonic()
        result = "ok"
        try:
            await reconciler.reconcile(key)
        except KubeError as error:
            # 404 and 409 mean that the object has changed or gone; the watch brings the newer one.
            result = "conflict" if error.status in (404, 409) else "error"
            delay = queue.retry(key)
            if result == "error":
                fields = {"tenant": str(key), "status": error.status, "retry_in": round(delay, 1)}
                log.warning("the API server refused a write: %s", error, extra=fields)
        except Exception:
            result = "error"
            delay = queue.retry(key)
            log.exception("reconcile failed", extra={"tenant": str(key), "retry_in": round(delay, 1)})
        finally:
            queue.finish(key)
            metrics.reconcile_total.labels(result).inc()
            metrics.reconcile_seconds.observe(time.monotonic() - started)


def _serialize(status: TenantStatus) -> JsonObject:
    body: JsonObject = status.model_dump(mode="json", exclude_none=True)
    failure = body.get("workflow", {}).get("lastFailure")
    if failure is not None and not failure["fix"]:
        del failure["fix"]  # an empty line of advice would only puzzle the reader
    return body


def _summarize(status: TenantStatus) -> JsonObject:
    """Summarize what matters to somebody who waits for the Tenant, without wording and counters."""
    summary: dict[str, Any] = {c.type: (c.status, c.reason) for c in status.conditions}
    workflow = status.workflow
    if workflow is not None:
        summary["workflow"] = (workflow.generation, workflow.attempt, workflow.sub_state, workflow.step)
    summary["rest"] = (status.observed_generation, status.phase, status.endpoints, status.resources)
    return summary


def _build_log_fields(tenant: Tenant, status: TenantStatus | None = None) -> dict[str, object]:
    """Build the fields of a log line about a Tenant."""
    workflow = (status or tenant.status).workflow
    fields = {
        "tenant": str(tenant.key),
        "tenant_id": tenant.tenant_id,
        "generation": tenant.metadata.generation,
        "invocation": workflow.invocation_id if workflow else None,
    }
    return {name: value for name, value in fields.items() if value is not None}
