"""The servers that landlord talks to as a client of Restate."""

from landlord.engines.restate.access import Access, access_of
from landlord.engines.restate.http import HttpClient
from landlord.settings import RestateSettings


class Clients:
    """One client for each: Restate's admin API, its ingress, and the worker."""

    def __init__(
        self, admin_url: str, ingress_url: str, worker_url: str, access: Access | None = None
    ) -> None:
        access = access or Access()
        self.admin = HttpClient("Restate's admin API", admin_url, access=access)
        self.ingress = HttpClient("Restate's ingress", ingress_url, access=access)
        # The worker has no use for what Restate is told, and may be anybody.
        self.worker = HttpClient("the worker", worker_url, access=access.anonymous())

    @classmethod
    def of(cls, settings: RestateSettings) -> "Clients":
        """As the settings say. Raises SettingsError for files that can't be used."""
        urls = (settings.restate_admin_url, settings.restate_ingress_url, settings.worker_url)
        return cls(*urls, access_of(settings))

    async def close(self) -> None:
        """Let go of connections."""
        for client in (self.admin, self.ingress, self.worker):
            await client.close()
