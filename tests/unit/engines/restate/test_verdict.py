"""What is concluded from what Restate and the worker say: every row of the table, and what never happens."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landlord.engines.restate.refusals import Refusal
from landlord.engines.restate.seen import Deployment, EngineAnswer, EngineAway, Snapshot, Worker, WorkerAway
from landlord.engines.restate.verdict import (
    PERMANENT_RETRY_SECONDS,
    LossCause,
    Memory,
    RefusedAttempt,
    Target,
    decide,
    is_new_loss,
    remember_takeover,
)

URL = "http://worker:9080"
TARGET = Target("TenantProvisioning", "http://restate:9070", URL)
OBSERVED = replace(TARGET, policy="observe")
WORKER = Worker(revision="one", backends=frozenset({"memory"}))
CHANGED_WORKER = Worker(revision="two", backends=frozenset({"memory"}))
AWAY = WorkerAway("the worker at http://worker:9080 can't be reached: connection refused")
INGRESS_AWAY = EngineAway("Restate's ingress at http://restate:8080 can't be reached: connection refused")
ENGINE_AWAY = EngineAway("Restate's admin API at http://restate:9070 can't be reached: connection refused")

OURS = Deployment("dp_1", f"{URL}/", "one")
OURS_BUT_OLD = Deployment("dp_1", f"{URL}/", "zero")
OURS_WITHOUT_REVISION = Deployment("dp_1", f"{URL}/")
OTHERS = Deployment("dp_2", "http://other:9080/", "one")
OURS_IN_A_NEW_STORE = Deployment("dp_3", f"{URL}/", "one")

NEW = Memory()
VERIFIED = Memory(verified=OURS)
RESTARTED = Memory(verified=OURS, engine_restarted=True)


@pytest.mark.parametrize(
    ("engine", "worker", "memory", "status", "reason", "registers", "loss"),
    [
        pytest.param(OURS, WORKER, NEW, "True", "Registered", False, None, id="match at start"),
        pytest.param(OURS, WORKER, VERIFIED, "True", "Registered", False, None, id="match"),
        pytest.param(
            OURS_IN_A_NEW_STORE,
            WORKER,
            RESTARTED,
            "True",
            "Registered",
            False,
            None,
            id="repaired by another",
        ),
        pytest.param(None, WORKER, NEW, "False", "NotRegistered", True, None, id="first start"),
        pytest.param(
            None, WORKER, RESTARTED, "False", "RegistrationLost", True, "store_lost", id="lost store"
        ),
        pytest.param(
            None,
            WORKER,
            VERIFIED,
            "False",
            "RegistrationLost",
            True,
            "deployment_deleted",
            id="removed by hand",
        ),
        pytest.param(OTHERS, WORKER, VERIFIED, "False", "Superseded", True, "superseded", id="other URI"),
        pytest.param(OTHERS, WORKER, NEW, "False", "Superseded", True, None, id="other URI at start"),
        pytest.param(
            OURS_BUT_OLD,
            WORKER,
            VERIFIED,
            "False",
            "Superseded",
            True,
            "superseded",
            id="registered by others",
        ),
        pytest.param(OURS, CHANGED_WORKER, VERIFIED, "False", "Superseded", True, None, id="changed worker"),
        pytest.param(
            OURS_WITHOUT_REVISION, WORKER, NEW, "False", "Superseded", True, None, id="registered by hand"
        ),
        pytest.param(OURS, AWAY, VERIFIED, "False", "WorkerUnreachable", False, None, id="worker away"),
        pytest.param(None, AWAY, NEW, "False", "WorkerUnreachable", False, None, id="worker away at start"),
        pytest.param(
            None, AWAY, RESTARTED, "False", "WorkerUnreachable", False, "store_lost", id="all lost and away"
        ),
        pytest.param(ENGINE_AWAY, WORKER, NEW, "Unknown", "EngineUnreachable", False, None, id="engine away"),
        pytest.param(
            ENGINE_AWAY, WORKER, RESTARTED, "Unknown", "EngineUnreachable", False, None, id="engine went away"
        ),
        pytest.param(ENGINE_AWAY, AWAY, VERIFIED, "Unknown", "EngineUnreachable", False, None, id="all away"),
    ],
)
def test_the_table(
    engine: EngineAnswer,
    worker: Worker | WorkerAway,
    memory: Memory,
    status: str,
    reason: str,
    registers: bool,
    loss: LossCause | None,
) -> None:
    verdict = decide(TARGET, Snapshot(engine, worker), memory, 0.0)
    registration = verdict.registration
    assert (registration.status, registration.reason) == (status, reason)
    assert (verdict.register, verdict.loss) == (registers, loss)


def refused(retry: str, *, reason: str = "RegistrationRejected") -> RefusedAttempt:
    refusal = Refusal(reason, retry, "Restate says no; change it")  # type: ignore[arg-type]
    return RefusedAttempt(refusal=refusal, revision=WORKER.revision, deployment_id=None, at=1000.0)


@pytest.mark.parametrize(
    ("retry", "engine", "worker", "seconds_later", "registers", "reason"),
    [
        pytest.param("soon", None, WORKER, 0.1, True, "RegistrationRejected", id="transient: at every check"),
        pytest.param(
            "now_and_then", None, WORKER, 29, False, "RegistrationRejected", id="not seen to be put right"
        ),
        pytest.param("now_and_then", None, WORKER, 30, True, "RegistrationRejected", id="now and then"),
        pytest.param("on_change", None, WORKER, 60, False, "RegistrationRejected", id="hopeless: not again"),
        pytest.param(
            "on_change",
            None,
            WORKER,
            PERMANENT_RETRY_SECONDS,
            True,
            "RegistrationRejected",
            id="hopeless: slowly",
        ),
        pytest.param(
            "on_change", None, CHANGED_WORKER, 0.1, True, "NotRegistered", id="worker changed: at once"
        ),
        pytest.param("on_change", OTHERS, WORKER, 0.1, True, "Superseded", id="Restate changed: at once"),
        pytest.param("on_change", OURS, WORKER, 0.1, False, "Registered", id="registered by somebody else"),
    ],
)
def test_after_a_refusal(
    retry: str, engine: EngineAnswer, worker: Worker, seconds_later: float, registers: bool, reason: str
) -> None:
    memory = Memory(refused=refused(retry))
    verdict = decide(TARGET, Snapshot(engine, worker), memory, 1000.0 + seconds_later)
    assert (verdict.register, verdict.registration.reason) == (registers, reason)


@pytest.mark.parametrize(
    ("engine", "registers", "hopeless"),
    [
        pytest.param(None, True, False, id="not registered at all"),
        pytest.param(OURS_BUT_OLD, True, False, id="our worker has changed"),
        pytest.param(OTHERS, False, True, id="somebody registered another worker"),
    ],
)
def test_observing_takes_nothing_back_from_others(
    engine: EngineAnswer, registers: bool, hopeless: bool
) -> None:
    verdict = decide(OBSERVED, Snapshot(engine, WORKER), VERIFIED, 0.0)
    assert (verdict.register, verdict.registration.hopeless) == (registers, hopeless)
    if hopeless:
        assert (
            "run `landlord registration --register` to take the workflow back" in verdict.registration.message
        )


@pytest.mark.parametrize(
    ("engine", "reason", "registers"),
    [
        pytest.param(OURS, "EngineUnreachable", False, id="registered"),
        pytest.param(None, "RegistrationLost", True, id="lost"),
        pytest.param(ENGINE_AWAY, "EngineUnreachable", False, id="the admin API is away as well"),
    ],
)
def test_an_ingress_that_is_away_is_no_loss_and_keeps_nobody_from_registering(
    engine: EngineAnswer, reason: str, registers: bool
) -> None:
    verdict = decide(TARGET, Snapshot(engine, WORKER, INGRESS_AWAY), VERIFIED, 0.0)
    assert (verdict.registration.reason, verdict.register) == (reason, registers)
    if engine == OURS:
        assert verdict.registration.message == INGRESS_AWAY.message
        assert (verdict.loss, verdict.verified) == (None, OURS)


def registrations(found: Deployment, seconds: int) -> tuple[list[float], str]:
    """When the worker is registered if Restate has that each time it is asked, and what is said at last."""
    memory, message, registered = VERIFIED, "", list[float]()
    for now in map(float, range(seconds)):
        verdict = decide(TARGET, Snapshot(found, WORKER), memory, now)
        assert verdict.registration.reason == "Superseded"
        message = verdict.registration.message
        if verdict.register:
            registered.append(now)
            memory = remember_takeover(found, URL, memory, now)
    return registered, message


def test_what_is_taken_away_again_and_again_is_taken_back_more_and_more_rarely() -> None:
    takes, message = registrations(OTHERS, 3600)
    assert takes[:5] == [0.0, 1.0, 2.0, 7.0, 17.0]
    assert 15 < len(takes) < 30
    assert "or set LANDLORD_REGISTRATION_POLICY=observe" in message


def test_a_revision_that_is_never_the_one_that_was_registered_is_registered_more_and_more_rarely() -> None:
    """Replicas of two revisions answer at one URL, one of them us and another one Restate."""
    attempts, message = registrations(OURS_BUT_OLD, 600)
    assert attempts[:6] == [0.0, 1.0, 2.0, 7.0, 17.0, 37.0]
    assert {later - before for before, later in pairwise(attempts[5:])} == {30.0}
    assert "run only one revision of the worker" in message


@pytest.mark.parametrize(
    ("known", "seen", "new"),
    [
        (None, None, False),
        ("store_lost", None, False),
        (None, "store_lost", True),
        (None, "superseded", True),
        ("superseded", "superseded", False),
        ("store_lost", "store_lost", False),
        ("deployment_deleted", "store_lost", False),
        ("store_lost", "deployment_deleted", False),
        ("superseded", "deployment_deleted", False),
        ("superseded", "store_lost", True),
        ("store_lost", "superseded", True),
        ("deployment_deleted", "superseded", True),
    ],
)
def test_a_loss_before_the_last_one_is_repaired_counts_where_something_else_has_happened(
    known: LossCause | None, seen: LossCause | None, new: bool
) -> None:
    assert is_new_loss(known, seen) == new


def test_a_refusal_that_says_nothing_of_the_registration_leaves_it_unknown() -> None:
    memory = Memory(refused=refused("soon", reason="EngineUnreachable"))
    assert decide(TARGET, Snapshot(None, WORKER), memory, 1001.0).registration.status == "Unknown"


engines = st.sampled_from([None, OURS, OURS_BUT_OLD, OTHERS, OURS_WITHOUT_REVISION, ENGINE_AWAY])
workers = st.sampled_from([WORKER, CHANGED_WORKER, AWAY])
memories = st.builds(
    Memory,
    verified=st.sampled_from([None, OURS, OURS_BUT_OLD]),
    engine_restarted=st.booleans(),
    refused=st.sampled_from([None, refused("on_change"), refused("soon")]),
)


@given(engines, workers, memories, st.floats(0, 1e6))
def test_true_is_said_only_of_our_worker_at_its_revision(
    engine: EngineAnswer, worker: Worker | WorkerAway, memory: Memory, now: float
) -> None:
    verdict = decide(TARGET, Snapshot(engine, worker), memory, now)
    current = engine == OURS and worker == WORKER
    assert verdict.registration.ready == current
    assert not (verdict.register and verdict.registration.ready)


@given(engines, workers, memories, st.floats(0, 1e6))
def test_nothing_is_registered_or_lost_while_restate_says_nothing(
    engine: EngineAnswer, worker: Worker | WorkerAway, memory: Memory, now: float
) -> None:
    verdict = decide(TARGET, Snapshot(engine, worker), memory, now)
    if isinstance(engine, EngineAway):
        assert not verdict.register
        assert verdict.loss is None
    if isinstance(worker, WorkerAway):
        assert not verdict.register


@given(engines, workers, memories, st.floats(0, 1e6))
def test_messages_do_not_change_with_time_or_ids(
    engine: EngineAnswer, worker: Worker | WorkerAway, memory: Memory, now: float
) -> None:
    first = decide(TARGET, Snapshot(engine, worker), memory, 0.0).registration
    later = decide(TARGET, Snapshot(engine, worker), memory, now).registration
    assert replace(first, deployment_id=None) == replace(later, deployment_id=None)
    assert first.message
    assert "dp_" not in first.message
