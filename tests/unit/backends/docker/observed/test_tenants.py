import json
from collections.abc import Iterator
from typing import Any

import pytest

from landlord.api import names
from landlord.api.workload import Probe, TcpSocket
from landlord.backends.contract import Observation
from landlord.backends.docker import ownership
from landlord.backends.docker.observed import tenants

INSPECTED: dict[str, Any] = {
    "Id": "c1",
    "Config": {"Labels": {names.LABEL_PROBE: Probe(tcp_socket=TcpSocket(port=80)).model_dump_json()}},
    "State": {"Status": "running"},
    "HostConfig": {"RestartPolicy": {"Name": "unless-stopped"}, "Memory": 64},
    "NetworkSettings": {"Ports": {}, "Networks": {"landlord": {"IPAddress": "172.18.0.2"}}},
}


def listed(state: str, status: str = "", *, name: str = "", tenant_id: str = "acme", **more: Any) -> Any:
    """A line of the engine's list of containers."""
    labels = names.labels(tenant_id) | {names.LABEL_SPEC_HASH: "abc"}
    if policy := more.pop("policy", "unless-stopped"):
        labels[names.LABEL_HOST_CONFIG] = json.dumps({"RestartPolicy": {"Name": policy}, "Memory": 64})
    return {
        "Id": "c1",
        "Names": [f"/{name or ownership.name_container(tenant_id)}"],
        "State": state,
        "Status": status,
        "Labels": labels,
        "HostConfig": {"NetworkMode": "landlord"},
        "NetworkSettings": {"Networks": more.pop("networks", {"landlord": {}})},
    }


def volume(tenant_id: str) -> dict[str, Any]:
    return {"Name": f"landlord-{tenant_id}-data", "Labels": names.labels(tenant_id)}


def seen(container: Any) -> Observation:
    return tenants.build_observations([], [container], {}, {}, {})["acme"]


@pytest.mark.parametrize(
    ("container", "healthy", "reason"),
    [
        pytest.param(listed("running", "Up 3 seconds"), True, "is running", id="running"),
        pytest.param(listed("created"), False, "is created", id="half-made"),
        pytest.param(
            listed("restarting", "Restarting (1) 2 seconds ago"),
            False,
            "is restarting (exit code 1)",
            id="crash-looping",
        ),
        pytest.param(
            listed("exited", "Exited (0) 2 hours ago", policy="on-failure"),
            False,
            "is exited (exit code 0)",
            id="done",
        ),
        pytest.param(
            listed("exited", "Exited (3) 2 hours ago", policy="no"),
            False,
            "is exited (exit code 3)",
            id="never-restarted",
        ),
        pytest.param(
            listed("exited", "Exited (3) 2 hours ago", policy=None),
            False,
            "is exited (exit code 3)",
            id="unknown-policy",
        ),
    ],
)
def test_what_happens_by_itself_is_no_drift(container: Any, healthy: bool, reason: str) -> None:
    assert seen(container) == Observation(healthy, "abc", f"the container {reason}")


@pytest.mark.parametrize(
    ("container", "done"),
    [
        pytest.param(listed("exited", "Exited (137) 2 hours ago"), "it was stopped", id="stopped"),
        pytest.param(
            listed("exited", "Exited (137) 2 hours ago", policy="on-failure"), "it was stopped", id="killed"
        ),
        pytest.param(listed("paused", "Up 3 minutes (Paused)"), "it is paused", id="paused"),
        pytest.param(
            listed("running", "Up 3 minutes", networks={"theirs": {}}),
            "it is not on the network landlord",
            id="disconnected",
        ),
    ],
)
def test_what_somebody_did_is_drift(container: Any, done: str) -> None:
    told = f"container landlord-acme: {done}"
    assert seen(container) == Observation(False, "abc", told, drift=told)


@pytest.mark.parametrize(
    ("host", "done"),
    [
        ({"RestartPolicy": {"Name": "unless-stopped"}, "Memory": 64}, ""),
        (
            {"RestartPolicy": {"Name": "no"}, "Memory": 64},
            "HostConfig.RestartPolicy is no, should be unless-stopped",
        ),
        (
            {"RestartPolicy": {"Name": "unless-stopped"}, "Memory": 32},
            "HostConfig.Memory is 32, should be 64",
        ),
    ],
    ids=["as made", "restart policy", "limit"],
)
def test_what_somebody_changed_while_it_runs_is_drift_of_what_is_healthy(
    host: dict[str, Any], done: str
) -> None:
    container = listed("running", "Up 3 seconds")
    assert tenants.select_for_inspection([container]) == ["c1"]
    found = tenants.build_observations([], [container], {"c1": {"HostConfig": host}}, {}, {})["acme"]
    assert found.healthy
    assert found.drift == (f"container landlord-acme: {done}" if done else "")


def test_who_runs_and_fails_its_probe_is_unhealthy_without_anybody_having_changed_it() -> None:
    problems = {"c1": "GET / on port 8080: answered 503 Service Unavailable"}
    reason = f"the container is running, and its probe fails: {problems['c1']}"
    seen = tenants.build_observations([], [listed("running", "Up 3 seconds")], {}, problems, {})["acme"]
    assert seen == Observation(False, "abc", reason)


