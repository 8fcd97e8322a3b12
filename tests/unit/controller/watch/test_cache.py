"""What the cache remembers, and who owns a tenantID."""

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from landlord.api.names import ANNOTATION_RETRY
from landlord.api.tenant import Key
from landlord.controller.watch.cache import Cache


def body(
    name: str, *, uid: str = "", version: int = 1, created: str = "2026-01-01T00:00:00Z", **spec: Any
) -> Any:
    metadata = {
        "name": name,
        "namespace": "ns",
        "uid": uid or f"uid-{name}",
        "resourceVersion": str(version),
        "generation": 1,
        "creationTimestamp": created,
        "managedFields": [{"manager": "kubectl"}],
    }
    workload = {"containers": [{"name": "app", "image": "app:1"}]}
    return {"metadata": metadata, "spec": {"workload": workload} | spec, "status": {"phase": "Ready"}}


def put(cache: Cache, tenant: Any) -> Key:
    cache.put(tenant)
    return Key("ns", tenant["metadata"]["name"])


def test_an_older_version_does_not_replace_a_newer_one() -> None:
    cache = Cache()
    cache.put(body("a", version=10, displayName="new"))
    key = put(cache, body("a", version=9, displayName="old"))
    tenant = cache.get(key)
    assert tenant is not None
    assert tenant.spec is not None
    assert tenant.spec.display_name == "new"


def test_a_namesake_that_was_created_later_replaces_the_one_before() -> None:
    """Also if its version is lower, as after a restored backup."""
    for version in (9, 11):
        cache = Cache()
        cache.put(body("a", uid="1", version=10))
        cache.put(body("a", uid="2", version=version, created="2026-01-02T00:00:00Z"))
        assert cache.map_versions()["2"].key == Key("ns", "a")


@given(st.permutations(["changed", "deleted", "created"]))
def test_of_two_namesakes_the_later_one_is_known_whatever_order_their_news_come_in(news: list[str]) -> None:
    """Deleted and created again within a second; the order of each one's own news is kept."""
    assume(news.index("changed") < news.index("deleted"))
    cache, key = Cache(), Key("ns", "a")
    cache.put(body("a", uid="1", version=1))
    for each in news:
        match each:
            case "changed":
                cache.put(body("a", uid="1", version=2))
            case "deleted":
                cache.drop(key, "1")
            case "created":
                cache.put(body("a", uid="2", version=4))
    assert {uid: known.key for uid, known in cache.map_versions().items()} == {"2": key}


def test_the_heir_of_a_tenant_id_is_named_when_a_namesake_replaces_its_owner() -> None:
    cache = Cache()
    cache.put(body("a", uid="1", tenantID="acme"))
    cache.put(body("b", created="2026-01-02T00:00:00Z", tenantID="acme"))
    assert cache.put(body("a", uid="2", version=4, tenantID="other")) == [Key("ns", "b")]
    assert cache.find_owner(Key("ns", "b")) is None


def test_a_tenant_that_went_while_it_was_worked_on_owns_and_owes_nothing() -> None:
    assert Cache().find_owner(Key("ns", "gone")) is None


def test_the_older_of_two_tenants_owns_their_tenant_id_whichever_is_seen_first() -> None:
    older = body("a", created="2026-01-01T00:00:00Z", tenantID="acme")
    younger = body("b", created="2026-01-02T00:00:00Z", tenantID="acme")
    for order in ([older, younger], [younger, older]):
        cache = Cache()
        for each in order:
            cache.put(each)
        assert cache.find_owner(Key("ns", "a")) is None
        assert cache.find_owner(Key("ns", "b")) == Key("ns", "a")


def test_the_heir_of_a_tenant_id_is_named_when_its_owner_goes() -> None:
    cache = Cache()
    cache.put(body("a", tenantID="acme"))
    cache.put(body("b", created="2026-01-02T00:00:00Z", tenantID="acme"))
    assert cache.drop(Key("ns", "a"), "uid-a") == [Key("ns", "b")]
    assert cache.find_owner(Key("ns", "b")) is None


