"""Leader election by a Lease: several replicas watch, and one of them acts.

landlord has its own because `kubernetes.aio.leaderelection` neither bounds its calls in time nor releases the
lease on exit, and trusts the wall clocks of others. Here a holder has to change its record often enough by
the local monotonic clock, as in client-go.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime

from landlord import metrics
from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.controller.kube import KubeClient
from landlord.errors import LandlordError
from landlord.kubernetes_api import KubeError

log = logging.getLogger(__name__)

LEASE_SECONDS = 15
RENEW_DEADLINE = 10.0
RETRY_SECONDS = 2.0


class LeadershipLost(LandlordError):
    """landlord could not renew the lease in time: another replica may act now, so this process must end."""


class _HeldByAnother(Exception):
    """Another replica took the lease from us, and has acted, even if the lease is free again."""


class Leader:
    """One candidate. `identity` must be unique among the replicas."""

    def __init__(self, kube: KubeClient, namespace: str, identity: str) -> None:
        self._kube = kube
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._namespace = namespace
        self._identity = identity
        self.uid = ""
        """Of the Lease, once it has been read."""
        self._renewed_at = 0.0
        self._seen: tuple[str, str] | None = None
        self._seen_at = 0.0

    async def acquire(self) -> None:
        """Wait until the lease is ours."""
        announced = False
        while not await self._try_once():
            if not announced:
                log.info("standing by: another replica leads", extra={"identity": self._identity})
                announced = True
            await asyncio.sleep(RETRY_SECONDS)
        metrics.leader.set(1)
        log.info("leading", extra={"identity": self._identity})

    async def keep(self) -> None:
        """Renew the lease, once it is ours, until cancelled. Raises LeadershipLost."""
        lease = f"the lease {self._namespace}/{names.LEASE}"
        try:
            while True:
                async with asyncio.timeout(self._renewed_at + RENEW_DEADLINE - time.monotonic()):
                    await self._renew()
        except TimeoutError as error:
            raise LeadershipLost(f"landlord could not renew {lease} in time") from error
        except _HeldByAnother as error:
            raise LeadershipLost(f"{lease} is held by {error.args[0] or 'nobody'}") from error
        finally:
            metrics.leader.set(0)

    async def release(self) -> None:
        """Let another replica lead at once instead of after the lease has expired."""
        metrics.leader.set(0)
        try:
            lease = await self._kube.call("GET", f"{self._path}/{names.LEASE}")
            if lease["spec"].get("holderIdentity") == self._identity:
                lease["spec"]["holderIdentity"] = ""
                await self._put(lease)
        except KubeError as error:
            log.warning("landlord could not release the lease: %s; it expires by itself", error)

    async def _renew(self) -> None:
        done = False
        while not done:
            await asyncio.sleep(RETRY_SECONDS)
            done = await self._try_once(ours=True)

    async def _try_once(self, *, ours: bool = False) -> bool:
        # Others count from when the API server stores it, which may be long before its answer.
        began = time.monotonic()
        try:
            async with asyncio.timeout(RENEW_DEADLINE / 2):
                done = await self._acquire_or_renew(ours=ours)
        except (KubeError, TimeoutError) as error:
            log.warning(
                "landlord can't read or write the lease: %r", error, extra={"identity": self._identity}
            )
            return False
        if done:
            self._renewed_at = began
        return done

    async def _acquire_or_renew(self, *, ours: bool) -> bool:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        try:
            lease = await self._kube.call("GET", f"{self._path}/{names.LEASE}")
        except KubeError as error:
            if error.status != 404:
                raise
            await self._create(now)
            return True
        self.uid = lease["metadata"]["uid"]
        spec = lease["spec"]
        holder = spec.get("holderIdentity", "")
        if holder != self._identity:
            if ours:
                raise _HeldByAnother(holder)
            if holder and not self._has_expired(spec):
                return False
            spec["acquireTime"] = now
            spec["leaseTransitions"] = spec.get("leaseTransitions", 0) + 1
        spec.update(holderIdentity=self._identity, renewTime=now, leaseDurationSeconds=LEASE_SECONDS)
        await self._put(lease)
        return True

    def _has_expired(self, spec: JsonObject) -> bool:
        record = (spec.get("holderIdentity", ""), spec.get("renewTime", ""))
        if record != self._seen:
            self._seen, self._seen_at = record, time.monotonic()
            return False
        duration: float = spec.get("leaseDurationSeconds", LEASE_SECONDS)
        return time.monotonic() - self._seen_at > duration

    async def _create(self, now: str) -> None:
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": names.LEASE, "namespace": self._namespace},
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": LEASE_SECONDS,
                "acquireTime": now,
                "renewTime": now,
                "leaseTransitions": 0,
            },
        }
        created = await self._kube.write("leases", "POST", self._path, lease)
        self.uid = created["metadata"]["uid"]

    async def _put(self, lease: JsonObject) -> None:
        """Replace the lease; by its resourceVersion the API server accepts only one of two writers."""
        await self._kube.write("leases", "PUT", f"{self._path}/{names.LEASE}", lease)