def test_probes_are_asked_of_what_runs_and_has_one() -> None:
    probe = Probe(tcp_socket=TcpSocket(port=80), timeout_seconds=5)
    recorded = {names.LABEL_PROBE: probe.model_dump_json(exclude_defaults=True)}

    def inspected(state: str, labels: dict[str, str]) -> Any:
        return {"State": {"Status": state}, "Config": {"Labels": labels}}

    runs = inspected("running", recorded)
    others = {"c2": inspected("paused", recorded), "c3": inspected("running", {})}
    assert tenants.select_probed({"c1": runs} | others) == ({"c1": (probe, runs)}, {})


def test_a_suspended_container_is_looked_at_in_the_list_alone() -> None:
    assert (
        tenants.select_for_inspection([listed("exited", name=ownership.name_suspended_container("acme"))])
        == []
    )


@pytest.mark.parametrize(
    ("state", "healthy", "drift"),
    [
        ("exited", True, ""),
        ("created", True, ""),
        ("running", False, "container landlord-acme.suspended: it was started"),
        ("paused", False, "container landlord-acme.suspended: it was started"),
        ("restarting", False, "container landlord-acme.suspended: it was started"),
    ],
)
def test_suspended_container_has_to_stand_still(state: str, healthy: bool, drift: str) -> None:
    container = listed(state, name=ownership.name_suspended_container("acme"), networks={})
    reason = f"the container is suspended and {state}"
    assert seen(container) == Observation(healthy, "abc", reason, "Suspended", drift)


def test_words_stay_the_same_while_time_goes_by() -> None:
    assert seen(listed("running", "Up 3 seconds")) == seen(listed("running", "Up 2 days"))
    assert seen(listed("exited", "Exited (1) 1 hour ago")) == seen(listed("exited", "Exited (1) 2 hours ago"))


def test_tenant_with_volumes_alone_is_archived() -> None:
    told = tenants.build_observations([volume("acme"), volume("globex")], [listed("running")], {}, {}, {})
    assert (told["acme"].state, told["globex"].state) == ("Active", "Archived")
    assert told["globex"].healthy


def test_tenant_that_is_there_twice_is_the_one_that_runs() -> None:
    containers = [listed("running"), listed("exited", name=ownership.name_suspended_container("acme"))]
    for order in (containers, containers[::-1]):
        assert tenants.build_observations([], order, {}, {}, {})["acme"].state == "Active"


def test_what_carries_another_name_or_no_tenant_is_left_out() -> None:
    nobody = listed("running") | {"Labels": {}}
    assert (
        tenants.build_observations([{"Labels": {}}], [listed("running", name="copy"), nobody], {}, {}, {})
        == {}
    )


def spoilt(value: Any) -> Iterator[tuple[str, Any]]:
    """Copies of an answer of the engine, in each of which one key is missing, null or something else."""
    if isinstance(value, dict):
        for key, child in value.items():
            rest = {name: each for name, each in value.items() if name != key}
            yield f"no {key}", rest
            yield f"{key} is null", rest | {key: None}
            yield f"{key} is empty", rest | {key: {}}
            yield from ((f"{key}.{what}", rest | {key: copy}) for what, copy in spoilt(child))


LISTED = listed("running", "Up 3 seconds")


@pytest.mark.parametrize(
    ("line", "inspected"),
    [
        *(pytest.param(line, INSPECTED, id=f"list: {what}") for what, line in spoilt(LISTED)),
        *(pytest.param(LISTED, found, id=f"inspection: {what}") for what, found in spoilt(INSPECTED)),
    ],
)
async def test_a_container_that_cant_be_read_costs_no_more_than_the_answer_for_its_tenant(
    line: Any, inspected: Any
) -> None:
    other = listed("running", "Up 3 seconds", tenant_id="globex") | {"Id": "c2"}
    lines = [line, other]
    described = {"c1": inspected, "c2": INSPECTED}
    assert "c2" in tenants.select_for_inspection(lines)
    probed, unreadable = tenants.select_probed(described)
    assert "c2" in probed
    tenants.read_secret_records(lines)
    told = tenants.build_observations([], lines, described, {}, unreadable)
    assert told["globex"] == Observation(True, "abc", "the container is running")


@pytest.mark.parametrize("key", ["HostConfig", "Status", "NetworkSettings"])
def test_a_list_without_what_podman_leaves_out_says_as_much(key: str) -> None:
    assert seen({name: each for name, each in LISTED.items() if name != key}).healthy


@pytest.mark.parametrize(
    ("line", "inspected", "reason"),
    [
        (LISTED | {"State": None}, INSPECTED, "can't be read"),
        ({**LISTED, "Names": None}, INSPECTED, "can't be read"),
        (LISTED, INSPECTED | {"State": {}}, "can't be read: 'Status' is missing"),
        (LISTED, INSPECTED | {"HostConfig": None}, "can't be read"),
    ],
)
def test_a_container_that_cant_be_read_is_not_called_healthy(line: Any, inspected: Any, reason: str) -> None:
    described = {"c1": inspected}
    _, unreadable = tenants.select_probed(described)
    told = tenants.build_observations([volume("acme")], [line], described, {}, unreadable)["acme"]
    assert not told.healthy
    assert reason in told.reason
    assert (told.drift, told.state, told.spec_hash) == ("", "Active", "abc")
