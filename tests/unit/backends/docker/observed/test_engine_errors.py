"""The engine's own texts, as Docker 20.10 and later say them, and what they mean."""

import pytest

from landlord.backends.docker.observed.engine_errors import (
    NETWORK_GONE,
    PORT_IN_USE,
    explain_pull_failure,
    explain_start_failure,
)
from landlord.errors import Retryable, StepError, Stuck, Terminal

Case = tuple[str, int | None, str, type[StepError], str]

PULLS: dict[str, Case] = {
    "a name in upper case": (
        "UPPER/case:1",
        400,
        "invalid reference format: repository name must be lowercase",
        Terminal,
        "InvalidImage",
    ),
    "a tag that is none": ("web:bad tag!", 400, "invalid tag format", Terminal, "InvalidImage"),
    "any other bad request": ("web:1", 400, "something new", Terminal, "InvalidImage"),
    "a tag that is not there": (
        "127.0.0.1:5999/web:nope",
        404,
        "manifest for 127.0.0.1:5999/web:nope not found: manifest unknown: manifest unknown",
        Stuck,
        "ImageNotFound",
    ),
    "a repository that Docker Hub does not show": (
        "team/nope:1",
        404,
        "pull access denied for team/nope, repository does not exist or may require 'docker login': "
        "denied: requested access to the resource is denied",
        Stuck,
        "ImageAccessDenied",
    ),
    "a registry that wants a login": (
        "127.0.0.1:5998/web:1",
        500,
        'Head "http://127.0.0.1:5998/v2/web/manifests/1": no basic auth credentials',
        Stuck,
        "ImageAccessDenied",
    ),
    "a login that is refused": (
        "ghcr.io/team/app:1",
        500,
        'Head "https://ghcr.io/v2/team/app/manifests/1": unauthorized: authentication required',
        Stuck,
        "ImageAccessDenied",
    ),
    "another platform": (
        "web:1",
        404,
        "no matching manifest for linux/arm64/v8 in the manifest list entries",
        Stuck,
        "ImageNotFound",
    ),
    "a name that can't be resolved": (
        "no-such.example/app:1",
        500,
        'Get "https://no-such.example/v2/": dial tcp: lookup no-such.example on 10.0.0.53:53: no such host',
        Retryable,
        "RegistryUnreachable",
    ),
    "a registry that is not up": (
        "127.0.0.1:1/web:1",
        500,
        'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
        Retryable,
        "RegistryUnreachable",
    ),
    "a registry that does not answer": (
        "registry.example.com/app:1",
        500,
        'Get "https://registry.example.com/v2/": net/http: request canceled while waiting for connection '
        "(Client.Timeout exceeded while awaiting headers)",
        Retryable,
        "RegistryUnreachable",
    ),
    "a certificate that is not trusted": (
        "10.1.1.1:5000/x:1",
        500,
        'Get "https://10.1.1.1:5000/v2/": x509: cannot validate certificate for 10.1.1.1',
        Retryable,
        "RegistryUnreachable",
    ),
    "too many pulls": ("nginx:1", 500, "toomanyrequests: slow down", Retryable, "RegistryBusy"),
    "a registry that fails": (
        "127.0.0.1:5997/x:1",
        500,
        "received unexpected HTTP status: 503 Service Unavailable",
        Retryable,
        "PullFailed",
    ),
    "a full disk": (
        "nginx:1",
        None,
        "failed to register layer: Error processing tar file: write /x: no space left on device",
        Retryable,
        "EngineFull",
    ),
    "a text never seen before": ("nginx:1", None, "the moon is full", Retryable, "PullFailed"),
    "an image that is called like a reason": (
        "team/unauthorized:1",
        500,
        'Get "https://team/v2/unauthorized": dial tcp: lookup team: no such host',
        Retryable,
        "RegistryUnreachable",
    ),
    "a missing image that is called like a reason": (
        "127.0.0.1:5999/timeout/denied:1",
        404,
        "manifest for 127.0.0.1:5999/timeout/denied:1 not found: manifest unknown: manifest unknown",
        Stuck,
        "ImageNotFound",
    ),
}


@pytest.mark.parametrize("case", PULLS.values(), ids=PULLS)
def test_pull_is_hopeless_or_may_pass(case: Case) -> None:
    image, status, said, kind, code = case
    failure = explain_pull_failure(image, status, said)
    assert (type(failure), failure.code) == (kind, code)
    assert failure.message == f"can't pull {image}: {said}"
    assert failure.fix


STARTS: dict[str, tuple[str, bool, type[StepError], str]] = {
    "a command that is not in the image": (
        "failed to create shim task: OCI runtime create failed: runc create failed: unable to start "
        'container process: exec: "nope": executable file not found in $PATH: unknown',
        True,
        Terminal,
        "CannotStart",
    ),
    "an address that the host does not have": (
        "driver failed programming external connectivity on endpoint x (6509): Error starting userland "
        "proxy: listen tcp4 192.0.2.1:32777: bind: cannot assign requested address",
        False,
        Terminal,
        "InvalidSpec",
    ),
    "any other bad request": ("no such option", True, Terminal, "CannotStart"),
    "a text never seen before": ("the moon is full", False, Retryable, "CannotStart"),
}


@pytest.mark.parametrize("case", STARTS.values(), ids=STARTS)
def test_start_is_hopeless_or_may_pass(case: tuple[str, bool, type[StepError], str]) -> None:
    said, refused, kind, code = case
    failure = explain_start_failure(said, refused=refused)
    assert (type(failure), failure.code) == (kind, code)
    assert failure.message.splitlines()[0] == f"can't start the container: {said}"


@pytest.mark.parametrize(
    ("said", "port"),
    [
        (
            "driver failed programming external connectivity on endpoint xb (148e): "
            "Bind for 127.0.0.1:32769 failed: port is already allocated",
            "32769",
        ),
        (
            "driver failed programming external connectivity on endpoint xa (f33c): Error starting userland "
            "proxy: listen tcp4 127.0.0.1:60023: bind: address already in use",
            "60023",
        ),
        ("Error starting userland proxy: listen udp6 [::1]:53: bind: address already in use", "53"),
        ("failed to bind host port for 127.0.0.1:8080:172.18.0.2:80/tcp: address already in use", "8080"),
        ("failed to bind host port 0.0.0.0:8080/tcp: address already in use", "8080"),
        ("listen tcp4 192.0.2.1:32777: bind: cannot assign requested address", None),
        ("the moon is full", None),
    ],
)
def test_port_in_use_is_recognised_with_its_number(said: str, port: str | None) -> None:
    match = PORT_IN_USE.search(said)
    assert (match and match["port"]) == port


@pytest.mark.parametrize(
    ("said", "gone"),
    [
        ("network landlord not found", True),
        ("network landlord is ambiguous (2 matches found on name)", True),
        ("Bind for 127.0.0.1:80 failed: port is already allocated", False),
    ],
)
def test_missing_network_is_recognised(said: str, gone: bool) -> None:
    assert bool(NETWORK_GONE.search(said)) == gone
