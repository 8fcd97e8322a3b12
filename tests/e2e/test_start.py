"""What keeps a program from starting ends it with what is wrong and how to fix it, a line each."""

import socket
from pathlib import Path

import pytest
import yaml
from tests.support.manifests import Rule
from tests.support.programs import Ended, run
from tests.support.rbac import OPERATOR_RULES, account

from dev.cluster import ControlPlane
from dev.net import LOOPBACK

LOCAL = {"LANDLORD_ENGINE": "local", "LANDLORD_DEFAULT_BACKEND": "memory"}


def refuses(ended: Ended, *words: str) -> None:
    """The program refused its settings: exit code 2, what is wrong in one line, and the fix in another."""
    assert ended.code == 2, ended
    problem, *fix = ended.said.splitlines()
    assert problem.startswith("landlord: ")
    assert [line.startswith("Fix: ") for line in fix] in ([], [True])
    for word in words:
        assert word in ended.said


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file"),
        ("{[", "it is not YAML"),
        ("\x00\x01", "it is not YAML"),
        ("just a text", "it is not a kubeconfig"),
        ("apiVersion: v1\nkind: Config\n", "Expected key current-context"),
        (
            "apiVersion: v1\nkind: Config\ncurrent-context: prod\nclusters: []\ncontexts: []\nusers: []\n",
            "Expected object with name prod",
        ),
    ],
    ids=["missing", "not YAML", "binary", "text", "empty", "no such context"],
)
def test_an_unreadable_kubeconfig_is_named(tmp_path: Path, content: str | None, reason: str) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    if content is not None:
        kubeconfig.write_text(content)
    refuses(
        run(tmp_path, "operator", LOCAL | {"KUBECONFIG": str(kubeconfig)}),
        f"KUBECONFIG: can't read a cluster configuration from {kubeconfig}",
        reason,
        "set KUBECONFIG to a file that",
    )


@pytest.mark.parametrize(
    ("program", "variable", "value", "must"),
    [
        ("operator", "LANDLORD_ENGINE", "temporal", "'restate' or 'local'"),
        ("operator", "LANDLORD_RESTATE_ADMIN_URL", "localhost:9070", "must be a URL such as http://"),
        ("operator", "LANDLORD_HTTP_BIND", "localhost:8000", "must be an IP address and a port"),
        ("operator", "LANDLORD_LEADER_ELECTION", "perhaps", "boolean"),
        (
            "operator",
            "LANDLORD_BACKENDS",
            "mainframe",
            "'mainframe', which is not installed; inst",
        ),
        (
            "worker",
            "LANDLORD_BACKENDS",
            "mainframe",
            "'mainframe', which is not installed; inst",
        ),
        ("worker", "LANDLORD_WORKER_BIND", "0.0.0.0:http", "must end with a port"),
        ("worker", "LANDLORD_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_should_be(
    tmp_path: Path, control_plane: ControlPlane, program: str, variable: str, value: str, must: str
) -> None:
    settings = LOCAL | {"KUBECONFIG": str(control_plane.kubeconfig), variable: value}
    refuses(run(tmp_path, program, settings), variable, must)


@pytest.mark.parametrize(
    ("program", "variable"), [("operator", "LANDLORD_HTTP_BIND"), ("worker", "LANDLORD_WORKER_BIND")]
)
def test_a_port_in_use_is_named(
    tmp_path: Path, control_plane: ControlPlane, program: str, variable: str
) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        bind = f"{LOOPBACK}:{server.getsockname()[1]}"
        settings = LOCAL | {"KUBECONFIG": str(control_plane.kubeconfig), variable: bind}
        refuses(run(tmp_path, program, settings), variable, bind, "already in use")


def test_what_is_secret_is_not_printed(tmp_path: Path) -> None:
    ended = run(tmp_path, "worker", {"LANDLORD_RESTATE_IDENTITY_KEYS": "s3cr3t"})
    refuses(ended, "LANDLORD_RESTATE_IDENTITY_KEYS", "publickeyv1_")
    assert "s3cr3t" not in ended.said


@pytest.mark.parametrize(
    ("rules", "missing"),
    [
        ([], "list tenants"),
        (OPERATOR_RULES[:1], "patch tenants/status in namespace {namespace}"),
        (OPERATOR_RULES[:2], "create events.events.k8s.io in namespace {namespace}"),
        (OPERATOR_RULES, "get leases.coordination.k8s.io in namespace {namespace}, create leases"),
    ],
    ids=["no rights", "no status", "no events", "no leases"],
)
def test_missing_rights_are_named_at_start(
    tmp_path: Path, control_plane: ControlPlane, namespace: str, rules: list[Rule], missing: str
) -> None:
    settings = {
        "KUBECONFIG": str(account(control_plane, namespace, "operator", rules)),
        "LANDLORD_WATCH_NAMESPACES": namespace,
        "LANDLORD_NAMESPACE": namespace,
        "LANDLORD_LEADER_ELECTION": "true",
    }
    refuses(run(tmp_path, "operator", LOCAL | settings), "grant", missing.format(namespace=namespace))


def test_credentials_that_the_api_server_does_not_know_are_refused_at_start(
    tmp_path: Path, control_plane: ControlPlane, namespace: str
) -> None:
    config = yaml.safe_load(account(control_plane, namespace, "operator", []).read_text())
    config["users"][0]["user"] = {"token": "s3cr3t"}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    ended = run(tmp_path, "operator", LOCAL | {"KUBECONFIG": str(kubeconfig)})
    refuses(ended, "refuses these credentials (HTTP 401)")
    assert "s3cr3t" not in ended.said
