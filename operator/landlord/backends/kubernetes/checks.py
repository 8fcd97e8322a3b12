"""What the backend can't run. No I/O."""

import re

from landlord.api.request import Desired
from landlord.backends.checks import check_distinct_ports
from landlord.backends.kubernetes.ownership import name_namespace, read_settings
from landlord.backends.quantity import parse_quantity
from landlord.errors import Terminal

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def check(desired: Desired) -> None:
    """Raises Terminal for what this backend can't run, before anything is made.

    The API server's rules refuse some of this before; the worker does not rely on them.
    """
    compute = read_settings(desired)
    namespace = name_namespace(desired)
    for what, name in (("tenantID", desired.tenant_id), ("the namespace", namespace)):
        _must(_NAME.fullmatch(name), f"{what} {name!r} is not a name: lower-case letters, digits and -")
    _must(
        namespace != "default" and not namespace.startswith("kube-"),
        f"the namespace {namespace} belongs to the cluster; choose another compute.kubernetes.namespace.name",
    )
    _must(
        compute.exposure != "LoadBalancer" or compute.network_isolation != "Isolated",
        "compute.kubernetes.exposure is LoadBalancer, which reaches nothing in an Isolated network; "
        "set networkIsolation to IngressOnly or Open",
    )
    for name, amount in compute.quota.items():
        try:
            parse_quantity(amount)
        except ValueError as error:
            raise Terminal("InvalidSpec", f"compute.kubernetes.quota, {name}: {error}") from error
    check_distinct_ports(desired.workload)


def _must(holds: object, otherwise: str) -> None:
    if not holds:
        raise Terminal("InvalidSpec", otherwise)
