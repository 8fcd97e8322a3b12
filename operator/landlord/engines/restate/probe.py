"""What the worker says of itself, read from its own /healthz."""

from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.seen import Worker, WorkerAway
from landlord.errors import EngineUnreachable


async def look(http: HttpClient) -> Worker | WorkerAway:
    """Ask the worker at `http` once. Whether Restate can reach it too is another question."""
    try:
        answer = await http.request("GET", "/healthz")
    except EngineUnreachable as error:
        return WorkerAway(f"{error}; start it, or check LANDLORD_WORKER_URL")
    worker = answer.parsed(Worker)
    if answer.status != 200 or worker is None:
        return WorkerAway(
            f"what answers at {http.url}/healthz (HTTP {answer.status}) is not a landlord worker; "
            "check LANDLORD_WORKER_URL"
        )
    return worker
