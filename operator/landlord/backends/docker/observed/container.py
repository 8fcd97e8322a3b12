"""Reads a container as the engine describes it. No I/O."""

from collections.abc import Mapping
from typing import Any

from landlord.api import names
from landlord.api.request import Desired
from landlord.backends.secrets import SecretValues, find_references

InspectedContainer = dict[str, Any]
"""The engine's description of one container."""


def read_given_secrets(container: Mapping[str, Any], desired: Desired) -> SecretValues:
    """Read the values of Secrets that a container was given, whatever the Secrets contain now."""
    environment = read_environment(container)
    references = find_references(desired.workload)
    return SecretValues({each: environment[each[1]] for each in references if each[1] in environment})


def read_environment(description: Mapping[str, Any]) -> dict[str, str]:
    """Read the variables of a container or an image."""
    return dict(each.partition("=")[::2] for each in description["Config"]["Env"] or ())


def read_secret_record(container: Mapping[str, Any]) -> str | None:
    """Read from which versions of which Secrets a container was made; None if from none."""
    recorded: str | None = container["Config"]["Labels"].get(names.ANNOTATION_SECRETS)
    return recorded
