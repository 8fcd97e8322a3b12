"""What the worker says of itself, read from its own /healthz."""

from dataclasses import dataclass

from pydantic import BaseModel, Field

from landlord.engines.restate.http import HttpClient
from landlord.errors import EngineUnreachable


class Worker(BaseModel, frozen=True):
    """A worker that answers."""

    revision: str = Field(min_length=1)
    """Changes when what it offers to Restate changes."""
    backends: frozenset[str]


@dataclass(frozen=True)
class WorkerAway:
    """A worker that does not answer, and why."""

    message: str


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
