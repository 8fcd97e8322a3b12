"""Decides which changes of the registration are worth an Event."""

from landlord.controller.decide.news import News
from landlord.engines.contract import History, Loss, Registration


class RegistrationNews:
    """Follows the registration, and finds what is new. To be in order at start is not news."""

    def __init__(self) -> None:
        self._latest: News | None = None
        self._latest_repaired: Loss | None = None

    def find_news(self, registration: Registration, history: History) -> News | None:
        """Find what is new, if anything; from now on it no longer is."""
        loss = history.last_loss
        news = News(
            "Normal" if _is_as_expected(registration, loss) else "Warning",
            registration.reason,
            "Register",
            registration.message + self._describe_loss(registration, loss),
        )
        if news.is_repeat_of(self._latest) or (registration.ready and self._latest is None):
            return None
        self._latest = news
        if registration.ready:
            self._latest_repaired = loss
        return news

    def _describe_loss(self, registration: Registration, loss: Loss | None) -> str:
        if loss is None or loss == self._latest_repaired:
            return ""
        if registration.ready and loss.repaired_after is not None:
            seconds = f"{loss.repaired_after:.2f} s"
            return f"; landlord registered it again {seconds} after it noticed the loss (cause: {loss.cause})"
        return f" (cause: {loss.cause})" if registration.reason in ("RegistrationLost", "Superseded") else ""


def _is_as_expected(registration: Registration, loss: Loss | None) -> bool:
    """Whether it is registered, or about to be for the first time or after an upgrade of the worker."""
    is_coming = registration.reason in ("NotRegistered", "Superseded") and not registration.hopeless
    is_lost = loss is not None and loss.repaired_after is None
    return registration.ready or (is_coming and not is_lost)
