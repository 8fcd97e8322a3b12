"""The phrases for what differs from what landlord applied, the same on every backend. No I/O."""


def describe_missing(what: str) -> str:
    """Describe an object or field that no longer exists."""
    return f"{what} is missing"


def describe_difference(what: str, actual: object, expected: object) -> str:
    """Describe a field with another value, such as "spec.replicas is 3, should be 2"."""
    return f"{what} is {actual}, should be {expected}"
