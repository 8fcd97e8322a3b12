"""Bugs that landlord must not have, planted on purpose: each replaces a piece of landlord's own code."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from landlord.api.request import Request
from landlord.controller.act.flights import Flights
from landlord.controller.decide import plan, request
from landlord.controller.decide.facts import Case, Flight
from landlord.controller.decide.plan import Plan
from landlord.controller.decide.situation import Releasing, WorkFailed
from landlord.workflow import fence, run

Plant = Callable[[pytest.MonkeyPatch], None]


def plant_a_fence_that_ignores_generations(patch: pytest.MonkeyPatch) -> None:
    def decide(before: fence.Fence | None, asked: Request) -> fence.FenceDecision:
        return fence.decide(before.model_copy(update={"generation": 0}) if before else None, asked)

    patch.setattr(run, "decide", decide)


def plant_attempts_that_do_not_count(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(request, "_choose_attempt", lambda case, operation: 1)


def plant_an_outcome_that_counts_for_any_request(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Flight, "is_for", lambda self, asked: True)


def plant_a_failed_deletion_that_releases(patch: pytest.MonkeyPatch) -> None:
    decided: Callable[..., Plan] = plan._plan_outcome

    def plan_outcome(case: Case, asked: Request, outcome: Any) -> Plan:
        found = decided(case, asked, outcome)
        is_failed_deletion = asked.operation == "delete" and isinstance(found.situation, WorkFailed)
        return Plan(Releasing("Deprovisioned"), remove_finalizer=True) if is_failed_deletion else found

    patch.setattr(plan, "_plan_outcome", plan_outcome)


def plant_a_cache_that_takes_any_version(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("landlord.controller.watch.cache._is_newer", lambda metadata, version, known: True)


def plant_a_settled_tenant_whatever_its_generation(patch: pytest.MonkeyPatch) -> None:
    decided: Callable[[Case], bool] = plan._is_settled

    def is_settled(case: Case) -> bool:
        metadata = case.tenant.metadata
        conditions = tuple(
            each.model_copy(update={"observed_generation": metadata.generation})
            for each in case.tenant.status.conditions
        )
        known = case.tenant.status.model_copy(update={"conditions": conditions})
        return decided(replace(case, tenant=case.tenant.model_copy(update={"status": known})))

    patch.setattr(plan, "_is_settled", is_settled)


def plant_a_restart_that_does_not_attach(patch: pytest.MonkeyPatch) -> None:
    """Each process gives its requests keys of its own."""
    start = Flights.start

    async def start_anew(self: Flights, key: Any, asked: Request, patience: float) -> None:
        await start(self, key, asked.model_copy(update={"attempt": asked.attempt + 100}), patience)

    patch.setattr(Flights, "start", start_anew)


PLANTS: list[Plant] = [plant for name, plant in globals().items() if name.startswith("plant_")]
