"""Which rights the operator needs; that depends on its settings."""

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
    """The only object that it covers."""

    def __str__(self) -> str:
        group = "" if self.group in ("", names.GROUP) else f".{self.group}"
        where = f"in namespace {self.namespace}" if self.namespace else "in all namespaces"
        return f"{self.verb} {self.resource}{group} {f'named {self.name}' if self.name else where}"


def list_scopes(namespaces: Sequence[str]) -> Sequence[str | None]:
    """List the namespaces to ask about; None stands for all of them at once."""
    return namespaces or (None,)


def list_rights(settings: OperatorSettings) -> list[Right]:
    """List all that the operator needs. In the namespaces of its Lease and of Restate a Role is enough.

    Reading the CRD, which is in no namespace, takes a ClusterRole for that one object.
    """
    needed = [
        Right(verb, resource, namespace, group)
        for namespace in list_scopes(settings.watch_namespaces)
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
        needed.append(Right("get", "customresourcedefinitions", None, group=EXTENSIONS, name=names.CRD_NAME))
    if settings.leader_election:
        for verb in ("get", "create", "update"):
            needed.append(Right(verb, "leases", settings.namespace, COORDINATION))
        needed.append(Right("create", "events", settings.namespace, EVENTS))
    if settings.watches_restate:
        needed.append(Right("watch", "pods", settings.restate_namespace, ""))
        needed.append(Right("watch", "endpointslices", settings.restate_namespace, DISCOVERY))
    return needed
