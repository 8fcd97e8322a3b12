"""Settings: where they come from, and how wrong ones are refused."""

import pytest

from landlord.errors import SettingsError
from landlord.settings import OperatorSettings, WorkerSettings, load

WRONG = {
    "LANDLORD_RESTATE_ADMIN_URL": ("localhost:9070", "must be a URL such as http://localhost:9070"),
    "LANDLORD_RESTATE_INGRESS_URL": ("http://restate:80800", "must have a port from 0 to 65535, or no port"),
    "LANDLORD_WORKER_URL": ("ftp://worker", "must be a URL"),
    "LANDLORD_HTTP_BIND": ("8000", "must be an IP address and a port, such as 0.0.0.0:8000"),
    "LANDLORD_ENGINE": ("temporal", "'restate' or 'local'"),
    "LANDLORD_LEADER_ELECTION": ("maybe", "valid boolean"),
    "LANDLORD_RESTATE_NAMESPACE": ("Restate", "must be the name of a namespace, such as restate"),
    "LANDLORD_RESTATE_POD_SELECTOR": (
        "app=restate",
        "must be set if and only if LANDLORD_RESTATE_NAMESPACE is set",
    ),
    "LANDLORD_LOG_LEVEL": ("loud", "'debug', 'info', 'warning' or 'error'"),
}


@pytest.mark.parametrize("name", WRONG, ids=str)
def test_a_wrong_value_is_refused_by_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value, words = WRONG[name]
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load(OperatorSettings)
    assert name in str(refused.value)
    assert words in str(refused.value)


def test_all_wrong_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDLORD_ENGINE", "temporal")
    monkeypatch.setenv("LANDLORD_WORKER_URL", "worker")
    with pytest.raises(SettingsError, match=r"LANDLORD_ENGINE.*LANDLORD_WORKER_URL"):
        load(OperatorSettings)


def test_a_flag_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDLORD_DEFAULT_BACKEND", "docker")
    assert load(OperatorSettings, default_backend="memory").default_backend == "memory"
    assert load(OperatorSettings, default_backend=None).default_backend == "docker"


def test_lists_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDLORD_BACKENDS", "memory, docker")
    assert load(WorkerSettings).backends == ("memory", "docker")


def test_leader_election_is_on_in_a_cluster_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert not load(OperatorSettings).leader_election
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert load(OperatorSettings).leader_election


def test_a_namespace_of_restate_needs_a_selector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDLORD_RESTATE_NAMESPACE", "restate")
    with pytest.raises(SettingsError, match="LANDLORD_RESTATE_POD_SELECTOR: must be set"):
        load(OperatorSettings)


@pytest.mark.parametrize(("engine", "watches"), [("restate", True), ("local", False)])
def test_restate_s_pods_are_watched_where_restate_is_used(
    monkeypatch: pytest.MonkeyPatch, engine: str, watches: bool
) -> None:
    assert not load(OperatorSettings, engine=engine).watches_restate
    monkeypatch.setenv("LANDLORD_RESTATE_NAMESPACE", "restate")
    monkeypatch.setenv("LANDLORD_RESTATE_POD_SELECTOR", " app=restate ")
    settings = load(OperatorSettings, engine=engine)
    assert settings.watches_restate == watches
    assert settings.restate_pod_selector == "app=restate"


def test_what_was_removed_is_looked_for_every_20_seconds_if_nothing_is_set() -> None:
    assert load(OperatorSettings).survey_seconds == 20
