"""Decides who may change a tenant, from the request that was accepted last and not by order of arrival.

    request                                      | no fence | same uid, not deleted | same uid, deleted
    ---------------------------------------------+----------+-----------------------+------------------
    older generation                             |    -     | superseded            | superseded
    not delete, same or newer generation         | proceed  | proceed               | superseded
    delete, same or newer generation             | proceed  | proceed               | proceed

    request of another uid                       | owner not deleted        | owner deleted
    ---------------------------------------------+--------------------------+--------------
    not delete, object created after the owner   | proceed (takes it over)  | proceed
    not delete, created in the owner's second    | the same; conflict if it | proceed
                                                 | was itself replaced      |
    not delete, otherwise                        | conflict                 | proceed
    delete                                       | nothing to do            | nothing to do

The same generation proceeds again, because another attempt repeats it: steps are idempotent. A delete without
a fence proceeds, because a lost store must not leave objects behind: backends delete by label. Kubernetes
records creation times in whole seconds. A Tenant that is removed with `deletion.policy: Retain` and created
again within the same second is newer in everything but its time. So of several objects of one second the
last to arrive is the owner, and the fence remembers the objects that it replaced.
"""

from dataclasses import dataclass
from datetime import datetime

from landlord.api.base import Model
from landlord.api.request import Request


class Fence(Model):
    """The newest request that was accepted for a tenantID. Kept after a delete, to reject late requests."""

    uid: str
    created_at: datetime
    generation: int
    deleted: bool = False
    replaced: tuple[str, ...] = ()
    """Uids of objects created in the same second from which the owner took the tenantID over."""


@dataclass(frozen=True)
class Proceed:
    """Store `fence`, then do the work."""

    fence: Fence


@dataclass(frozen=True)
class Superseded:
    """A newer request was accepted before; do nothing."""


@dataclass(frozen=True)
class Conflict:
    """Another Tenant object owns the tenantID; do nothing."""

    message: str


@dataclass(frozen=True)
class NothingToDo:
    """A delete by an object that owns nothing; do nothing."""


FenceDecision = Proceed | Superseded | Conflict | NothingToDo


def decide(fence: Fence | None, request: Request) -> FenceDecision:
    """Return what to do with a request, given the last accepted request for its tenantID."""
    if fence is None:
        return Proceed(_fence_of(request))
    if fence.uid == request.uid:
        if request.generation < fence.generation or (fence.deleted and request.operation != "delete"):
            return Superseded()
        return Proceed(_fence_of(request, fence.replaced))
    if request.operation == "delete":
        return NothingToDo()
    if fence.deleted or request.created_at > fence.created_at:
        return Proceed(_fence_of(request))
    if request.created_at == fence.created_at and request.uid not in fence.replaced:
        return Proceed(_fence_of(request, (*fence.replaced, fence.uid)))
    return Conflict(
        f"tenantID {request.tenant_id!r} belongs to another Tenant object (uid {fence.uid}, created "
        f"{fence.created_at:%Y-%m-%dT%H:%M:%SZ})\nFix: choose another tenantID, or delete that object first."
    )


def _fence_of(request: Request, replaced: tuple[str, ...] = ()) -> Fence:
    return Fence(
        uid=request.uid,
        created_at=request.created_at,
        generation=request.generation,
        deleted=request.operation == "delete",
        replaced=replaced,
    )
