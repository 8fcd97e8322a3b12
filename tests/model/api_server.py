"""The API server in memory: versions, generations, finalizers and a watch, and writes that fail as they can.

It has the operator's `KubeClient`'s methods that a reconciliation calls.
"""

import copy
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from landlord.api.schema import JsonObject
from landlord.api.tenant import Key
from landlord.kubernetes_api import KubeError

Fault = Literal["refused", "answer lost", "crash before", "crash after"]
Event = tuple[str, Key, JsonObject]


class Crash(BaseException):
    """The operator's process is killed in the middle of a write."""


class ModelApi:
    """Tenants by key. `on_status` is called with each object before and after its status is written."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._version = 0
        self._uids = 0
        self.objects: dict[Key, JsonObject] = {}
        self.watch: deque[Event] = deque()
        self.fault: Fault | None = None
        self.on_status: Callable[[JsonObject, JsonObject], None] = lambda before, after: None
        self.on_removal: Callable[[str], None] = lambda uid: None

    # What users do.

    def create(self, key: Key, spec: JsonObject) -> str:
        self._uids += 1
        metadata = {
            "namespace": key.namespace,
            "name": key.name,
            "uid": f"u{self._uids}",
            "generation": 1,
            "creationTimestamp": f"{self._now():%Y-%m-%dT%H:%M:%SZ}",
        }
        self._store(key, {"metadata": metadata, "spec": spec}, "ADDED")
        return f"u{self._uids}"

    def change_spec(self, key: Key, **fields: Any) -> None:
        body = copy.deepcopy(self.objects[key])
        spec = {**body["spec"], **fields}
        if spec != body["spec"]:
            body["spec"], body["metadata"]["generation"] = spec, body["metadata"]["generation"] + 1
            self._store(key, body)

    def annotate(self, key: Key, name: str, value: str) -> None:
        body = copy.deepcopy(self.objects[key])
        body["metadata"].setdefault("annotations", {})[name] = value
        self._store(key, body)

    def delete(self, key: Key) -> None:
        body = copy.deepcopy(self.objects[key])
        if "deletionTimestamp" not in body["metadata"]:
            body["metadata"]["deletionTimestamp"] = f"{self._now():%Y-%m-%dT%H:%M:%SZ}"
            body["metadata"]["generation"] += 1
            self._store(key, body)

    # What the operator does: the methods of KubeClient.

    async def set_finalizers(self, key: Key, version: str, finalizers: tuple[str, ...]) -> JsonObject:
        return self._write(key, version, lambda body: body["metadata"].update(finalizers=list(finalizers)))

    async def apply_status(self, key: Key, version: str, status: JsonObject) -> JsonObject:
        before = self.objects.get(key)
        return self._write(
            key,
            version,
            lambda body: body.update(status=copy.deepcopy(status)),
            lambda: self.on_status(before or {}, self.objects[key]),
        )

    async def delete_tenant(self, key: Key, uid: str, version: str) -> None:
        raise AssertionError("no Tenant of the model expires")

    def _write(
        self,
        key: Key,
        version: str,
        change: Callable[[JsonObject], None],
        then: Callable[[], None] = lambda: None,
    ) -> JsonObject:
        fault, self.fault = self.fault, None
        if fault == "crash before":
            raise Crash
        if fault == "refused":
            raise KubeError(500, "the model refuses this write")
        body = copy.deepcopy(self.objects.get(key))
        if body is None:
            raise KubeError(404, "no such Tenant")
        if body["metadata"]["resourceVersion"] != version:
            raise KubeError(409, "the Tenant has changed")
        change(body)
        self._store(key, body)
        then()
        if fault == "crash after":
            raise Crash
        if fault == "answer lost":
            raise KubeError(0, "the model lost the answer to this write")
        return copy.deepcopy(body)

    def _store(self, key: Key, body: JsonObject, kind: str = "MODIFIED") -> None:
        self._version += 1
        metadata = body["metadata"]
        metadata["resourceVersion"] = str(self._version)
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            kind = "DELETED"
            self.objects.pop(key, None)
            self.on_removal(metadata["uid"])
        else:
            self.objects[key] = body
        self.watch.append((kind, key, copy.deepcopy(body)))
