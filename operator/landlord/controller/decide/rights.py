"""What RBAC has to allow the operator; which rights those are depends on its settings."""

from collections.abc import Sequence
from typing import NamedTuple

from landlord.api import names
from landlord.settings import OperatorSettings

COORDINATION = "coordination.k8s.io"
DISCOVERY = "discovery.k8s.io"
EVENTS = "events.k8s.io"
EXTENSIONS = "apiextensions.k8s.io"


class Right(NamedTuple):
    """One verb on one kind of object, in a namespace or in all of them (None)."""

    verb: str
    resource: str
    namespace: str | None
    group: str = names.GROUP
    name: str = ""
    """The only object that it is about."""

    def __str__(self) -> str:
        group = "" if self.group in ("", names.GROUP) else f".{self.group}"
        where = f"in namespace {self.namespace}" if self.namespace else "in all namespaces"
        return f"{self.verb} {self.resource}{group} {f'named {self.name}' if self.name else where}"


def scopes(namespaces: Sequence[str]) -> Sequence[str | None]:
    """The namespaces to ask about, or None for all of them at once."""
    return namespaces or (None,)


def rights(settings: OperatorSettings) -> list[Right]:
    """All that the operator needs; in the namespaces of its Lease and of Restate a Role is enough.

    The CRD is in no namespace: it takes a ClusterRole to read that one object.
    """
    needed = [
        Right(verb, resource, namespace, group)
        for namespace in scopes(settings.watch_namespaces)
        for verb, resource, group in (
            ("list", names.PLURAL, names.GROUP),
            ("watch", names.PLURAL, names.GROUP),
            ("patch", names.PLURAL, names.GROUP),
            ("delete", names.PLURAL, names.GROUP),  # what has expired
            ("patch", f"{names.PLURAL}/status", names.GROUP),
            ("create", "events", EVENTS),
        )
    ]
    if settings.mass_deletion_count:
        needed.append(Right("get", "customresourcedefinitions", None, EXTENSIONS, names.CRD_NAME))
    if settings.leader_election:
        for verb in ("get", "create", "update"):
            needed.append(Right(verb, "leases", settings.namespace, COORDINATION))
        needed.append(Right("create", "events", settings.namespace, EVENTS))
    if settings.watches_restate:
        needed.append(Right("watch", "pods", settings.restate_namespace, ""))
        needed.append(Right("watch", "endpointslices", settings.restate_namespace, DISCOVERY))
    return needed
