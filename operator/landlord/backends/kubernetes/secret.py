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
from landlord.backends.cluster.client import Cluster, explained
from landlord.backends.cluster.refusals import Gone
from landlord.backends.cluster.secrets import Sources
from landlord.backends.kubernetes import ensure, ownership
from landlord.backends.kubernetes.desired.objects import Wanted, objects, place
from landlord.backends.kubernetes.desired.pods import Copied, key_of
from landlord.backends.redaction import redacted, unspoken
from landlord.backends.secrets import Missing, Values, references
from landlord.errors import StepError
from landlord.kubernetes_api import KubeError


async def copy(cluster: Cluster, sources: Sources, desired: Desired) -> Result:
    """Have the copy hold what the sources hold now. What it raises tells nothing of any value."""
    values = await sources.read(desired)
    found = await cluster.get(kinds.SECRET, *place(kinds.SECRET, desired))
    with unspoken(_given(found)), unspoken(values), explained(ownership.kubernetes(desired).quota):
        return await ensure.ensure(cluster, desired, (wanted(desired, values, found),))


async def copied(cluster: Cluster, desired: Desired) -> Copied | None:
    """What pods have to know of the copy, None if they refer to nothing. Raises Gone if there is none."""
    if not desired.workload.refers_to_secrets:
        return None
    known = _known(await cluster.get(kinds.SECRET, *place(kinds.SECRET, desired)))
    if known is None:
        raise Gone("SecretGone", "the Secret tenant was removed by somebody else; it is made again")
    return known


async def is_outdated(cluster: Cluster, sources: Sources, desired: Desired) -> bool:
    """Whether a source is known to have changed since it was copied: that may cure what fails."""
    if not desired.workload.refers_to_secrets:
        return False
    try:
        now = await sources.read(desired)
        known = _known(await cluster.get(kinds.SECRET, *place(kinds.SECRET, desired)))
    except (StepError, KubeError):
        return False
    return known is not None and known.recorded != now.recorded


async def prune(cluster: Cluster, desired: Desired) -> None:
    """Leave nothing in the copy that only pods of a version before have needed."""
    if not desired.workload.refers_to_secrets:
        await ensure.ensure(cluster, desired, objects(desired)["ready"])
        return
    found = await cluster.get(kinds.SECRET, *place(kinds.SECRET, desired))
    with unspoken(_given(found)), explained(ownership.kubernetes(desired).quota):
        await ensure.ensure(cluster, desired, _pruned(desired, found))


async def unspoken_in(
    cluster: Cluster, desired: Desired, found: Sequence[JsonObject], version: str | None
) -> Sequence[JsonObject]:
    """Objects without what containers were given, that kubelets repeat in them.

    Raises Gone if the copy is not the one of this version, from which those containers were made.
    """
    if not desired.workload.refers_to_secrets:
        return found
    copy = await cluster.get(kinds.SECRET, *place(kinds.SECRET, desired))
    known = _known(copy)
    if known is None or known.version != version:
        raise Gone("SecretGone", "the Secret tenant is not the one of its pods; both are made again")
    redact = partial(redacted, values=_given(copy))
    return [_with_messages(each, redact) for each in found]


def _with_messages(content: Any, change: Callable[[str], str]) -> Any:
    """The same with each `message` changed."""
    if isinstance(content, list):
        return [_with_messages(each, change) for each in content]
    if not isinstance(content, dict):
        return content
    return {
        key: change(inner) if key == "message" else _with_messages(inner, change)
        for key, inner in content.items()
    }


async def inspect(cluster: Cluster, sources: Sources, desired: Desired) -> tuple[list[str], Copied | None]:
    """A line for each key that is not as in its source, and what pods have to know of the copy."""
    if not desired.workload.refers_to_secrets:
        return [], None
    found = await cluster.get(kinds.SECRET, *place(kinds.SECRET, desired))
    known = _known(found)
    if found is None or known is None:
        return ["Secret tenant is missing"], None
    try:
        values = await sources.read(desired)
    except Missing:  # what was deleted can't be compared: the tenant runs on with what it has
        return [], known
    held, data = found.get("data") or {}, _data(values)
    differing = [key for key in _keys(desired) if held.get(key) != data.get(key)]
    return [f"Secret tenant: {key} is not what it was copied from" for key in differing], known


def wanted(desired: Desired, values: Values, found: JsonObject | None) -> Wanted:
    """The copy. Its version stays as long as the values do that pods have got from it.

    A version is a random number: of a digest, short secrets could be guessed.
    """
    held, data, known = (found or {}).get("data") or {}, _data(values), _known(found)
    same = all(held.get(key) == data.get(key) for key in _keys(desired))
    # What pods of the version before refer to stays until they are gone: without, none of them starts again.
    data = {key: value for key, value in held.items() if key not in _keys(desired)} | data
    version = known.version if known and same else secrets.token_hex(8)
    return _copy(data, Copied(version, values.recorded or ""))


def _pruned(desired: Desired, found: JsonObject | None) -> Sequence[Wanted]:
    held, known = (found or {}).get("data") or {}, _known(found)
    if known is None or held.keys() <= set(_keys(desired)):
        return ()
    return (_copy({key: held[key] for key in _keys(desired) if key in held}, known),)


def _copy(data: JsonObject, known: Copied) -> Wanted:
    annotations = {
        names.ANNOTATION_SECRETS: known.recorded,
        names.ANNOTATION_SECRETS_VERSION: known.version,
    }
    return Wanted(kinds.SECRET, {"data": data, "metadata": {"annotations": annotations}})


def _keys(desired: Desired) -> list[str]:
    return sorted(key_of(*each) for each in references(desired.workload))


def _data(values: Values) -> dict[str, str]:
    return {
        key_of(*each): base64.b64encode(value.encode()).decode() for each, value in values.by_place.items()
    }


def _given(found: JsonObject | None) -> Values:
    """What containers were given by the copy."""
    held = (found or {}).get("data") or {}
    return Values({(key, ""): base64.b64decode(data).decode(errors="replace") for key, data in held.items()})


def _known(found: JsonObject | None) -> Copied | None:
    annotations = ((found or {}).get("metadata") or {}).get("annotations") or {}
    version = annotations.get(names.ANNOTATION_SECRETS_VERSION)
    return Copied(version, annotations.get(names.ANNOTATION_SECRETS, "")) if version else None
