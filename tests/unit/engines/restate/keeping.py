"""A keeper before a Restate, an ingress and a worker that answer as they are told."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from landlord import metrics
from landlord.engines.contract import Registration
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.ingress import Ingress
from landlord.engines.restate.keeper import Keeper
from landlord.engines.restate.verdict import Policy

RESTATE, INGRESS, WORKER = "http://restate:9070", "http://restate:8080", "http://worker:9080"
UNKNOWN_SERVICE = httpx.Response(404, json={"message": "does not exist", "restate_code": None})
SERVICE = httpx.Response(200, json={"deployment_id": "dp_1", "metadata": {"landlord.dev/revision": "one"}})
CHANGED_SERVICE = httpx.Response(
    200, json={"deployment_id": "dp_1", "metadata": {"landlord.dev/revision": "zero"}}
)
DEPLOYMENT = httpx.Response(200, json={"id": "dp_1", "uri": f"{WORKER}/"})
HEALTHY_INGRESS = httpx.Response(200, json={"services": ["TenantProvisioning"]})
OTHER_INGRESS = httpx.Response(200, json={"services": ["Greeter"]})

Answer = httpx.Response | Exception


class Restate:
    """Gives the answers it is told to; by default, those of a Restate that has the worker registered."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.registered: list[dict[str, Any]] = []

    def will(self, request: str, *answers: Answer) -> None:
        """Answer so, in turn; the last one for ever."""
        self.answers[request] = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.registered.append(json.loads(request.content))
        # Partitions are asked about invocations of random ids.
        name = "PATCH" if request.method == "PATCH" else f"{request.method} {request.url.path}"
        usual = {
            "GET /services/TenantProvisioning": SERVICE,
            "GET /services/TenantSurvey": SERVICE,
            "GET /deployments/dp_1": DEPLOYMENT,
            "GET /restate/health": HEALTHY_INGRESS,
            "PATCH": UNKNOWN_SERVICE,
        }
        answers = self.answers.get(name) or [usual.get(name) or httpx.Response(201, json={})]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, content=answer.content)


def healthy(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"status": "ok", "revision": "one", "backends": ["memory"]})


def reachable() -> float:
    (family,) = metrics.engine_reachable.collect()
    return family.samples[0].value


def losses() -> float:
    """So far, of all causes."""
    (family,) = metrics.registration_lost.collect()
    return sum(sample.value for sample in family.samples)


def timed_repairs() -> float:
    """How many so far."""
    (family,) = metrics.registration_repair_seconds.collect()
    return next(sample.value for sample in family.samples if sample.name.endswith("_count"))


class Kept:
    """A keeper and what it said."""

    def __init__(
        self,
        restate: Restate,
        worker: Callable[[httpx.Request], httpx.Response],
        policy: Policy = "enforce",
    ) -> None:
        self.restate = restate
        self.said: list[Registration] = []
        self.clients = (
            HttpClient("Restate's admin API", RESTATE, httpx.MockTransport(restate)),
            HttpClient("Restate's ingress", INGRESS, httpx.MockTransport(restate)),
            HttpClient("the worker", WORKER, httpx.MockTransport(worker)),
        )
        admin, ingress, worker_client = self.clients
        self.keeper = Keeper(
            admin=Admin(admin),
            ingress=Ingress(ingress),
            worker=worker_client,
            policy=policy,
            on_change=self.said.append,
        )

    async def check(self, times: int = 1) -> Registration:
        for _ in range(times):
            await self.keeper.check()
        return self.keeper.registration
