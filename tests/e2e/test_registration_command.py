"""`landlord registration` tells a person how things are, and lets them make an attempt."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.polling import eventually
from tests.support.programs import Ended, run
from tests.support.session import Session
from tests.support.system import Landlord, System

from dev.net import free_ports, request
from dev.programs import Program, worker


@pytest.fixture(scope="module")
def system(new_landlord: Landlord) -> System:
    system = new_landlord(LANDLORD_REGISTRATION_POLICY="observe")
    system.start()
    return system


def asked(folder: Path, system: System, *args: str) -> Ended:
    """What the command prints for a person, with the settings of the operator."""
    ended = run(folder, "registration", system.operator.settings, *args)
    assert not ended.said, ended
    return ended


def found(folder: Path, system: System) -> dict[str, Any]:
    """What it finds, for a program."""
    facts: dict[str, Any] = json.loads(asked(folder, system, "-o", "json").printed)
    return facts


def others(system: System, session: Session) -> Program:
    """Another worker, registered by somebody else."""
    (port,) = free_ports(1)
    other = worker(session.folder("other"), mark=session.mark, port=port, settings=system.worker.settings)
    other.start()
    request(f"{system.restate.admin_url}/deployments", json_body=json.dumps({"uri": other.url}))
    return other


def test_all_is_well(system: System, tmp_path: Path) -> None:
    eventually(lambda: found(tmp_path, system)["well"])
    ended = asked(tmp_path, system)
    assert ended.code == 0
    assert ended.printed.startswith("TenantProvisioning: Registered\n")
    facts = found(tmp_path, system)
    assert facts["revisionSeen"] == facts["revisionWanted"]
    assert facts["deploymentUri"] == f"{system.worker.url}/"
    assert facts["deploymentID"].startswith("dp_")
    assert facts["backends"] == ["docker", "memory"]
    assert facts["engineVersion"]
    assert (facts["policy"], facts["attempt"]) == ("observe", None)
    word = facts["operatorSays"]
    assert (word["leading"], word["status"], word["doing"]) == (True, "True", "checks it every 5 to 10 s")
    assert word["lastVerified"]


def test_a_loss_and_its_repair_are_remembered(system: System, tmp_path: Path) -> None:
    system.restate.wipe()
    system.restate.start()
    eventually(lambda: "store_lost" in asked(tmp_path, system).printed)
    eventually(lambda: found(tmp_path, system)["well"])
    loss = found(tmp_path, system)["operatorSays"]["lastLoss"]
    assert loss["cause"] == "store_lost"
    assert 0 < loss["repairedAfterSeconds"] < 30
    assert "repaired after" in asked(tmp_path, system).printed


def test_what_is_away_is_named(system: System, tmp_path: Path) -> None:
    system.restate.stop()
    ended = asked(tmp_path, system)
    assert ended.code == 1
    assert f"PROBLEM: Restate's admin API at {system.restate.admin_url} can't be reached" in ended.printed
    assert f"PROBLEM: Restate's ingress at {system.restate.ingress_url} can't be reached" in ended.printed
    system.restate.start()

    system.worker.stop()
    ended = asked(tmp_path, system)
    assert ended.code == 1
    assert f"PROBLEM: the worker at {system.worker.url} can't be reached" in ended.printed
    system.worker.start()

    system.operator.stop()
    ended = asked(tmp_path, system)
    assert ended.code == 1
    assert ended.printed.startswith("TenantProvisioning: Registered\n")
    assert (
        f"PROBLEM: the operator at {system.operator.url}".replace("127.0.0.1", "localhost") in ended.printed
    )
    system.operator.start()


def test_another_worker_is_shown_and_taken_back_from_when_a_person_says_so(
    system: System, session: Session, tmp_path: Path
) -> None:
    eventually(lambda: found(tmp_path, system)["well"])
    other = others(system, session)
    eventually(lambda: found(tmp_path, system)["operatorSays"]["reason"] == "Superseded")
    ended = asked(tmp_path, system)
    assert ended.code == 1
    assert f"Restate runs TenantProvisioning on the worker at {other.url}/" in ended.printed
    assert "run `landlord registration --register` to take the workflow back" in ended.printed
    assert found(tmp_path, system)["operatorSays"]["doing"] == "leaves it to you"

    assert found(tmp_path, system)["deploymentUri"] == f"{other.url}/"
    assert asked(tmp_path, system, "--register").printed.startswith("TenantProvisioning: Registered\n")
    eventually(lambda: asked(tmp_path, system).code == 0)
    other.stop()


def test_an_attempt_that_can_t_succeed_says_why(system: System, tmp_path: Path) -> None:
    system.worker.stop()
    ended = asked(tmp_path, system, "--register")
    assert ended.code == 1
    assert "attempt        PROBLEM: not made: the worker at" in ended.printed
    assert "Fix: start the worker, or check LANDLORD_WORKER_URL." in ended.printed
    system.worker.start()


def test_a_setting_that_rules_it_out_is_told(tmp_path: Path) -> None:
    ended = run(tmp_path, "registration", {"LANDLORD_ENGINE": "local"})
    assert ended.code == 2
    assert "registers nothing" in ended.said
