"""Variables that take their values from Secrets: their references, values and versions. No I/O.

Values are passed on and never shown: not in a repr, a message, a log or a journal. landlord records beside a
workload from which versions of which Secrets it was made: {"namespace/name": "uid/resourceVersion"}, with an
empty version for a Secret that did not exist.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from landlord.api.schema import JsonObject
from landlord.api.workload import SecretKeyRef, Workload
from landlord.backends.contract import Observation
from landlord.errors import Retryable, Stuck, Terminal

NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
KEY = re.compile(r"[-._a-zA-Z0-9]+")

VariableKey = tuple[str, str]
"""The name of a container and of a variable in it."""


@dataclass(frozen=True)
class SecretValues:
    """The values that a workload's variables refer to."""

    by_variable: Mapping[VariableKey, str] = field(default_factory=dict, repr=False)
    """Optional references without a value are left out."""
    recorded: str | None = None
    """The record of the Secrets' versions; None if the workload refers to none."""


class SecretMissing(Retryable):
    """A Secret, or the key in it, that a variable refers to does not exist."""


def find_references(workload: Workload) -> Mapping[VariableKey, SecretKeyRef]:
    """Find the reference of each variable that refers to a Secret. Raises Terminal for an invalid name."""
    found = {
        (container.name, variable.name): variable.secret
        for container in workload.containers
        for variable in container.env
        if variable.secret
    }
    for reference in found.values():
        if not NAME.fullmatch(reference.name) or not KEY.fullmatch(reference.key):
            raise Terminal(
                "InvalidSpec",
                f"{reference.name!r}, {reference.key!r} can't be the name of a Secret and a key in it",
                "correct secretKeyRef in spec.workload",
            )
    return found


def resolve_values(
    workload: Workload, namespace: str, secrets: Mapping[str, JsonObject | None]
) -> SecretValues:
    """Resolve the variables' values from Secrets by name; None stands for one that does not exist.

    Raises StepError if a value is missing or is not text.
    """
    by_variable: dict[VariableKey, str] = {}
    for variable, reference in find_references(workload).items():
        value = _resolve_value(namespace, reference, secrets[reference.name])
        if value is not None:
            by_variable[variable] = value
    versions = {
        f"{namespace}/{name}": read_version(found) if found else "" for name, found in secrets.items()
    }
    return SecretValues(by_variable, json.dumps(versions, sort_keys=True, separators=(",", ":")))


def read_version(secret: JsonObject) -> str:
    """Read the version of a Secret, from its metadata alone."""
    return f"{secret['metadata']['uid']}/{secret['metadata']['resourceVersion']}"


def _resolve_value(namespace: str, reference: SecretKeyRef, secret: JsonObject | None) -> str | None:
    encoded = ((secret or {}).get("data") or {}).get(reference.key)
    if encoded is None:
        if reference.optional:
            return None
        raise _explain_missing(namespace, reference, secret)
    try:
        value = base64.b64decode(encoded).decode()
    except UnicodeDecodeError:
        value = "\0"
    if "\0" in value:
        raise Stuck(
            "SecretNotText",
            f"the key {reference.key} of the Secret {namespace}/{reference.name} is not text, and a variable "
            "can't hold anything else",
            "store the value encoded, for example in base64",
        )
    return value


def _explain_missing(namespace: str, reference: SecretKeyRef, secret: JsonObject | None) -> SecretMissing:
    name, key = reference.name, reference.key
    then = "the tenant then continues by itself"
    if secret is None:
        command = f"kubectl create secret generic {name} -n {namespace} --from-file={key}=…"
        return SecretMissing(
            "SecretNotFound",
            f"the Secret {namespace}/{name} does not exist; a variable refers to its key {key}",
            f"create it (`{command}`); {then}",
        )
    return SecretMissing(
        "SecretKeyNotFound",
        f"the Secret {namespace}/{name} has no key {key}, which a variable refers to",
        f"add the key, or correct the reference; {then}",
    )


def find_namespaces(records: Iterable[str]) -> set[str]:
    """Find the namespaces of the Secrets in these records."""
    return {name.partition("/")[0] for each in records for name in _parse_record(each) or ()}


def with_outdated(observation: Observation, recorded: str, current: Mapping[str, str]) -> Observation:
    """Copy the observation with what changed in the Secrets that the tenant was made from.

    `current` has the version of each existing Secret, by namespace/name.

    A deleted Secret does not count, because there is no new value to apply. Neither does any change while the
    tenant is suspended or archived: the apply that resumes it reads all Secrets again.
    """
    if observation.state != "Active":
        return observation
    versions = _parse_record(recorded)
    if versions is None:
        return replace(observation, outdated="the record of the Secrets that it was made from can't be read")
    changed = sorted(name for name in versions if current.get(name, versions[name]) != versions[name])
    return replace(observation, outdated="; ".join(f"the Secret {name} has changed" for name in changed))


def _parse_record(recorded: str) -> dict[str, str] | None:
    try:
        found = json.loads(recorded)
    except ValueError:
        return None
    is_record = isinstance(found, dict) and all(isinstance(each, str) for each in found.values())
    return found if is_record else None
