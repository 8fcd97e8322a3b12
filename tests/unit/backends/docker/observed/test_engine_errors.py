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


RUNC = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start "
NO_LOG = (
    "failed to create shim task: OCI runtime create failed: unable to retrieve OCI runtime error (open "
    "/run/containerd/io.containerd.runtime.v2.task/moby/851f/log.json: no such file or directory): "
)
ENDPOINT = "driver failed programming external connectivity on endpoint x (6509): "

OF_THE_TENANT = {
    "a command that is not in $PATH": (
        f'{RUNC}container process: exec: "nope": executable file not found in $PATH: unknown'
    ),
    "a command that is not in the image": (
        f'{RUNC}container process: exec: "/no/such": stat /no/such: no such file or directory: unknown'
    ),
    "a command that is a folder": f'{RUNC}container process: exec: "/data": permission denied: unknown',
    "a newer runc": (
        f"{RUNC}container process: error during container init: "
        'exec: "nope": executable file not found in $PATH: unknown'
    ),
    "an older runc": (
        "OCI runtime create failed: container_linux.go:380: starting container process caused: "
        'exec: "nope": executable file not found in $PATH: unknown'
    ),
    "a much older runc": (
        "oci runtime error: container_linux.go:235: starting container process caused "
        '"exec: \\"nope\\": executable file not found in $PATH"'
    ),
    "a command called like a program of the engine": (
        f'{RUNC}container process: exec: "docker-proxy": executable file not found in $PATH: unknown'
    ),
    "crun": (
        "crun: executable file `nope` not found in $PATH: No such file or directory: OCI runtime attempted "
        "to invoke a command that was not found"
    ),
    "crun, without permission": "crun: open executable: Permission denied: OCI permission denied",
    "a user that is not in the image": "unable to find user nobody: no matching entries in passwd file",
    "a working directory that is not in the image": (
        f'{RUNC}container process: error during container init: chdir to cwd ("/app") set in '
        "config.json failed: no such file or directory: unknown"
    ),
}

OF_THE_ENGINE = {
    "no runc": f'{NO_LOG}exec: "runc": executable file not found in $PATH: unknown',
    "a runc that has gone": f"{NO_LOG}fork/exec /usr/sbin/runc: no such file or directory: unknown",
    "a runc that must not be run": f"{NO_LOG}fork/exec /usr/sbin/runc: permission denied: unknown",
    "a runc for another platform": f"{NO_LOG}fork/exec /usr/sbin/runc: exec format error: unknown",
    "no shim": (
        "failed to start shim: start failed: : fork/exec /usr/bin/containerd-shim-runc-v2: no such file or "
        "directory: unknown"
    ),
    "no docker-proxy": f'{ENDPOINT}exec: "docker-proxy": executable file not found in $PATH',
    "no iptables": (
        f"{ENDPOINT} (iptables failed: iptables --wait -t nat -A DOCKER -p tcp -d 0/0 --dport 18082 -j DNAT "
        "--to-destination 172.18.0.2:8080 ! -i br-f631:  (fork/exec /usr/sbin/iptables: no such file or "
        "directory))"
    ),
    "no AppArmor in the kernel": (
        f"{RUNC}container process: error during container init: unable to apply apparmor profile: apparmor "
        "failed to apply profile: write /proc/self/attr/apparmor/exec: no such file or directory: unknown"
    ),
    "no apparmor_parser": (
        "AppArmor enabled on system but the docker-default profile could not be loaded: running "
        'apparmor_parser failed with output: exec: "apparmor_parser": executable file not found in $PATH'
    ),
    "a cgroup that can't be made": (
        f"{RUNC}container process: unable to apply cgroup configuration: mkdir "
        "/sys/fs/cgroup/cpuset/docker/1: permission denied: unknown"
    ),
    "a hook": (
        f"{RUNC}container process: error during container init: error running hook #0: fork/exec "
        "/usr/bin/nvidia-container-runtime-hook: no such file or directory: unknown"
    ),
    "a volume whose folder was removed": (
        'error evaluating symlinks from mount source "/var/lib/docker/volumes/v/_data": lstat '
        "/var/lib/docker/volumes/v/_data: no such file or directory"
    ),
    "a text never seen before": "the moon is full",
}


@pytest.mark.parametrize("said", OF_THE_TENANT.values(), ids=OF_THE_TENANT)
def test_start_is_hopeless_if_the_runtime_names_what_is_in_the_image(said: str) -> None:
    failure = explain_start_failure(said)
    assert (type(failure), failure.code) == (Terminal, "CannotStart")
    assert failure.message == f"the engine can't start the container: {said}"


@pytest.mark.parametrize("said", OF_THE_ENGINE.values(), ids=OF_THE_ENGINE)
def test_start_is_tried_again_if_the_engine_itself_is_broken(said: str) -> None:
    failure = explain_start_failure(said)
    assert (type(failure), failure.code) == (Retryable, "EngineError")
    assert failure.message == f"the engine can't start the container: {said}"
    assert failure.fix.startswith("repair the engine")


def test_an_address_that_the_host_does_not_have_is_hopeless() -> None:
    bind = "Error starting userland proxy: listen tcp4 192.0.2.1:32777: bind: cannot assign requested address"
    failure = explain_start_failure(f"{ENDPOINT}{bind}")
    assert (type(failure), failure.code) == (Terminal, "InvalidSpec")


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
