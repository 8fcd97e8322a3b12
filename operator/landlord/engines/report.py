"""What an operator says of the registration to those who ask it, at /registration."""

from datetime import datetime

from landlord.api.base import Model
from landlord.engines.contract import History, Registration


class LossReport(Model):
    """The last time that the registration was found lost."""

    cause: str
    """store_lost, deployment_deleted or superseded."""
    at: datetime
    repaired_after_seconds: float | None = None
    """None while it is not."""


class OperatorReport(Model):
    """The word of one replica. One that does not lead has not asked Restate."""

    leading: bool
    status: str
    reason: str
    message: str
    worker_url: str
    """The worker that it wants to be registered."""
    doing: str
    """What it does about the registration at present."""
    last_verified: datetime | None = None
    last_loss: LossReport | None = None


def report(leading: bool, worker_url: str, registration: Registration, history: History) -> OperatorReport:
    """Put it together."""
    loss = history.last_loss
    return OperatorReport(
        leading=leading,
        status=registration.status,
        reason=registration.reason,
        message=registration.message,
        worker_url=worker_url,
        doing=history.doing if leading else "nothing, as it does not lead",
        last_verified=history.last_verified,
        last_loss=None
        if loss is None
        else LossReport(cause=loss.cause, at=loss.at, repaired_after_seconds=loss.repaired_after),
    )
