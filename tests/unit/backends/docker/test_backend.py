from tests.unit.backends.docker.desires import desired

from landlord.api.compute import Volume
from landlord.backends.docker.backend import DockerBackend


def test_steps_are_those_that_the_desired_state_needs() -> None:
    plain, with_data = desired(), desired(volumes=(Volume(name="data", mount_path="/data"),))
    assert [step.name for step in DockerBackend().apply(plain)] == ["image", "network", "container", "ready"]
    assert [step.name for step in DockerBackend().apply(with_data)] == [
        "image",
        "network",
        "volumes",
        "container",
        "ready",
    ]
