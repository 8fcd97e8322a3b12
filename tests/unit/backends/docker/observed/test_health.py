from typing import Any

import pytest

from landlord.backends.docker.observed import health


def inspected(*, restarts: int = 0, memory: int = 0, **state: Any) -> dict[str, Any]:
    stopped = {"Running": False, "Restarting": False, "OOMKilled": False, "ExitCode": 3}
    return {
        "Name": "/landlord-acme",
        "RestartCount": restarts,
        "HostConfig": {"Memory": memory},
        "State": stopped | state,
    }


@pytest.mark.parametrize(
    ("state", "ended"),
    [
        ({"Running": True}, False),
        ({"Running": True, "Restarting": True}, True),
        ({"Running": False}, True),
    ],
)
def test_container_that_waits_for_its_restart_has_ended(state: dict[str, bool], ended: bool) -> None:
    assert health.has_ended(inspected(**state)) == ended


@pytest.mark.parametrize(
    ("container", "said", "code", "gist"),
    [
        pytest.param(
            inspected(),
            "no licence",
            "ContainerExited",
            "the container exited with code 3: no licence",
            id="exited",
        ),
        pytest.param(
            inspected(ExitCode=0),
            "",
            "ContainerExited",
            "the container exited with code 0 and logged nothing",
            id="silent",
        ),
        pytest.param(
            inspected(restarts=4, Running=True, Restarting=True),
            "no licence",
            "CrashLooping",
            "the container exited with code 3 (restarted 4 times): no licence",
            id="looping",
        ),
        pytest.param(
            inspected(OOMKilled=True, ExitCode=137, memory=64 * 2**20),
            "",
            "OutOfMemory",
            "the container was killed because it ran out of memory (limit: 64 MiB)",
            id="out-of-memory",
        ),
    ],
)
def test_end_is_told_with_code_and_last_words(
    container: dict[str, Any], said: str, code: str, gist: str
) -> None:
    failure = health.explain_end(container, said)
    assert (failure.code, failure.message) == (code, gist)
    assert failure.fix
