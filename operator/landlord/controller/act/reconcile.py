"""Makes the plan of one Tenant come true: the thin shell around `plan`.

At most three writes bring a Tenant to Ready: the finalizer, one that says that it takes a while if it does,
and the outcome.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from landlord import metrics
from landlord.api import names
from landlord.api.conditions import READY, find
from landlord.api.schema import JsonObject
from landlord.api.status import TenantStatus
from landlord.api.tenant import Key, Tenant
from landlord.controller.act.flights import Flights
from landlord.controller.act.queue import WorkQueue
from landlord.controller.decide.breaker import Deletions
from landlord.controller.decide.facts import Facts, Flight
from landlord.controller.decide.hold import under_way
from landlord.controller.decide.news import about_departure, about_expiry, about_tenant
from landlord.controller.decide.plan import Plan, plan
from landlord.controller.kube import KubeClient
from landlord.controller.tell.events import Recorder, Regarding
from landlord.controller.watch.cache import Cache
from landlord.controller.watch.deletion_ledger import MassDeletion
from landlord.controller.watch.surveyor import Surveyor
from landlord.engines.contract import Registration, WorkflowEngine
from landlord.kubernetes_api import KubeError

log = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds that a workflow may take before the Tenant says that it is under way.

Short work takes 10 ms of its own, but far longer among hundreds of others: with 0.3 s, 150 Tenants at once
took 1.4 status writes each instead of one.
"""
COSMETIC_PACE = 10.0
"""Least seconds between two writes that change nothing but wording and counters."""


