"""What every client of the API server needs: credentials, paths, discovery, and what a refusal looks like.

There are two clients. `dev.api` is synchronous, for tests; `bench.api` is asynchronous and sends bodies that
are ready, because it measures the least that a Tenant can cost. One client with a synchronous face would need
each method twice and a thread that hands over every event of a watch.
"""

import json
import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dev.failure import LocalFailure
from landlord.api.schema import JsonObject

JSON = "application/json"
APPLY_PATCH = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
DISCOVERY_PATHS = ("/api", "/apis")


class ApiError(LocalFailure):
    """The API server refused a request. `status` is the HTTP status, the text is the server's message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @classmethod
    def from_body(cls, status: int, body: bytes) -> "ApiError":
        """The error for an answer, which is a Status object unless something else than the server sent it."""
        try:
            message = str(json.loads(body)["message"])
        except (ValueError, KeyError, TypeError):
            message = body.decode(errors="replace")
        return cls(status, message)


@dataclass(frozen=True)
class Credentials:
    """A kubeconfig with one cluster and one user: files of certificates, or a token."""

    server: str
    ca_file: str
    certificate_files: tuple[str, str] | None
    token: str | None

    @classmethod
    def load(cls, kubeconfig: Path) -> "Credentials":
        """Read a kubeconfig as kwokctl and `ControlPlane.kubeconfig_of` write it."""
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        files = (user["client-certificate"], user["client-key"]) if "client-key" in user else None
        return cls(cluster["server"], cluster["certificate-authority"], files, user.get("token"))

    def ssl_context(self) -> ssl.SSLContext:
        """Trust the cluster's authority only, and present the user's certificate if there is one."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.certificate_files is not None:
            context.load_cert_chain(*self.certificate_files)
        return context

    def headers(self) -> dict[str, str]:
        """The header with the token, if there is one."""
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class ApiResource:
    """One kind of object, as the API server's discovery describes it."""

    group_version: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The path of an object, or of a list if there is no name; of all namespaces if there is none."""
        root = f"/apis/{self.group_version}" if "/" in self.group_version else f"/api/{self.group_version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return "/".join(filter(None, (f"{root}{scope}/{self.plural}", name, subresource)))


def index_resources(groups: Iterable[Mapping[str, Any]]) -> dict[str, ApiResource]:
    """Every name of every resource of a discovery, in lower case.

    The names are those that kubectl takes, and `<kind>|<apiVersion>`. The first resource with a name keeps
    it: the core group's, then those of the other groups in the server's order.
    """
    known: dict[str, ApiResource] = {}
    for group in groups:
        for version in group["versions"]:
            for each in version["resources"]:
                group_name = group["metadata"].get("name", "")
                group_version = "/".join(filter(None, (group_name, version["version"])))
                resource = ApiResource(group_version, each["resource"], each["scope"] == "Namespaced")
                names = [each["resource"], each["singularResource"], *each.get("shortNames", ())]
                names.append(f"{each['responseKind']['kind']}|{group_version}")
                names.append(".".join(filter(None, (each["resource"], group_name))))
                names.append(".".join(filter(None, (each["resource"], version["version"], group_name))))
                for name in filter(None, names):
                    known.setdefault(name.lower(), resource)
    return known


def decode_lines(unfinished: bytes, chunk: bytes) -> tuple[Iterator[JsonObject], bytes]:
    """The events of a watch that a chunk completes, and the rest, which is to precede the next chunk."""
    *lines, rest = (unfinished + chunk).split(b"\n")
    return map(json.loads, lines), rest
