"""A synchronous client of the API server of a control plane that this environment started.

It serves tests, which send many requests and must not start a process for each. `Kubectl` runs what a person
types, and works with any cluster.
"""

import atexit
import functools
import itertools
import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

import urllib3
import yaml

from dev.apiserver import (
    APPLY_PATCH,
    DISCOVERY,
    DISCOVERY_PATHS,
    JSON,
    JSON_PATCH,
    MERGE_PATCH,
    ApiError,
    ApiResource,
    Credentials,
    decode_lines,
    index_resources,
)
from dev.failure import LocalFailure
from landlord.api.schema import JsonObject

T = TypeVar("T")

_SECONDS = 60.0
_PAUSE_SECONDS = 0.1
_PATCHES = {dict: MERGE_PATCH, list: JSON_PATCH}
_QUERY = {"fieldManager": "kubectl", "fieldValidation": "Strict"}


class Api:
    """Requests with the credentials of a kubeconfig. Thread-safe.

    Kinds have the names that kubectl takes: `tenant`, `tenants`, `ltn`, or `events.v1.events.k8s.io`.
    Raises ApiError if the server refuses a request, and LocalFailure if it does not answer.
    """

    def __init__(self, kubeconfig: Path) -> None:
        credentials = Credentials.load(kubeconfig)
        self._server = credentials.server
        self._headers = credentials.headers()
        self._pool = urllib3.PoolManager(maxsize=16, retries=False, ssl_context=credentials.ssl_context())
        self._known: dict[str, ApiResource] = {}

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.clear()

    def get(self, kind: str, name: str = "", *, namespace: str = "", selector: str = "") -> JsonObject:
        """One object, or the list of all objects if there is no name."""
        query = {"labelSelector": selector} if selector else {}
        answer = self._call("GET", self._resource(kind).path(namespace, name), query=query)
        for item in answer.get("items", ()):  # the items of a built-in kind lack both
            item.setdefault("apiVersion", answer["apiVersion"])
            item.setdefault("kind", answer["kind"].removesuffix("List"))
        return answer

    def find(self, kind: str, name: str, *, namespace: str = "") -> JsonObject | None:
        """One object; None if it does not exist."""
        try:
            return self.get(kind, name, namespace=namespace)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def apply(self, *manifests: JsonObject | str | Path) -> None:
        """Apply objects, YAML texts or files, like `kubectl apply --server-side`."""
        for manifest in manifests:
            for each in _objects(manifest):
                metadata = each["metadata"]
                resource = self._resource(f"{each['kind']}|{each['apiVersion']}")
                path = resource.path(metadata.get("namespace", "default"), metadata["name"])
                self._call("PATCH", path, each, content_type=APPLY_PATCH, query=_QUERY)

    def patch(
        self,
        kind: str,
        name: str,
        patch: JsonObject | list[JsonObject],
        *,
        namespace: str = "",
        subresource: str = "",
    ) -> JsonObject:
        """Patch an object with a merge patch (a dict) or a JSON patch (a list)."""
        path = self._resource(kind).path(namespace, name, subresource)
        return self._call("PATCH", path, patch, content_type=_PATCHES[type(patch)], query=_QUERY)

    def create(self, manifest: JsonObject) -> JsonObject:
        """Create an object."""
        metadata = manifest.get("metadata", {})
        resource = self._resource(f"{manifest['kind']}|{manifest['apiVersion']}")
        path = resource.path(metadata.get("namespace", "default"))
        return self._call("POST", path, manifest, query=_QUERY)

    def create_namespace(self, name: str) -> None:
        """Create an empty namespace."""
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def delete(self, kind: str, *names: str, namespace: str = "", within: float = 0.0) -> None:
        """Delete objects. An object that does not exist counts as deleted.

        With `within`, wait until none of them exists. Raises AssertionError after that many seconds.
        """
        resource, uids = self._resource(kind), set[str]()
        for name in names:
            try:
                answer = self._call("DELETE", resource.path(namespace, name))
            except ApiError as error:
                if error.status != 404:
                    raise
            else:  # a Status if it no longer exists, otherwise the object
                uids.add(str((answer.get("details") or answer["metadata"]).get("uid")))
        if within:
            self.until(
                kind,
                lambda found: not uids & {each["metadata"]["uid"] for each in found.values()},
                namespace=namespace,
                within=within,
                what=f"{kind} {', '.join(names)} to be gone",
            )

    def until(
        self,
        kind: str,
        probe: Callable[[dict[str, JsonObject]], T | None],
        *,
        namespace: str = "",
        name: str = "",
        within: float,
        what: str,
    ) -> T:
        """Call `probe` with all objects by name, now and after each change. Returns its first truthy result.

        `probe` can raise AssertionError to say what is missing. Raises AssertionError after `within` seconds.
        """
        last: object = "nothing"
        for found in self._follow(kind, namespace, name, within):
            try:
                if answer := probe(found):
                    return answer
                last = answer
            except AssertionError as error:
                last = error
        raise AssertionError(f"not within {within:g} s: {what}; last result: {last!r}")

    def _follow(self, kind: str, namespace: str, name: str, within: float) -> Iterator[dict[str, JsonObject]]:
        """The objects by name, now and after each change, for `within` seconds. It survives a restart."""
        deadline = time.monotonic() + within
        while (left := deadline - time.monotonic()) > 0:
            query = {"fieldSelector": f"metadata.name={name}"} if name else {}
            try:
                path = self._resource(kind).path(namespace)
                listed = self._call("GET", path, query=query)
                found = {each["metadata"]["name"]: each for each in listed["items"]}
                yield found
                query |= {"watch": "true", "timeoutSeconds": str(math.ceil(left))}
                query["resourceVersion"] = listed["metadata"]["resourceVersion"]
                for event in self._stream(path, query, left):
                    if event["type"] == "ERROR":
                        break  # the resource version is too old, for example: list again
                    changed = event["object"]
                    found.pop(changed["metadata"]["name"], None)
                    if event["type"] != "DELETED":
                        found[changed["metadata"]["name"]] = changed
                    yield found
            except LocalFailure:
                time.sleep(_PAUSE_SECONDS)

    def _stream(self, path: str, query: dict[str, str], seconds: float) -> Iterator[JsonObject]:
        answer = self._send("GET", path, query=query, seconds=seconds, stream=True)
        rest = b""
        try:
            while chunk := answer.read1():
                events, rest = decode_lines(rest, chunk)
                yield from events
        except urllib3.exceptions.HTTPError as error:
            raise LocalFailure(f"the watch of {path} ended: {error}") from error
        finally:
            answer.close()

    def _resource(self, kind: str) -> ApiResource:
        kind = kind.lower()
        if kind not in self._known:
            lists = (self._call("GET", path, accept=DISCOVERY)["items"] for path in DISCOVERY_PATHS)
            self._known = index_resources(itertools.chain.from_iterable(lists))
        try:
            return self._known[kind]
        except KeyError:
            raise ApiError(404, f"the API server has no kind {kind}") from None

    def _call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        accept: str = JSON,
        content_type: str = JSON,
        query: dict[str, str] | None = None,
    ) -> JsonObject:
        answer = self._send(
            method, path, body, accept=accept, content_type=content_type, query=query or {}, seconds=_SECONDS
        )
        decoded: JsonObject = json.loads(answer.data)
        return decoded

    def _send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        accept: str = JSON,
        content_type: str = JSON,
        query: dict[str, str],
        seconds: float,
        stream: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        try:
            answer = self._pool.request(
                method,
                self._server + path + (f"?{urlencode(query)}" if query else ""),
                body=None if body is None else json.dumps(body),
                headers=self._headers | {"Accept": accept, "Content-Type": content_type},
                timeout=urllib3.Timeout(connect=5.0, read=seconds + 1),
                preload_content=not stream,
            )
        except urllib3.exceptions.HTTPError as error:
            raise LocalFailure(f"{method} {self._server}{path}: {error}") from error
        if answer.status >= 400:
            raise ApiError.from_body(answer.status, answer.data)
        return answer


def api_of(kubeconfig: Path) -> Api:
    """This process's client for a kubeconfig. Its connections are closed when the process ends."""
    return _api_of(kubeconfig, kubeconfig.stat().st_mtime_ns)


@functools.cache
def _api_of(kubeconfig: Path, _written: int) -> Api:
    api = Api(kubeconfig)
    atexit.register(api.close)
    return api


def _objects(manifest: JsonObject | str | Path) -> list[JsonObject]:
    if isinstance(manifest, dict):
        return [manifest]
    text = manifest.read_text() if isinstance(manifest, Path) else manifest
    return [each for each in yaml.safe_load_all(text) if each]
