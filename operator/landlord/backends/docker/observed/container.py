"""Reads a container as the engine describes it. No I/O."""

from collections.abc import Mapping
from typing import Any

from landlord.api import names
from landlord.api.request import Desired
from landlord.api.workload import Probe
from landlord.backends.secrets import SecretValues, find_references

InspectedContainer = dict[str, Any]
"""The engine's description of one container."""
ListedContainer = Mapping[str, Any]
"""A container in the engine's list."""
UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What reading a description raises that lacks something, such as podman's or a damaged container's."""


def explain_unreadable(error: Exception) -> str:
    """Explain why a description could not be read, without repeating any of it."""
    lacking = f": {error} is missing" if isinstance(error, KeyError) else ""
    return f"the engine's description of the container can't be read{lacking}"


def read_labels(container: ListedContainer) -> Mapping[str, str]:
    """Read the labels of a listed container or volume."""
    labels: Mapping[str, str] | None = container.get("Labels")
    return labels or {}


def read_networks(container: ListedContainer) -> Mapping[str, Any] | None:
    """Read the networks of a container, listed or inspected; None if the engine does not show them."""
    networks: Mapping[str, Any] | None = (container.get("NetworkSettings") or {}).get("Networks")
    return networks


def read_probe(container: InspectedContainer) -> Probe | None:
    """Read the probe that the container was created with, if it has one."""
    recorded = container["Config"]["Labels"].get(names.LABEL_PROBE)
    return Probe.model_validate_json(recorded) if recorded else None


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
