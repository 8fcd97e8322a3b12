"""What is worth an Event, and what is not: as Tenants and the registration really change."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.support.plans import HOPELESS, a_ready_tenant, decide, with_flight

from landlord.api.conditions import Verdict, merge
from landlord.api.outcome import ResourceRef
from landlord.api.status import TenantStatus, WorkflowStatus
from landlord.controller.decide.hold import Departure
from landlord.controller.decide.news import (
    News,
    describe_departure,
    describe_expiry,
    find_tenant_news,
)
from landlord.controller.decide.registration_news import RegistrationNews
from landlord.engines.contract import History, Loss, Registration

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def said(
    *verdicts: tuple[str, str, str], generation: int = 1, operation: str = "Create", attempt: int = 1
) -> TenantStatus:
    """A status with these conditions as (type, status, reason), each with its reason as the message."""
    workflow = WorkflowStatus.model_validate(
        {"operation": operation, "generation": generation, "attempt": attempt, "subState": "Running"}
    )
    told = [Verdict(kind, status, reason, reason) for kind, status, reason in verdicts]  # type: ignore[arg-type]
    return TenantStatus(workflow=workflow, conditions=merge((), told, generation, NOW))


NEW = TenantStatus()
READY = said(("Ready", "True", "Provisioned"), ("Provisioned", "True", "Succeeded"))
PROVISIONING = said(("Ready", "False", "Provisioning"), ("Provisioned", "False", "InProgress"))
BACKING_OFF = said(("Ready", "False", "Provisioning"), ("Provisioned", "False", "BackingOff"))
PAUSED = said(
    ("Ready", "False", "Provisioning"), ("Provisioned", "False", "Paused"), ("Stalled", "True", "Paused")
)
PENDING = said(("Ready", "False", "RegistrationPending"), ("Reconciling", "True", "RegistrationPending"))
REJECTED = said(("Ready", "False", "RegistrationPending"), ("Stalled", "True", "RegistrationRejected"))
UNREACHABLE = said(("Ready", "Unknown", "EngineUnreachable"), ("Reconciling", "True", "EngineUnreachable"))
REFUSED = said(("Ready", "False", "InvalidSpec"), ("Stalled", "True", "InvalidSpec"))
FAILED = said(
    ("Ready", "False", "ProvisioningFailed"),
    ("Provisioned", "False", "Failed"),
    ("Stalled", "True", "ProvisioningFailed"),
)
FAILED_AGAIN = FAILED.model_copy(update={"workflow": said(attempt=2).workflow})
SUSPENDED = said(("Ready", "True", "Suspended"), operation="Suspend")
RESUMED = said(("Ready", "True", "Provisioned"), generation=2, operation="Resume")
UPDATED = said(("Ready", "True", "Provisioned"), generation=2, operation="Update")
DELETING = said(("Ready", "False", "Deleting"), operation="Delete")
STUCK = said(
    ("Ready", "False", "Deleting"),
    ("Provisioned", "False", "Failed"),
    ("Stalled", "True", "Deleting"),
    operation="Delete",
)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (NEW, READY, ("Normal", "Provisioned", "Provision")),
        (PROVISIONING, READY, ("Normal", "Provisioned", "Provision")),
        (READY, UPDATED, ("Normal", "Provisioned", "Update")),
        (READY, SUSPENDED, ("Normal", "Suspended", "Suspend")),
        (SUSPENDED, RESUMED, ("Normal", "Provisioned", "Resume")),
        (NEW, PENDING, ("Warning", "RegistrationPending", "Provision")),
        (NEW, UNREACHABLE, ("Warning", "EngineUnreachable", "Provision")),
        (PENDING, REJECTED, ("Warning", "RegistrationRejected", "Provision")),
        (NEW, REFUSED, ("Warning", "InvalidSpec", "Provision")),
        (PROVISIONING, FAILED, ("Warning", "ProvisioningFailed", "Provision")),
        (BACKING_OFF, PAUSED, ("Warning", "Paused", "Provision")),
        (DELETING, STUCK, ("Warning", "DeprovisioningFailed", "Deprovision")),
    ],
)
def test_what_a_person_would_want_to_know_is_news(
    before: TenantStatus, after: TenantStatus, expected: tuple[str, str, str]
) -> None:
    news = find_tenant_news(before, after)
    assert news is not None
    assert (news.type, news.reason, news.action) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (NEW, PROVISIONING),
        (PROVISIONING, BACKING_OFF),
        (READY, READY),
        (READY, DELETING),
        (PENDING, PENDING),
        (FAILED, FAILED),
        (PROVISIONING, FAILED_AGAIN),
        (NEW, NEW),
    ],
)
def test_that_work_goes_on_or_went_as_before_is_no_news(before: TenantStatus, after: TenantStatus) -> None:
    assert find_tenant_news(before, after) is None


def test_only_waiting_may_pass_before_it_is_told() -> None:
    waits = [find_tenant_news(NEW, each) for each in (PENDING, UNREACHABLE)]
    lasts = [find_tenant_news(NEW, each) for each in (READY, REJECTED, REFUSED, FAILED, PAUSED, STUCK)]
    assert [news and news.is_transient for news in (*waits, *lasts)] == [True] * 2 + [False] * 6


@pytest.mark.parametrize(
    ("departure", "reason", "note"),
    [
        ("Deprovisioned", "Deprovisioned", "landlord removed everything that it had created for the tenant"),
        ("NothingMade", "Deprovisioned", "landlord had created nothing for the tenant"),
        (
            "Retained",
            "Retained",
            "Because spec.deletion.policy is Retain, landlord leaves running: "
            "container c on memory (tenantID acme)",
        ),
    ],
)
def test_a_tenant_that_is_let_go_says_what_became_of_what_was_made(
    departure: Departure, reason: str, note: str
) -> None:
    news = describe_departure(a_ready_tenant(2, deleting=True), departure)
    assert (news.type, news.reason, news.note) == ("Normal", reason, note)


def test_a_tenant_that_is_let_go_archived_says_what_holds_its_data() -> None:
    left = (ResourceRef(kind="volume", name="landlord-acme-data"),)
    news = describe_departure(a_ready_tenant(2, deleting=True), "Archived", left)
    assert (news.type, news.reason) == ("Normal", "Archived")
    assert "volume landlord-acme-data on memory (tenantID acme)" in news.note


def test_an_expired_tenant_says_when_its_time_was_over_before_it_goes() -> None:
    news = describe_expiry(a_ready_tenant(lifetime={"expireAfter": "2h", "onExpiry": "Delete"}))
    assert (news.type, news.reason) == ("Normal", "Expired")
    assert "expired at 2026-01-01T14:00:00Z" in news.note


REGISTERED = Registration("True", "Registered", "registered")
NOT_YET = Registration("False", "NotRegistered", "not known yet")
LOST = Registration("False", "RegistrationLost", "not known any more")
SUPERSEDED = Registration("False", "Superseded", "another worker")
OBSERVED = replace(SUPERSEDED, hopeless=True)
AWAY = Registration("Unknown", "EngineUnreachable", "connection refused")
WORKER_AWAY = Registration("False", "WorkerUnreachable", "connection refused")
WRONG = Registration("False", "RegistrationRejected", "META0006", hopeless=True)

NO_LOSS = History("…")
LOSS = Loss("store_lost", NOW)
WITH_LOSS = replace(NO_LOSS, last_loss=LOSS)
REPAIRED = replace(NO_LOSS, last_loss=replace(LOSS, repaired_after=0.087))


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([(REGISTERED, NO_LOSS)], []),
        ([(AWAY, NO_LOSS), (REGISTERED, NO_LOSS)], ["W EngineUnreachable", "N Registered"]),
        ([(NOT_YET, NO_LOSS), (REGISTERED, NO_LOSS)], ["N NotRegistered", "N Registered"]),
        ([(REGISTERED, NO_LOSS), (SUPERSEDED, NO_LOSS)], ["N Superseded"]),
        ([(REGISTERED, NO_LOSS), (SUPERSEDED, WITH_LOSS)], ["W Superseded"]),
        ([(REGISTERED, NO_LOSS), (OBSERVED, NO_LOSS)], ["W Superseded"]),
        ([(WRONG, NO_LOSS), (WRONG, NO_LOSS)], ["W RegistrationRejected"]),
        ([(WORKER_AWAY, NO_LOSS)], ["W WorkerUnreachable"]),
    ],
)
def test_the_registration_s_changes_are_news(
    seen: list[tuple[Registration, History]], expected: list[str]
) -> None:
    told = heard(seen)
    assert [f"{news.type[0]} {news.reason}" for news in told] == expected


def heard(seen: list[tuple[Registration, History]]) -> list[News]:
    follower = RegistrationNews()
    return [news for each in seen if (news := follower.find_news(*each))]


@pytest.mark.parametrize("between", [[], [(WORKER_AWAY, WITH_LOSS)]])
def test_a_loss_is_told_with_its_cause_and_its_repair_with_the_time_it_took(
    between: list[tuple[Registration, History]],
) -> None:
    told = heard([(REGISTERED, NO_LOSS), (LOST, WITH_LOSS), *between, (REGISTERED, REPAIRED)])
    assert (told[0].type, told[0].note) == ("Warning", "not known any more (cause: store_lost)")
    assert told[-1].note == (
        "registered; landlord registered it again 0.09 s after it noticed the loss (cause: store_lost)"
    )


def test_an_old_loss_is_not_told_with_later_news() -> None:
    loss = [(REGISTERED, NO_LOSS), (LOST, WITH_LOSS), (REGISTERED, REPAIRED)]
    later = heard([*loss, (AWAY, REPAIRED), (REGISTERED, REPAIRED)])[2:]
    assert [news.note for news in later] == ["connection refused", "registered"]


def test_a_tenant_that_is_let_go_by_force_warns_of_what_may_be_left_and_why() -> None:
    before = a_ready_tenant(2, deleting=True)
    status = decide(before, with_flight(before, operation="delete", outcome=HOPELESS), NOW).status
    news = describe_departure(
        a_ready_tenant(2, deleting=True).model_copy(update={"status": status}), "LeftBehind"
    )
    assert (news.type, news.reason) == ("Warning", "LeftBehind")
    assert "These may still exist: container c on memory (tenantID acme)" in news.note
    assert "ImageInvalid at step image: no such tag" in news.note
