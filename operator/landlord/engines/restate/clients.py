"""The HTTP clients of the Restate engine."""

from landlord.engines.restate.access import Access, load_access
from landlord.engines.restate.http import HttpClient
from landlord.settings import RestateSettings


class Clients:
    """A client each for Restate's admin API, Restate's ingress, and the worker."""

    def __init__(
        self, admin_url: str, ingress_url: str, worker_url: str, access: Access | None = None
    ) -> None:
        access = access or Access()
        self.admin = HttpClient("Restate's admin API", admin_url, access=access)
        self.ingress = HttpClient("Restate's ingress", ingress_url, access=access)
        # The worker must not see the header for Restate.
        self.worker = HttpClient("the worker", worker_url, access=access.without_header())

    @classmethod
    def from_settings(cls, settings: RestateSettings) -> "Clients":
        """Create the clients from settings. Raises SettingsError for files that can't be used."""
        urls = (settings.restate_admin_url, settings.restate_ingress_url, settings.worker_url)
        return cls(*urls, load_access(settings))

    async def close(self) -> None:
        """Close all connections."""
        for client in (self.admin, self.ingress, self.worker):
            await client.close()
