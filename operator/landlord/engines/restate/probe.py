"""Reads the worker's revision and backends from its /healthz."""

from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.seen import Worker, WorkerAway
from landlord.errors import EngineUnreachable


async def observe_worker(http: HttpClient) -> Worker | WorkerAway:
    """Ask the worker once. This does not show whether Restate can reach it too."""
    try:
        answer = await http.request("GET", "/healthz")
    except EngineUnreachable as error:
        return WorkerAway(f"{error}\nFix: start the worker, or check LANDLORD_WORKER_URL.")
    worker = answer.parse(Worker)
    if answer.status != 200 or worker is None:
        return WorkerAway(
            f"the server at {http.url}/healthz (HTTP {answer.status}) is not a landlord worker\n"
            "Fix: check LANDLORD_WORKER_URL."
        )
    return worker
