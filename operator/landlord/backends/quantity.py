"""Parses Kubernetes quantities such as 500m and 128Mi.

`kubernetes.utils.quantity` does the same, but importing it loads the whole client: over a second and 40 MB
in a worker that never calls Kubernetes. A test compares the two.
"""

import re
from decimal import Decimal

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(|[numkMGTPE]|[KMGTPE]i)")
_POWERS = {"n": -3, "u": -2, "m": -1, "": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}


def parse_quantity(quantity: int | str) -> Decimal:
    """Parse a quantity as a number. Raises ValueError if it is not one."""
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None:
        raise ValueError(f"{quantity!r} is not a quantity such as 500m or 128Mi")
    number, suffix = match.groups()
    base = 1024 if suffix.endswith("i") else 1000
    return Decimal(number) * Decimal(base) ** _POWERS[suffix.removesuffix("i")]
