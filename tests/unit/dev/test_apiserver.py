"""What the clients of the API server share, without a server."""

from pathlib import Path

import pytest
import yaml

from dev.apiserver import ApiError, ApiResource, Credentials, decode_lines, index_resources
from landlord.api.schema import JsonObject

TENANTS = ApiResource("landlord.dev/v1alpha1", "tenants")
EVENTS = ApiResource("v1", "events")
NODES = ApiResource("v1", "nodes", namespaced=False)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (TENANTS.path(), "/apis/landlord.dev/v1alpha1/tenants"),
        (TENANTS.path("a"), "/apis/landlord.dev/v1alpha1/namespaces/a/tenants"),
        (TENANTS.path("a", "b", "status"), "/apis/landlord.dev/v1alpha1/namespaces/a/tenants/b/status"),
        (EVENTS.path("a", "b"), "/api/v1/namespaces/a/events/b"),
        (NODES.path("a", "b"), "/api/v1/nodes/b"),
    ],
)
def test_a_path_has_the_group_the_namespace_and_the_name(path: str, expected: str) -> None:
    assert path == expected


def group(name: str, version: str, plural: str, kind: str, scope: str = "Namespaced") -> JsonObject:
    resource = {
        "resource": plural,
        "singularResource": kind.lower(),
        "shortNames": [plural[:2]],
        "scope": scope,
        "responseKind": {"kind": kind},
    }
    metadata = {"name": name} if name else {}
    return {"metadata": metadata, "versions": [{"version": version, "resources": [resource]}]}


def test_resources_are_found_by_the_names_that_kubectl_takes_and_the_first_keeps_its_name() -> None:
    core, later = group("", "v1", "events", "Event"), group("events.k8s.io", "v1", "events", "Event")
    found = index_resources([core, later, group("", "v1", "nodes", "Node", "Cluster")])
    assert {found[name] for name in ("events", "event", "ev", "event|v1", "events.v1")} == {EVENTS}
    assert found["events.v1.events.k8s.io"] == ApiResource("events.k8s.io/v1", "events")
    assert found["event|events.k8s.io/v1"] == found["events.v1.events.k8s.io"]
    assert found["events.events.k8s.io"] == found["events.v1.events.k8s.io"]
    assert found["nodes"] == NODES


@pytest.mark.parametrize(
    ("user", "files", "headers"),
    [
        ({"token": "t"}, None, {"Authorization": "Bearer t"}),
        ({"client-certificate": "c", "client-key": "k"}, ("c", "k"), {}),
    ],
)
def test_credentials_are_certificates_or_a_token(
    user: JsonObject, files: tuple[str, str] | None, headers: dict[str, str], tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    cluster = {"server": "https://127.0.0.1:1", "certificate-authority": "ca"}
    kubeconfig.write_text(yaml.safe_dump({"clusters": [{"cluster": cluster}], "users": [{"user": user}]}))
    found = Credentials.load(kubeconfig)
    assert (found.server, found.ca_file) == ("https://127.0.0.1:1", "ca")
    assert (found.certificate_files, found.headers()) == (files, headers)


@pytest.mark.parametrize(
    ("body", "message"),
    [(b'{"message": "no such Tenant"}', "no such Tenant"), (b"bad gateway", "bad gateway")],
)
def test_a_refusal_has_the_server_s_message(body: bytes, message: str) -> None:
    error = ApiError.from_body(404, body)
    assert (error.status, str(error)) == (404, message)


def test_events_of_a_watch_may_be_cut_anywhere() -> None:
    found: list[JsonObject] = []
    rest = b""
    for chunk in (b'{"a"', b': 1}\n{"b": 2}\n{', b'"c": 3}\n'):
        events, rest = decode_lines(rest, chunk)
        found += events
    assert (found, rest) == ([{"a": 1}, {"b": 2}, {"c": 3}], b"")
