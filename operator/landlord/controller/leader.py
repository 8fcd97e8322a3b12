"""Leader election by a Lease: of several replicas that all watch, one acts.

Own code because the one in `kubernetes.aio.leaderelection` neither bounds its calls in time nor releases the
lease on exit, and trusts the wall clocks of others. Here a holder is judged by whether its record changes,
on the local monotonic clock, as client-go does it.
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
    """The lease could not be renewed in time: another replica may act now, so this process must end."""


class Leader:
    """One candidate. `identity` must be unique among the replicas."""

    def __init__(self, kube: KubeClient, namespace: str, identity: str) -> None:
        self._kube = kube
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._namespace = namespace
        self._identity = identity
        self.uid = ""
        """Of the Lease, once it has been read."""
        self._seen: tuple[str, str] | None = None
        self._seen_at = 0.0

    async def acquire(self) -> None:
        """Wait until the lease is ours."""
        announced = False
        while not await self._try():
            if not announced:
                log.info("standing by: another replica leads", extra={"identity": self._identity})
                announced = True
            await asyncio.sleep(RETRY_SECONDS)
        metrics.leader.set(1)
        log.info("leading", extra={"identity": self._identity})

    async def keep(self) -> None:
        """Renew the lease until cancelled. Raises LeadershipLost."""
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            # Others count from when it is stored, which may be long before the answer.
            began = time.monotonic()
            if await self._try():
                renewed = began
            elif time.monotonic() - renewed > RENEW_DEADLINE:
                metrics.leader.set(0)
                raise LeadershipLost(f"the lease {self._namespace}/{names.LEASE} could not be renewed")

    async def release(self) -> None:
        """Let another replica lead at once instead of after the lease has run out."""
        metrics.leader.set(0)
        try:
            lease = await self._kube.call("GET", f"{self._path}/{names.LEASE}")
            if lease["spec"].get("holderIdentity") == self._identity:
                lease["spec"]["holderIdentity"] = ""
                await self._put(lease)
        except KubeError as error:
            log.warning("the lease was not released: %s; it runs out by itself", error)

    async def _try(self) -> bool:
        try:
            async with asyncio.timeout(RENEW_DEADLINE / 2):
                return await self._acquire_or_renew()
        except (KubeError, TimeoutError) as error:
            log.warning("the lease can't be read or written: %r", error, extra={"identity": self._identity})
            return False

    async def _acquire_or_renew(self) -> bool:
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
        if holder != self._identity and holder and not self._expired(spec):
            return False
        if holder != self._identity:
            spec["acquireTime"] = now
            spec["leaseTransitions"] = spec.get("leaseTransitions", 0) + 1
        spec.update(holderIdentity=self._identity, renewTime=now, leaseDurationSeconds=LEASE_SECONDS)
        await self._put(lease)
        return True

    def _expired(self, spec: JsonObject) -> bool:
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
        """Replace the lease; its resourceVersion makes the API server refuse all but one of two writers."""
        await self._kube.write("leases", "PUT", f"{self._path}/{names.LEASE}", lease)
