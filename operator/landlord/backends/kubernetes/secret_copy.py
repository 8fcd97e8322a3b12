"""Manages the Secret in a tenant's namespace, a copy of exactly the keys that its variables refer to."""

import base64
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from landlord.api import names
from landlord.api.outcome import Result
from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.api_errors import Gone
from landlord.backends.cluster.client import Cluster, translating_errors
from landlord.backends.cluster.secret_reader import SecretReader
from landlord.backends.drift import describe_missing
from landlord.backends.kubernetes import ensure, ownership
from landlord.backends.kubernetes.desired.objects import DesiredObject, build_objects, locate
from landlord.backends.kubernetes.desired.pods import SecretCopy, build_key
from landlord.backends.redaction import redact, redacting
from landlord.backends.secrets import SecretMissing, SecretValues, find_references


async def copy(cluster: Cluster, reader: SecretReader, desired: Desired) -> Result:
    """Update the copy from its sources. No failure contains a value."""
    values = await reader.read(desired)
    found = await cluster.get(kinds.SECRET, *locate(kinds.SECRET, desired))
    with (
        redacting(_decode(found)),
        redacting(values),
        translating_errors(ownership.read_settings(desired).quota),
    ):
        return await ensure.ensure(cluster, desired, (build_copy(desired, values, found),))


async def read_copy(cluster: Cluster, desired: Desired) -> SecretCopy | None:
    """Read what pods must know of the copy; None if they refer to no Secret. Raises Gone without a copy."""
    if not desired.workload.refers_to_secrets:
        return None
    known = _read_copy_record(await cluster.get(kinds.SECRET, *locate(kinds.SECRET, desired)))
    if known is None:
        raise Gone("SecretGone", "somebody deleted the Secret tenant, and landlord is creating it again")
    return known


async def read_record(cluster: Cluster, desired: Desired) -> str | None:
    """Read from which versions of which Secrets the copy was made; None if it does not exist."""
    known = _read_copy_record(await cluster.get(kinds.SECRET, *locate(kinds.SECRET, desired)))
    return known.recorded if known else None


async def prune(cluster: Cluster, desired: Desired) -> None:
    """Remove the keys that only pods of a previous version needed from the copy."""
    if not desired.workload.refers_to_secrets:
        await ensure.ensure(cluster, desired, build_objects(desired)["ready"])
        return
    found = await cluster.get(kinds.SECRET, *locate(kinds.SECRET, desired))
    with redacting(_decode(found)), translating_errors(ownership.read_settings(desired).quota):
        await ensure.ensure(cluster, desired, _build_pruned(desired, found))


async def redact_messages(
    cluster: Cluster, namespace: str, found: Sequence[JsonObject], version: str | None
) -> Sequence[JsonObject]:
    """Copy objects without the values of Secrets, which kubelets repeat in their messages.

    Raises Gone if the copy has another version than the one from which those containers were made.
    """
    copy = await cluster.get(kinds.SECRET, namespace, names.OBJECT_NAME)
    known = _read_copy_record(copy)
    if known is None or known.version != version:
        raise Gone(
            "SecretGone", "the Secret tenant is not that of its pods, and landlord is creating both again"
        )
    change = partial(redact, values=_decode(copy))
    return [_with_each_message(each, change) for each in found]


def _with_each_message(content: Any, change: Callable[[str], str]) -> Any:
    """Copy the content with each `message` changed."""
    if isinstance(content, list):
        return [_with_each_message(each, change) for each in content]
    if not isinstance(content, dict):
        return content
    return {
        key: change(inner) if key == "message" else _with_each_message(inner, change)
        for key, inner in content.items()
    }


@dataclass(frozen=True)
class InspectedCopy:
    """How the copy compares with its sources."""

    lines: Sequence[str] = ()
    """One for each key that differs."""
    known: SecretCopy | None = None
    """What pods must know of the copy; None if it does not exist, or need not exist."""
    is_outdated: bool = False
    """Whether the sources have other versions than the copy was made from."""


async def inspect(cluster: Cluster, reader: SecretReader, desired: Desired) -> InspectedCopy:
    """Compare the copy with its sources. No line contains a value."""
    if not desired.workload.refers_to_secrets:
        return InspectedCopy()
    found = await cluster.get(kinds.SECRET, *locate(kinds.SECRET, desired))
    known = _read_copy_record(found)
    if found is None or known is None:
        return InspectedCopy([describe_missing("Secret tenant")])
    held = found.get("data") or {}
    lines = [f"Secret tenant: {key} is set, should not be" for key in held if key not in _list_keys(desired)]
    try:
        values = await reader.read(desired)
    except SecretMissing:  # a deleted source can't be compared; the tenant continues with the copy
        return InspectedCopy(lines, known)
    data = _encode(values)
    differing = [key for key in _list_keys(desired) if held.get(key) != data.get(key)]
    lines += [f"Secret tenant: {key} differs from its source" for key in differing]
    return InspectedCopy(lines, known, is_outdated=values.recorded != known.recorded)


def build_copy(desired: Desired, values: SecretValues, found: JsonObject | None) -> DesiredObject:
    """Build the copy. Its version changes exactly when a value that pods take from it changes.

    A version is a random number, because short values could be guessed from a digest.
    """
    held, data, known = (found or {}).get("data") or {}, _encode(values), _read_copy_record(found)
    same = all(held.get(key) == data.get(key) for key in _list_keys(desired))
    # Keys of the previous version stay until its pods no longer exist, because they may restart a container.
    data = {key: value for key, value in held.items() if key not in _list_keys(desired)} | data
    version = known.version if known and same else secrets.token_hex(8)
    return _build_secret(data, SecretCopy(version, values.recorded or ""))


def _build_pruned(desired: Desired, found: JsonObject | None) -> Sequence[DesiredObject]:
    held, known = (found or {}).get("data") or {}, _read_copy_record(found)
    if known is None or held.keys() <= set(_list_keys(desired)):
        return ()
    return (_build_secret({key: held[key] for key in _list_keys(desired) if key in held}, known),)


def _build_secret(data: JsonObject, known: SecretCopy) -> DesiredObject:
    annotations = {
        names.ANNOTATION_SECRETS: known.recorded,
        names.ANNOTATION_SECRETS_VERSION: known.version,
    }
    return DesiredObject(kinds.SECRET, {"data": data, "metadata": {"annotations": annotations}})


def _list_keys(desired: Desired) -> list[str]:
    return sorted(build_key(*each) for each in find_references(desired.workload))


def _encode(values: SecretValues) -> dict[str, str]:
    return {
        build_key(*each): base64.b64encode(value.encode()).decode()
        for each, value in values.by_variable.items()
    }


def _decode(found: JsonObject | None) -> SecretValues:
    """Decode the values that containers take from the copy."""
    held = (found or {}).get("data") or {}
    return SecretValues(
        {(key, ""): base64.b64decode(data).decode(errors="replace") for key, data in held.items()}
    )


def _read_copy_record(found: JsonObject | None) -> SecretCopy | None:
    annotations = ((found or {}).get("metadata") or {}).get("annotations") or {}
    version = annotations.get(names.ANNOTATION_SECRETS_VERSION)
    return SecretCopy(version, annotations.get(names.ANNOTATION_SECRETS, "")) if version else None
