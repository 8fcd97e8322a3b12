"""The Secret in a tenant's namespace: a copy of the keys that its variables refer to, and of nothing else."""

import base64
import secrets
from collections.abc import Callable, Sequence
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
from landlord.backends.kubernetes import ensure, ownership
from landlord.backends.kubernetes.desired.objects import DesiredObject, build_objects, locate
from landlord.backends.kubernetes.desired.pods import SecretCopy, build_key
from landlord.backends.redaction import redact, redacting
from landlord.backends.secrets import SecretMissing, SecretValues, find_references
from landlord.errors import StepError
from landlord.kubernetes_api import KubeError


async def copy(cluster: Cluster, sources: SecretReader, desired: Desired) -> Result:
    """Have the copy hold what the sources hold now. What it raises tells nothing of any value."""
    values = await sources.read(desired)
    found = await cluster.get(kinds.SECRET, *locate(kinds.SECRET, desired))
    with (
        redacting(_decode(found)),
        redacting(values),
        translating_errors(ownership.read_settings(desired).quota),
    ):
        return await ensure.ensure(cluster, desired, (build_copy(desired, values, found),))


async def read_copy(cluster: Cluster, desired: Desired) -> SecretCopy | None:
    """What pods have to know of the copy, None if they refer to nothing. Raises Gone if there is none."""
    if not desired.workload.refers_to_secrets:
        return None
    known = _read_copy_record(await cluster.get(kinds.SECRET, *locate(kinds.SECRET, desired)))
    if known is None:
        raise Gone("SecretGone", "the Secret tenant was removed by somebody else; it is made again")
    return known


async def is_outdated(cluster: Cluster, sources: SecretReader, desired: Desired) -> bool:
    """Whether a source is known to have changed since it was copied: that may cure what fails."""
    if not desired.workload.refers_to_secrets:
        return False
    try:
        now = await sources.read(desired)
        known = _read_copy_record(await cluster.get(kinds.SECRET, *locate(kinds.SECRET, desired)))
    except (StepError, KubeError):
        return False
    return known is not None and known.recorded != now.recorded


async def prune(cluster: Cluster, desired: Desired) -> None:
    """Leave nothing in the copy that only pods of a version before have needed."""
    if not desired.workload.refers_to_secrets:
        await ensure.ensure(cluster, desired, build_objects(desired)["ready"])
        return
    found = await cluster.get(kinds.SECRET, *locate(kinds.SECRET, desired))
    with redacting(_decode(found)), translating_errors(ownership.read_settings(desired).quota):
        await ensure.ensure(cluster, desired, _build_pruned(desired, found))


async def redact_messages(
    cluster: Cluster, desired: Desired, found: Sequence[JsonObject], version: str | None
) -> Sequence[JsonObject]:
    """Objects without what containers were given, that kubelets repeat in them.

    Raises Gone if the copy is not the one of this version, from which those containers were made.
    """
    if not desired.workload.refers_to_secrets:
        return found
    copy = await cluster.get(kinds.SECRET, *locate(kinds.SECRET, desired))
    known = _read_copy_record(copy)
    if known is None or known.version != version:
        raise Gone("SecretGone", "the Secret tenant is not the one of its pods; both are made again")
    change = partial(redact, values=_decode(copy))
    return [_with_each_message(each, change) for each in found]


def _with_each_message(content: Any, change: Callable[[str], str]) -> Any:
    """The same with each `message` changed."""
    if isinstance(content, list):
        return [_with_each_message(each, change) for each in content]
    if not isinstance(content, dict):
        return content
    return {
        key: change(inner) if key == "message" else _with_each_message(inner, change)
        for key, inner in content.items()
    }


async def inspect(
    cluster: Cluster, sources: SecretReader, desired: Desired
) -> tuple[list[str], SecretCopy | None]:
    """A line for each key that is not as in its source, and what pods have to know of the copy."""
    if not desired.workload.refers_to_secrets:
        return [], None
    found = await cluster.get(kinds.SECRET, *locate(kinds.SECRET, desired))
    known = _read_copy_record(found)
    if found is None or known is None:
        return ["Secret tenant is missing"], None
    try:
        values = await sources.read(desired)
    except SecretMissing:  # what was deleted can't be compared: the tenant runs on with what it has
        return [], known
    held, data = found.get("data") or {}, _encode(values)
    differing = [key for key in _list_keys(desired) if held.get(key) != data.get(key)]
    return [f"Secret tenant: {key} is not what it was copied from" for key in differing], known


def build_copy(desired: Desired, values: SecretValues, found: JsonObject | None) -> DesiredObject:
    """The copy. Its version stays as long as the values do that pods have got from it.

    A version is a random number: of a digest, short secrets could be guessed.
    """
    held, data, known = (found or {}).get("data") or {}, _encode(values), _read_copy_record(found)
    same = all(held.get(key) == data.get(key) for key in _list_keys(desired))
    # What pods of the version before refer to stays until they are gone: without, none of them starts again.
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
        build_key(*each): base64.b64encode(value.encode()).decode() for each, value in values.by_place.items()
    }


def _decode(found: JsonObject | None) -> SecretValues:
    """What containers were given by the copy."""
    held = (found or {}).get("data") or {}
    return SecretValues(
        {(key, ""): base64.b64decode(data).decode(errors="replace") for key, data in held.items()}
    )


def _read_copy_record(found: JsonObject | None) -> SecretCopy | None:
    annotations = ((found or {}).get("metadata") or {}).get("annotations") or {}
    version = annotations.get(names.ANNOTATION_SECRETS_VERSION)
    return SecretCopy(version, annotations.get(names.ANNOTATION_SECRETS, "")) if version else None