def test_of_two_tenants_of_one_second_the_one_that_work_was_started_for_keeps_their_tenant_id() -> None:
    cache = Cache()
    first = put(cache, body("a", uid="2", tenantID="acme"))
    cache.claim(first)
    second = put(cache, body("b", uid="1", tenantID="acme"))
    cache.put(body("a", uid="2", version=2, tenantID="acme"))
    assert cache.find_owner(first) is None
    assert cache.find_owner(second) == first


def test_work_that_an_earlier_process_started_counts_as_well() -> None:
    cache = Cache()
    second = put(cache, body("b", uid="1", tenantID="acme"))
    started = body("a", uid="2", tenantID="acme")
    started["status"]["workflow"] = {"subState": "Running"}
    first = put(cache, started)
    assert cache.find_owner(first) is None
    assert cache.find_owner(second) == first


def test_the_answer_to_a_write_is_newer_than_what_was_watched() -> None:
    cache = Cache()
    key = put(cache, body("a", version=1))
    cache.refresh(body("a", version=2, displayName="new"))
    cache.put(body("a", version=1, displayName="old"))
    tenant = cache.get(key)
    assert tenant is not None
    assert tenant.spec is not None
    assert tenant.spec.display_name == "new"


def test_the_answer_to_a_write_does_not_bring_back_what_is_gone() -> None:
    cache = Cache()
    key = put(cache, body("a", uid="1"))
    cache.drop(key, "1")
    cache.refresh(body("a", uid="1", version=2))
    assert cache.get(key) is None
    namesake = put(cache, body("a", uid="2", version=3))
    cache.refresh(body("a", uid="1", version=2))
    assert cache.find_owner(namesake) is None
    assert {uid: known.key for uid, known in cache.map_versions().items()} == {"2": namesake}


def test_a_name_counts_as_tenant_id_where_none_is_given() -> None:
    cache = Cache()
    cache.put(body("acme"))
    cache.put(body("b", created="2026-01-02T00:00:00Z", tenantID="acme"))
    assert cache.find_owner(Key("ns", "b")) == Key("ns", "acme")


def test_the_census_counts_by_phase_and_provider() -> None:
    cache = Cache()
    cache.put(body("a"))
    cache.put(body("b"))
    assert cache.count_tenants() == {("Ready", ""): 2}


def with_ready(tenant: Any, phase: str, status: str, since: str) -> Any:
    ready = {"type": "Ready", "status": status, "reason": "R", "message": "m", "lastTransitionTime": since}
    return tenant | {"status": {"phase": phase, "conditions": [ready]}}


def test_of_each_phase_the_tenant_counts_that_has_not_been_ready_for_the_longest() -> None:
    cache = Cache()
    cache.put(with_ready(body("old"), "Failed", "False", "2026-01-02T00:00:00Z"))
    cache.put(with_ready(body("young"), "Failed", "False", "2026-01-03T00:00:00Z"))
    cache.put(with_ready(body("runs"), "Ready", "True", "2026-01-01T00:00:00Z"))
    cache.put(with_ready(body("unknown"), "Pending", "Unknown", "2026-01-05T00:00:00Z"))
    cache.put(body("new", created="2026-01-04T00:00:00Z") | {"status": None})
    assert {phase: str(since.date()) for phase, since in cache.find_unready_since().items()} == {
        "Failed": "2026-01-02",
        "Pending": "2026-01-04",
    }


def test_of_the_annotations_only_the_request_to_retry_is_kept() -> None:
    cache, tenant = Cache(), body("a")
    tenant["metadata"]["annotations"] = {ANNOTATION_RETRY: "2026-01-01T12:00:00Z", "big": "x" * 10_000}
    cached = cache.get(put(cache, tenant))
    assert cached is not None
    assert cached.metadata.annotations == {ANNOTATION_RETRY: "2026-01-01T12:00:00Z"}
