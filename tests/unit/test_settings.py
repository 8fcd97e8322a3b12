"""Settings: where they come from, and how wrong ones are refused."""

import pytest

from landlord.errors import SettingsError
from landlord.settings import OperatorSettings, WorkerSettings, load

WRONG = {
    "LANDLORD_RESTATE_ADMIN_URL": ("localhost:9070", "should be a URL such as http://localhost:9070"),
    "LANDLORD_WORKER_URL": ("ftp://worker", "should be a URL"),
    "LANDLORD_HTTP_BIND": ("8000", "should be an IP address and a port, such as 0.0.0.0:8000"),
    "LANDLORD_ENGINE": ("temporal", "'restate' or 'local'"),
    "LANDLORD_LEADER_ELECTION": ("maybe", "valid boolean"),
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
    with pytest.raises(SettingsError, match=r"LANDLORD_WORKER_URL.*LANDLORD_ENGINE"):
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
