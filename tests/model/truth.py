"""What must hold, whatever happens: each violation is an AssertionError at the moment at which it occurs.

| invariant                            | holds at                                                            |
|--------------------------------------|---------------------------------------------------------------------|
| every status is true                 | each write: Ready and an ended workflow speak of work that ended so |
| nothing of an older generation wins  | each step: no older generation and no replaced object acts          |
| no work is done twice                | each invocation: a failure, a loss, a change or a person caused it  |
| no resource is left without a Tenant | each step, and when an object goes                                  |
| nothing is stuck, deletions end      | the end, when all is well again: see `is_at_rest`                   |
"""

from collections import Counter, defaultdict
from collections.abc import Callable

from tests.model.api_server import ModelApi
from tests.model.backend import ModelBackend

from landlord.api.conditions import DELETION_HELD, PAUSED, READY, RECONCILING, STALLED, find
from landlord.api.names import ANNOTATION_RETRY
from landlord.api.outcome import Outcome
from landlord.api.request import Request
from landlord.api.schema import JsonObject
from landlord.api.status import TenantStatus
from landlord.api.tenant import Tenant
from landlord.controller.decide.request import build_desired
from landlord.controller.decide.retry import REFUSED_BY_WORKER, RETRY_FAILED_AFTER

Attempt = tuple[str, int, int]
"""uid, generation and attempt."""
Generation = tuple[str, int]


class Truth:
    """Knows what was requested and what came of it, of all operators that there were."""

    def __init__(self, api: ModelApi, backend: ModelBackend, clock: Callable[[], float]) -> None:
        self._api, self._backend, self._clock = api, backend, clock
        self._accepted: Counter[Generation] = Counter()
        self._retry_times: defaultdict[Generation, list[float]] = defaultdict(list)
        """When landlord may start again what has failed."""
        self._reasons_for_all = 0
        self._requested: dict[str, set[str]] = {}
        self._succeeded: set[Attempt] = set()
        self._failed: set[Attempt] = set()
        self._newest: dict[str, int] = {}
        self._acted: list[str] = []
        self._disturbed: set[str] = set()
        api.on_status, api.on_removal = self.check_status, self.check_removal

    # What happens.

    def lose_store(self) -> None:
        self._reasons_for_all += 1

    def submit_again(self) -> None:
        self._reasons_for_all += 1

    def tamper(self, tenant_id: str) -> None:
        self._disturbed.add(tenant_id)
        self._reasons_for_all += 1

    def request_retry(self, uid: str, value: str) -> None:
        self._requested.setdefault(uid, set()).add(value)

    def accept(self, request: Request) -> None:
        """No work is done twice."""
        work = (request.uid, request.generation)
        self._accepted[work] += 1
        due = [at for at in self._retry_times[work] if at <= self._clock()]
        reasons = len(due) + self._reasons_for_all + len(self._requested.get(request.uid, ()))
        assert self._accepted[work] <= 1 + reasons, f"done again without a reason: {request.idempotency_key}"

    def end(self, request: Request, outcome: Outcome) -> None:
        attempt = (request.uid, request.generation, request.attempt)
        if outcome.result == "Succeeded":
            self._succeeded.add(attempt)
            self._disturbed.discard(request.tenant_id)
            return
        self._failed.add(attempt)
        failure = outcome.failure
        may_pass = failure is None or failure.retryable or failure.code in REFUSED_BY_WORKER
        if may_pass or request.operation == "delete":
            due = self._clock() + RETRY_FAILED_AFTER
            self._retry_times[request.uid, request.generation].append(due)

    # What must hold.

    def check_step(self, request: Request, step: str) -> None:
        """Nothing of an older generation wins, and nothing is made for a Tenant that is gone."""
        assert request.generation >= self._newest.get(request.uid, 0), f"{step} of an older generation"
        self._newest[request.uid] = request.generation
        if request.uid not in self._acted:
            self._acted.append(request.uid)
        assert self._acted[-1] == request.uid, f"{step} of an object that another one has replaced"
        self.check_owners()

    def check_owners(self) -> None:
        """No resource is left without a Tenant."""
        living = {body["metadata"]["uid"] for body in self._api.objects.values()}
        for tenant_id, made in self._backend.made.items():
            assert made.uid in living, f"what exists for {tenant_id} belongs to no Tenant"

    def check_removal(self, uid: str) -> None:
        assert uid not in {made.uid for made in self._backend.made.values()}, "removed before its tenant was"

    def check_status(self, before: JsonObject, after: JsonObject) -> None:
        """Every status is true."""
        tenant = Tenant.model_validate(after)
        status, uid, generation = tenant.status, tenant.metadata.uid, tenant.metadata.generation
        assert status.observed_generation == generation, "a status of another generation"
        conditions = {condition.type: condition for condition in status.conditions}
        assert not {RECONCILING, STALLED} <= conditions.keys()
        if status.workflow is not None:
            attempt = (uid, status.workflow.generation, status.workflow.attempt)
            if status.workflow.sub_state == "Succeeded":
                assert attempt in self._succeeded, f"{attempt} did not succeed"
            if status.workflow.sub_state == "Failed":
                assert attempt in self._failed, f"{attempt} did not fail"
        if status.last_handled_retry_at is not None:
            assert status.last_handled_retry_at in self._requested.get(uid, ())
        if conditions[READY].status == "True" and not {PAUSED, DELETION_HELD} & conditions.keys():
            assert not {RECONCILING, STALLED} & conditions.keys()
            was = find(Tenant.model_validate(before).status.conditions, READY)
            if was is None or (was.status, was.observed_generation) != ("True", generation):
                assert any(done[:2] == (uid, generation) for done in self._succeeded), "never succeeded"
                assert tenant.tenant_id in self._disturbed or self._is_made(tenant), (
                    "Ready, and not as it says"
                )

    def is_at_rest(self, body: JsonObject) -> bool:
        """Whether a Tenant is as it must be in the end."""
        tenant = Tenant.model_validate(body)
        ready = find(tenant.status.conditions, READY)
        if ready is None or tenant.deleting:
            return False
        if tenant.paused:
            return find(tenant.status.conditions, PAUSED) is not None
        if ready.reason == "IdentityConflict":
            return len(self._api.objects) > 1
        if not self._is_finished(tenant) or not self._is_made(tenant):
            return False
        # landlord makes nothing again for a tenant that must not run, and reports that it is gone.
        is_lost = tenant.tenant_id not in self._backend.made and ready.reason == "Missing"
        return is_lost or (ready.status == "True" and tenant.status.drift is None)

    def _is_finished(self, tenant: Tenant) -> bool:
        status: TenantStatus = tenant.status
        requested = tenant.metadata.annotations.get(ANNOTATION_RETRY)
        return (
            status.observed_generation == tenant.metadata.generation
            and status.workflow is not None
            and status.workflow.sub_state == "Succeeded"
            and requested in (None, status.last_handled_retry_at)
        )

    def _is_made(self, tenant: Tenant) -> bool:
        """Whether the backend has what the Tenant asks for."""
        assert tenant.spec is not None
        made, wanted = self._backend.made.get(tenant.tenant_id), build_desired(tenant, tenant.spec, "model")
        if tenant.spec.desired_state != "Active":
            return made is None or made.state == tenant.spec.desired_state
        return made is not None and (made.uid, made.spec_hash, made.state, made.is_whole, made.tampered) == (
            *(tenant.metadata.uid, wanted.hash(), "Active"),
            *(True, False),
        )
