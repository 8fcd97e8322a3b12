"""An upgrade of the worker breaks work that is begun again within seconds: no Event, unless it lasts."""

import pytest
from tests.support.plans import HOPELESS, a_tenant, decide, with_flight

from landlord.api.outcome import Failure, Outcome
from landlord.api.status import TenantStatus
from landlord.controller.decide.news import find_tenant_news
from landlord.engines.contract import JOURNAL_MISMATCH

BROKEN = Outcome(
    result="Failed", failure=Failure(code=JOURNAL_MISMATCH, message="Found a mismatch", retryable=True)
)


def failed(outcome: Outcome, attempt: int = 1) -> TenantStatus:
    """The status of a Tenant whose attempt has ended like this."""
    tenant = a_tenant()
    status = decide(tenant, with_flight(tenant, outcome=outcome)).status
    assert status.workflow is not None
    return status.model_copy(update={"workflow": status.workflow.model_copy(update={"attempt": attempt})})


@pytest.mark.parametrize("attempt", [1, 2, 5])
def test_work_that_an_upgrade_has_broken_is_news_only_if_it_lasts(attempt: int) -> None:
    news = find_tenant_news(TenantStatus(), failed(BROKEN, attempt))
    assert news is not None
    assert (news.type, news.reason, news.is_transient) == ("Warning", "ProvisioningFailed", True)


def test_another_failure_is_told_at_once() -> None:
    news = find_tenant_news(TenantStatus(), failed(HOPELESS))
    assert news is not None
    assert not news.is_transient


def test_another_failure_that_comes_again_is_no_news() -> None:
    assert find_tenant_news(TenantStatus(), failed(HOPELESS, attempt=2)) is None