class Reconciler:
    """Reconciles one Tenant at a time per key; many keys at once."""

    def __init__(
        self,
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
        """The registration once it has stood for a while: what settled Tenants are told."""

    async def reconcile(self, key: Key) -> None:
        """Bring the Tenant one step on. Raises KubeError; everything else is in the Tenant's status."""
        tenant = self._cache.get(key)
        if tenant is None:
            self.forget(key)
            return
        decided = self._plan(tenant, await self._deletions(tenant))
        if not decided.settled and self._first_seen.get(key, (0, 0.0))[0] != tenant.metadata.generation:
            self._first_seen[key] = (tenant.metadata.generation, time.monotonic())
        if decided.hold:
            finalizers = (*tenant.metadata.finalizers, names.FINALIZER)
            tenant = await self._set_finalizers(tenant, finalizers)
            decided = self._plan(tenant)
        if decided.submit is not None:
            self._cache.unsettled.add(key)
            self._cache.claim(key)
            if decided.repairs:
                await self._tell(tenant, decided)
                tenant = self._cache.get(key) or tenant
                self._surveyor.repaired(key)
            await self._flights.start(key, decided.submit, PATIENCE)
            decided = self._plan(tenant)
            if decided.submit is not None:  # something else is wanted by now
                self._queue.add(key)
        planned_with = self._flights.get(key)
        await self._tell(tenant, decided)
        if decided.expire:
            log.info("deleted, as it has expired", extra=_fields(tenant))
            self._events.tell(Regarding.tenant(tenant), about_expiry(tenant))
            await self._kube.delete_tenant(tenant.key, tenant.metadata.uid, tenant.metadata.resource_version)
        if decided.let_go is not None:
            news = about_departure(tenant, decided.let_go, decided.left)
            # Told before the object goes: afterwards nobody could say what was left where.
            level = logging.WARNING if news.type == "Warning" else logging.INFO
            log.log(level, "%s: %s", news.reason, news.note, extra=_fields(tenant))
            self._events.tell(Regarding.tenant(tenant), news)
            finalizers = tuple(f for f in tenant.metadata.finalizers if f != names.FINALIZER)
            await self._set_finalizers(tenant, finalizers)
        self._follow_up(key, decided, planned_with)

    def forget(self, key: Key) -> None:
        """Drop what is remembered of a Tenant that is gone."""
        self._flights.forget(key)
        self._queue.forget(key)
        self._written.pop(key, None)
        self._first_seen.pop(key, None)

    async def _deletions(self, tenant: Tenant) -> Deletions | None:
        """What has to be known before deprovisioning may begin."""
        begins = tenant.deleting and tenant.held and not under_way(tenant, self._flights.get(tenant.key))
        return await self._mass_deletion.known(self._clock()) if self._mass_deletion and begins else None

    def _plan(self, tenant: Tenant, deletions: Deletions | None = None) -> Plan:
        owner = self._cache.owner(tenant.key)
        facts = Facts(
            registration=self._engine.registration,
            steady=self.steady,
            default_provider=self._default_provider,
            owner=str(owner) if owner else None,
            flight=self._flights.get(tenant.key),
            finding=self._surveyor.finding(tenant.key),
            deletions=deletions,
        )
        return plan(tenant, facts, self._clock())

    def _follow_up(self, key: Key, decided: Plan, flight: Flight | None) -> None:
        # What came of it is in the status by now, but not what came of it since the plan was made.
        if flight is not None and flight.ended and self._flights.get(key) is flight:
            self._flights.forget(key)
        if decided.settled:
            self._cache.unsettled.discard(key)
        else:
            self._cache.unsettled.add(key)
        if decided.retry:
            self._queue.retry(key)
            return
        self._queue.succeeded(key)
        if decided.requeue_after is not None:
            self._queue.add_after(key, decided.requeue_after)

    async def _set_finalizers(self, tenant: Tenant, finalizers: tuple[str, ...]) -> Tenant:
        body = await self._kube.set_finalizers(tenant.key, tenant.metadata.resource_version, finalizers)
        self._cache.refresh(body)
        return Tenant.model_validate(body)

    async def _tell(self, tenant: Tenant, decided: Plan) -> None:
        """Write the status if it says something new, and soon if it matters."""
        new, old = decided.status, tenant.status
        if new is None or new == old:
            return
        since = time.monotonic() - self._written.get(tenant.key, float("-inf"))
        if _gist(new) == _gist(old) and since < COSMETIC_PACE and not decided.settled:
            self._queue.add_after(tenant.key, COSMETIC_PACE - since)
            return
        body = new.model_dump(mode="json", exclude_none=True)
        version = tenant.metadata.resource_version
        self._cache.refresh(await self._kube.apply_status(tenant.key, version, body))
        self._written[tenant.key] = time.monotonic()
        self._report(tenant, new)
        self._time(tenant, new)

    def _report(self, tenant: Tenant, new: TenantStatus) -> None:
        """One log line when Ready changes its mind, and an Event of what is new."""
        before, after = find(tenant.status.conditions, READY), find(new.conditions, READY)
        changed = after and (before is None or (before.status, before.reason) != (after.status, after.reason))
        news = about_tenant(tenant.status, new)
        if news or changed:
            self._events.tell(Regarding.tenant(tenant), news)
        if after is None or not changed:
            return
        level = (
            logging.WARNING
            if after.reason.endswith(("Failed", "Conflict", "Spec", "Backend"))
            else logging.INFO
        )
        log.log(level, "%s: %s", after.reason, after.message, extra=_fields(tenant, new))

    def _time(self, tenant: Tenant, new: TenantStatus) -> None:
        """How long a generation took to Ready; a short update leads from Ready straight to Ready."""
        ready, seen = find(new.conditions, READY), self._first_seen.get(tenant.key)
        if ready is None or ready.status != "True" or new.workflow is None or seen is None:
            return
        del self._first_seen[tenant.key]
        if seen[0] == tenant.metadata.generation:
            operation = new.workflow.operation.lower()
            taken = time.monotonic() - seen[1]
            metrics.time_to_ready_seconds.labels(operation, new.provider or "").observe(taken)


async def work(queue: WorkQueue[Key], reconciler: Reconciler) -> None:
    """Reconcile key after key, until cancelled. An error costs its key a backoff and nobody else anything."""
    while True:
        key = await queue.get()
        started = time.monotonic()
        result = "ok"
        try:
            await reconciler.reconcile(key)
        except KubeError as error:
            # 404 and 409 mean that the object has moved on; the watch brings the newer one.
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
            queue.done(key)
            metrics.reconcile_total.labels(result).inc()
            metrics.reconcile_seconds.observe(time.monotonic() - started)


def _gist(status: TenantStatus) -> JsonObject:
    """What matters to somebody who waits for the Tenant, without wording and counters."""
    told: dict[str, Any] = {c.type: (c.status, c.reason) for c in status.conditions}
    workflow = status.workflow
    if workflow is not None:
        told["workflow"] = (workflow.generation, workflow.attempt, workflow.sub_state, workflow.step)
    told["rest"] = (status.observed_generation, status.phase, status.endpoints, status.resources)
    return told


def _fields(tenant: Tenant, status: TenantStatus | None = None) -> dict[str, object]:
    """The fields of a log line about a Tenant."""
    workflow = (status or tenant.status).workflow
    fields = {
        "tenant": str(tenant.key),
        "tenant_id": tenant.tenant_id,
        "generation": tenant.metadata.generation,
        "invocation": workflow.invocation_id if workflow else None,
    }
    return {name: value for name, value in fields.items() if value is not None}
