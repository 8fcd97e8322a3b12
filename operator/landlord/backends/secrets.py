"""Variables that take their values from Secrets: what they refer to, and what has become of it. No I/O.

Values are handed on and never shown: not by a repr, in a message, a log or a journal. What is recorded beside
a workload is which versions of which Secrets it was made from: {"namespace/name": "uid/resourceVersion"}, the
latter empty for one that did not exist.
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
"""A container's name and a variable's."""


@dataclass(frozen=True)
class SecretValues:
    """What a workload's variables refer to, as it was read."""

    by_place: Mapping[VariableKey, str] = field(default_factory=dict, repr=False)
    """Without the optional ones that there are none for."""
    recorded: str | None = None
    """What is recorded beside the workload; None if it refers to nothing."""


def find_references(workload: Workload) -> Mapping[VariableKey, SecretKeyRef]:
    """What each variable refers to that refers to a Secret. Raises Terminal for what can't be a name."""
    found = {
        (container.name, variable.name): variable.secret
        for container in workload.containers
        for variable in container.env
        if variable.secret
    }
    for reference in found.values():
        if not NAME.fullmatch(reference.name) or not KEY.fullmatch(reference.key):
            wrong = f"{reference.name!r}, {reference.key!r} can't be a Secret's name and a key of it"
            raise Terminal("InvalidSpec", wrong)
    return found


def resolve_values(workload: Workload, namespace: str, read: Mapping[str, JsonObject | None]) -> SecretValues:
    """What the variables get from the Secrets that were read, by name; None for one that does not exist.

    Raises StepError for what is missing or is no text.
    """
    by_place: dict[VariableKey, str] = {}
    for place, reference in find_references(workload).items():
        value = _resolve_value(namespace, reference, read[reference.name])
        if value is not None:
            by_place[place] = value
    seen = {f"{namespace}/{name}": read_version(found) if found else "" for name, found in read.items()}
    return SecretValues(by_place, json.dumps(seen, sort_keys=True, separators=(",", ":")))


def read_version(found: JsonObject) -> str:
    """Of a Secret; its metadata will do."""
    return f"{found['metadata']['uid']}/{found['metadata']['resourceVersion']}"


def _resolve_value(namespace: str, reference: SecretKeyRef, found: JsonObject | None) -> str | None:
    encoded = ((found or {}).get("data") or {}).get(reference.key)
    if encoded is None:
        if reference.optional:
            return None
        raise _explain_missing(namespace, reference, found)
    try:
        value = base64.b64decode(encoded).decode()
    except UnicodeDecodeError:
        value = "\0"
    if "\0" in value:
        raise Stuck(
            "SecretNotText",
            f"the key {reference.key} of the Secret {namespace}/{reference.name} does not hold text, which "
            "alone can be in a variable\nTo do: store it encoded, such as in base64.",
        )
    return value


class SecretMissing(Retryable):
    """What a variable refers to is not there."""


def _explain_missing(namespace: str, reference: SecretKeyRef, found: JsonObject | None) -> SecretMissing:
    goes_on = "the tenant goes on by itself when it is there"
    if found is None:
        make = (
            f"`kubectl create secret generic {reference.name} -n {namespace} --from-file={reference.key}=…`"
        )
        return SecretMissing(
            "SecretNotFound",
            f"there is no Secret {namespace}/{reference.name}; a variable refers to its key {reference.key}\n"
            f"To do: make it ({make}); {goes_on}.",
        )
    return SecretMissing(
        "SecretKeyNotFound",
        f"the Secret {namespace}/{reference.name} has no key {reference.key}, which a variable refers to\n"
        f"To do: add it, or correct the reference; {goes_on}.",
    )


def find_namespaces(recorded: Iterable[str]) -> set[str]:
    """Where the Secrets are that these records name."""
    return {name.partition("/")[0] for each in recorded for name in _parse_record(each) or ()}


def with_outdated(seen: Observation, recorded: str, now: Mapping[str, str]) -> Observation:
    """The observation with what has changed of the Secrets that the tenant was made from.

    `now` has the version of each Secret that there is, by namespace/name.

    One that was deleted has not: there is nothing to be applied. Of a tenant at rest nothing is said: what
    brings it back reads them anew.
    """
    if seen.state != "Active":
        return seen
    was = _parse_record(recorded)
    if was is None:
        return replace(seen, outdated="of which Secrets it was made can't be read")
    changed = [name for name in was if now.get(name, was[name]) != was[name]]
    return replace(seen, outdated="; ".join(f"the Secret {name} has changed" for name in sorted(changed)))


def _parse_record(recorded: str) -> dict[str, str] | None:
    try:
        found = json.loads(recorded)
    except ValueError:
        return None
    is_record = isinstance(found, dict) and all(isinstance(each, str) for each in found.values())
    return found if is_record else None
