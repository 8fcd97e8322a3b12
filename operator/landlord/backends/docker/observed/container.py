"""A container as the engine describes it. No I/O."""

from collections.abc import Mapping
from typing import Any

from landlord.api.request import Desired
from landlord.backends.secrets import SecretValues, find_references

Inspected = dict[str, Any]
"""A container as the engine describes it."""


def read_given_secrets(found: Mapping[str, Any], desired: Desired) -> SecretValues:
    """What an inspected container was given of Secrets, whatever is in them by now."""
    environment = dict(each.partition("=")[::2] for each in found["Config"]["Env"] or ())
    wanted = find_references(desired.workload)
    return SecretValues({place: environment[place[1]] for place in wanted if place[1] in environment})
