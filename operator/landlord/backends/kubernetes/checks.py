"""Checks what the backend can't run. No I/O."""

import re

from landlord.api.amounts import find_tiny_quota
from landlord.api.request import Desired
from landlord.backends.checks import check_distinct_ports, require
from landlord.backends.kubernetes.ownership import name_namespace, read_settings
from landlord.backends.quantity import parse_quantity
from landlord.errors import Terminal

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def check(desired: Desired) -> None:
    """Raise Terminal for what this backend can't run, before it creates anything.

    The API server rejects some of this earlier, but the worker does not rely on it.
    """
    compute = read_settings(desired)
    namespace = name_namespace(desired)
    for what, name in (("tenantID", desired.tenant_id), ("the namespace", namespace)):
        require(
            _NAME.fullmatch(name),
            f"{what} {name!r} is not a valid name",
            "use only lower-case letters, digits and -",
        )
    require(
        namespace != "default" and not namespace.startswith("kube-"),
        f"the namespace {namespace} belongs to the cluster",
        "choose another compute.kubernetes.namespace.name",
    )
    require(
        compute.exposure != "LoadBalancer" or compute.network_isolation != "Isolated",
        "compute.kubernetes.exposure is LoadBalancer, which can't reach an Isolated network",
        "set networkIsolation to IngressOnly or Open",
    )
    for name, amount in compute.quota.items():
        try:
            least = find_tiny_quota(name, parse_quantity(amount))
        except ValueError as error:
            message = f"compute.kubernetes.quota, {name}: {error}"
            raise Terminal("InvalidSpec", message, "correct the amount") from error
        require(
            least is None,
            f"compute.kubernetes.quota, {name}: {amount} is less than {least}, and allows nothing",
            f"raise it to {least} or more, or set it to 0; the suffix m means thousandths, and Mi mebibytes",
        )
    check_distinct_ports(desired.workload)
