"""Amounts of CPU and memory, and the rules by which the API server rejects those that mean nothing.

An amount below what engines distinguish becomes no limit at all on one backend and a limit of one byte on
another. Nearly always a suffix is wrong: `m` means thousandths, so 512m of memory is half a byte.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from landlord.api.schema import JsonObject, cel, cels

Quantity = Annotated[int | str, Field(json_schema_extra={"maxLength": 32})]

LEAST_MEMORY = "6Mi"
"""The least that the Docker engine accepts. On Kubernetes, hardly any container starts with less."""
LEAST_CPU = "1m"
"""The least that Kubernetes distinguishes."""
LEAST_CPU_LIMIT = "10m"
"""The least that the kernel enforces with the period that engines use."""

_BYTES = 6 * 2**20
_COUNTS_BYTES = "k.endsWith('memory') || k.endsWith('storage')"
_TINY = "self[k].endsWith('n') || self[k].endsWith('u')"


def memory_rule() -> JsonObject:
    """Return the rule for memory, whose message proposes the suffix that was probably meant."""
    what = f"memory must be a quantity of at least {LEAST_MEMORY}, such as 128Mi or 1Gi"
    number = "string(self).find('^[0-9.]*[1-9][0-9.]*')"
    meant = f"{number} + (quantity({number} + 'Mi').isLessThan(quantity('{LEAST_MEMORY}')) ? 'Gi' : 'Mi')"
    return _explaining(_at_least("self", _BYTES, LEAST_MEMORY), what, number, meant)


def cpu_rule() -> JsonObject:
    """Return the rule for CPU, whose message proposes thousandths for millionths and less."""
    what = f"cpu must be a quantity of at least {LEAST_CPU}, such as 500m or 2 cores"
    number = "string(self).find('^[0-9.]*[1-9][0-9.]*')"
    return _explaining(_at_least("self", 1, LEAST_CPU), what, number, f"{number} + 'm'")


def cpu_limit_rule() -> JsonObject:
    """Return the rule for a limit of CPU; another one rejects what is not an amount at all."""
    cpu = "self.cpu"
    return cel(
        f"!has({cpu}) || type({cpu}) == int || !isQuantity({cpu}) || "
        f"!quantity({cpu}).isLessThan(quantity('{LEAST_CPU_LIMIT}'))",
        f"limits.cpu must be at least {LEAST_CPU_LIMIT}, because no engine enforces less",
    )


def quota_rules() -> JsonObject:
    """Return the rules for a quota, which may be 0.

    They read only suffixes, because parsing so many amounts would cost more than the API server allows.
    """
    return cels(
        (
            f"self.all(k, !({_COUNTS_BYTES}) || type(self[k]) != int || self[k] == 0 || self[k] >= {_BYTES})",
            f"quota of memory and storage must be 0 or at least {LEAST_MEMORY}: did you mean Mi, such as "
            "512Mi?",
        ),
        (
            f"self.all(k, k.endsWith('cpu') || type(self[k]) == int || !(self[k].endsWith('m') || {_TINY}))",
            "quota of anything but cpu must not be in thousandths, which m means: did you mean Mi, such as "
            "512Mi?",
        ),
        (
            f"self.all(k, !k.endsWith('cpu') || type(self[k]) == int || !({_TINY}))",
            f"quota of cpu must be 0 or at least {LEAST_CPU}: did you mean m, such as 500m?",
        ),
    )


def find_tiny_quota(name: str, amount: Decimal) -> str | None:
    """Find the least amount that a quota of this name needs to mean anything, if it is less."""
    if not amount:
        return None
    if name.endswith("cpu"):
        return LEAST_CPU if amount < Decimal("0.001") else None
    if name.endswith(("memory", "storage")):
        return LEAST_MEMORY if amount < _BYTES else None
    return "1" if amount < 1 else None


def _at_least(field: str, number: int, quantity: str) -> str:
    return (
        f"(type({field}) == int ? {field} >= {number} : "
        f"isQuantity({field}) && !quantity({field}).isLessThan(quantity('{quantity}')))"
    )


def _explaining(rule: str, what: str, number: str, meant: str) -> JsonObject:
    expression = (
        f"{number} == '' ? '{what}' : '{what}, but is ' + string(self) + '; did you mean ' + {meant} + '?'"
    )
    return {"x-kubernetes-validations": [{"rule": rule, "message": what, "messageExpression": expression}]}
