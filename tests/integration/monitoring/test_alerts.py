"""The alert rules, as Prometheus reads and evaluates them."""

from tests.support.promtool import promtool

from dev.paths import CHECKOUT

MONITORING = CHECKOUT / "manifests" / "monitoring"


def test_prometheus_accepts_the_rules() -> None:
    checked = promtool("check", "rules", "--lint=all", "--lint-fatal", MONITORING / "alerts.yaml")

    assert checked.passed, checked.said


def test_each_alert_fires_when_it_should_and_else_is_silent() -> None:
    checked = promtool("test", "rules", "--diff", MONITORING / "alerts_test.yaml")

    assert checked.passed, checked.said
