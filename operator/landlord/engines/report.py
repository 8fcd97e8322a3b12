"""What an operator reports about the registration at /registration."""

from datetime import datetime

from landlord.api.base import Model
from landlord.engines.contract import History, Registration


class LossReport(Model):
    """The last loss of the registration."""

    cause: str
    """store_lost, deployment_deleted or superseded."""
    at: datetime
    repaired_after_seconds: float | None = None
    """None while it is not repaired."""


class OperatorReport(Model):
    """The report of one replica. A standby has not asked Restate."""

    leading: bool
    status: str
    reason: str
    message: str
    worker_url: str
    """The worker that it registers."""
    doing: str
    """What it is doing about the registration."""
    last_verified: datetime | None = None
    last_loss: LossReport | None = None


def report(leading: bool, worker_url: str, registration: Registration, history: History) -> OperatorReport:
    """Build the report of one replica."""
    loss = history.last_loss
    return OperatorReport(
        leading=leading,
        status=registration.status,
        reason=registration.reason,
        message=registration.message,
        worker_url=worker_url,
        doing=history.doing if leading else "nothing, because it is a standby",
        last_verified=history.last_verified,
        last_loss=None
        if loss is None
        else LossReport(cause=loss.cause, at=loss.at, repaired_after_seconds=loss.repaired_after),
    )
