"""The servers that landlord talks to as a client of Restate."""

from landlord.engines.restate.http import HttpClient


class Clients:
    """One client for each: Restate's admin API, its ingress, and the worker."""

    def __init__(self, admin_url: str, ingress_url: str, worker_url: str) -> None:
        self.admin = HttpClient("Restate's admin API", admin_url)
        self.ingress = HttpClient("Restate's ingress", ingress_url)
        self.worker = HttpClient("the worker", worker_url)

    async def close(self) -> None:
        """Let go of connections."""
        for client in (self.admin, self.ingress, self.worker):
            await client.close()
