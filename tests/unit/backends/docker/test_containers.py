from typing import Any

import pytest
from docker import APIClient
from docker.errors import APIError, NotFound

from landlord.backends.docker import containers


class Engine(APIClient):
    """Describes some containers, and fails for others."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers

    def inspect_container(self, container: Any) -> Any:
        answer = self.answers[container]
        if isinstance(answer, Exception):
            raise answer
        return answer


BROKEN = APIError("500", explanation="layer does not exist")


def test_a_container_that_the_engine_cant_describe_hides_no_other() -> None:
    engine = Engine({"c1": {"Id": "c1"}, "c2": BROKEN, "c3": NotFound("gone")})
    found, failed = containers.inspect_all(engine, ["c1", "c2", "c3"])
    assert found == {"c1": {"Id": "c1"}}
    assert failed == {"c2": "the engine can't describe the container: layer does not exist"}


def test_an_engine_that_can_describe_none_has_failed_itself() -> None:
    with pytest.raises(APIError):
        containers.inspect_all(Engine({"c1": BROKEN, "c2": BROKEN}), ["c1", "c2"])
