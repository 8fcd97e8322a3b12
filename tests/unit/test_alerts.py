"""What belongs to an alert: words for a person, a runbook entry, a test, and metrics that exist."""

import re
from typing import Any, get_args

import pytest
import yaml
from prometheus_client import REGISTRY

from dev.paths import CHECKOUT
from landlord import metrics
from landlord.engines.contract import ENGINE_STUCK
from landlord.engines.restate.refusals import Reason
from landlord.engines.restate.verdict import LossCause

MONITORING = CHECKOUT / "manifests" / "monitoring"
Rule = dict[str, Any]


def rules() -> list[Rule]:
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def headings() -> list[str]:
    return re.findall(r"^## (.*)$", (CHECKOUT / "docs" / "runbook.md").read_text(), re.MULTILINE)


each_rule = pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))


@each_rule
def test_an_alert_says_how_bad_it_is_what_it_is_and_where_to_read_on(rule: Rule) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"


def test_every_alert_has_an_entry_in_the_runbook_in_the_same_order_and_there_is_no_other() -> None:
    assert headings() == [rule["alert"] for rule in rules()]


@pytest.mark.parametrize("part", ["Means", "Users see", "Look", "Cure", "Goes away by itself"])
def test_every_entry_says_the_same_things(part: str) -> None:
    entries = re.split(r"^## ", (CHECKOUT / "docs" / "runbook.md").read_text(), flags=re.MULTILINE)[1:]

    assert [entry.split()[0] for entry in entries if f"**{part}" not in entry] == []


@each_rule
def test_an_alert_is_tested_to_fire_with_its_words_and_to_be_silent(rule: Rule) -> None:
    cases = [
        case["exp_alerts"]
        for test in yaml.safe_load((MONITORING / "alerts_test.yaml").read_text())["tests"]
        for case in test.get("alert_rule_test", ())
        if case["alertname"] == rule["alert"]
    ]

    assert any(alert["exp_annotations"] for fired in cases for alert in fired)
    assert [] in cases


@each_rule
def test_an_alert_asks_for_metrics_and_label_values_that_exist(rule: Rule) -> None:
    exported = {
        name
        for metric in (*REGISTRY.collect(), *metrics.LEADER.collect())
        for name in (metric.name, *(sample.name for sample in metric.samples))
    }
    named = set(re.findall(r"landlord_[a-z_]+", rule["expr"]))
    assert named
    assert named <= exported
    assert set(re.findall(r'reason="(\w+)"', rule["expr"])) <= {*get_args(Reason), ENGINE_STUCK}
    assert set(re.findall(r'cause="(\w+)"', rule["expr"])) <= set(get_args(LossCause))
