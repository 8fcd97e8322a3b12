import pytest
import restate
from restate.endpoint import Endpoint

from landlord.api.request import Request
from landlord.backends.memory import MemoryBackend
from landlord.worker import revision
from landlord.worker.revision import revision_of
from landlord.worker.service import build_provisioning_object

BACKENDS = {"memory": MemoryBackend()}


def endpoint(*more: restate.Service) -> Endpoint:
    bound: Endpoint = Endpoint().bind(build_provisioning_object(BACKENDS), *more)  # type: ignore[no-untyped-call]
    return bound


def test_revision_is_the_same_for_the_same_worker() -> None:
    assert revision_of(endpoint(), BACKENDS) == revision_of(endpoint(), BACKENDS)


def test_revision_differs_with_the_backends() -> None:
    assert revision_of(endpoint(), ["memory"]) != revision_of(endpoint(), ["memory", "docker"])


def test_order_of_the_backends_does_not_matter() -> None:
    assert revision_of(endpoint(), ["memory", "docker"]) == revision_of(endpoint(), ["docker", "memory"])


def test_revision_differs_with_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = revision_of(endpoint(), BACKENDS)
    monkeypatch.setattr(revision, "__version__", "0.0.0")
    assert revision_of(endpoint(), BACKENDS) != before


def test_revision_differs_with_a_service_or_the_type_of_a_request() -> None:
    def with_survey(annotation: type) -> Endpoint:
        survey = restate.Service("Survey")

        async def look(ctx: restate.Context, asked: object) -> None:
            return None

        look.__annotations__["asked"] = annotation
        survey.handler()(look)
        return endpoint(survey)

    revisions = {revision_of(each, BACKENDS) for each in (endpoint(), with_survey(str), with_survey(Request))}
    assert len(revisions) == 3
