"""A model of plan, fence and engine: what can happen to two Tenants with one tenantID, in any order.

landlord's own code decides and acts: plan, compose, the reconciler with its flights, queue, cache and
surveyor, the workflow with its fence, and who supersedes whom. In memory are only the API server, the
engine's queue and the backend. `truth.py` has the invariants, and test_model.py the bugs that the model
must find.
"""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import ParamSpec
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.model.api_server import Event, Fault, ModelApi
from tests.model.backend import ModelBackend, Mood
from tests.model.engine import AWAY, LOST, REGISTERED, ModelEngine
from tests.model.loop import ModelLoop
from tests.model.operator import ModelOperator
from tests.model.truth import Truth

from landlord.api.conditions import STALLED, find
from landlord.api.names import ANNOTATION_RETRY
from landlord.api.schema import JsonObject
from landlord.api.tenant import Key, Tenant
from landlord.controller.act import reconcile

P = ParamSpec("P")
ACME, RIVAL = Key("ns", "acme"), Key("ns", "rival")
KEYS = st.sampled_from([ACME, ACME, ACME, RIVAL])
DEEDS = st.sampled_from(
    [
        "create",
        "image 1",
        "image 2",
        "image 3",
        "suspend",
        "resume",
        "pause",
        "manage",
        "delete",
        "retry",
        "retry",
    ]
)
MOVES = st.sampled_from(
    ["deliver", "deliver later", "deliver again", "reconcile", "work", "work later", "track"]
)
MOODS = st.sampled_from(["well", "transient", "stuck", "terminal"])
FAULTS = st.sampled_from(["refused", "answer lost", "crash before", "crash after"])
TROUBLES = st.sampled_from(
    [
        *("away", "back", "store lost", "answer lost", "paused", "killed"),
        *("removed", "tampered", "quick", "slow", "restart"),
    ]
)
ROUNDS = 60
"""Rounds of SECONDS each, after which everything must be at rest: more than four waits of five minutes."""
SECONDS = 25.0
ASK_AFTER = 5


class Landlord(RuleBasedStateMachine):
    """Each rule is something that happens; at the end all is well again, and everything comes to rest."""

    @initialize(quick=st.booleans())
    def begin(self, quick: bool) -> None:
        logging.disable()
        self.loop = ModelLoop()
        self.clock = patch.object(reconcile, "time", SimpleNamespace(monotonic=self.loop.time))
        self.clock.start()
        self.api, self.backend = ModelApi(self.loop.now), ModelBackend()
        self.engine = ModelEngine(self.loop, self.backend)
        self.engine.is_eager = quick
        self.truth = Truth(self.api, self.backend, self.loop.time)
        self.violations: list[AssertionError] = []
        self.engine.on_accept, self.engine.on_end = self._noting(self.truth.accept), self.truth.end
        self.engine.on_step = self._noting(self.truth.check_step)
        self.delivered: deque[Event] = deque(maxlen=3)
        self.requests = 0
        self._start()
        self.user(ACME, "create")

    @rule(key=KEYS, deed=DEEDS)
    def user(self, key: Key, deed: str) -> None:
        if deed == "create" and key not in self.api.objects:
            self.api.create(key, {"tenantID": "acme", **_workload("1")})
        if key not in self.api.objects:
            return
        match deed.split():
            case ["image", number]:
                self.api.change_spec(key, **_workload(number))
            case ["suspend"] | ["resume"]:
                self.api.change_spec(key, desiredState="Suspended" if deed == "suspend" else "Active")
            case ["pause"] | ["manage"]:
                self.api.change_spec(key, management={"mode": "Paused" if deed == "pause" else "Managed"})
            case ["delete"]:
                self.api.delete(key)
            case ["retry"]:
                self.requests += 1
                value = f"2026-01-01T12:00:00.{self.requests:06}Z"
                self.truth.request_retry(self.api.objects[key]["metadata"]["uid"], value)
                self.api.annotate(key, ANNOTATION_RETRY, value)

    @rule(moves=st.lists(MOVES, min_size=1, max_size=6))
    def move(self, moves: list[str]) -> None:
        """Some of what is due happens, in this order."""
        for each in moves:
            match each.split():
                case ["deliver", "again"]:
                    self._deliver_again()
                case ["deliver", *later]:
                    self._deliver(len(later))
                case ["reconcile"]:
                    self._reconcile()
                case ["work", *later]:
                    for work in self.engine.unfinished()[len(later) :][:1]:
                        self.loop.run(self.engine.advance(work))
                case ["track"]:
                    self.operator.track()

    @rule()
    def go_on(self) -> None:
        """All that is due happens."""
        while self.api.watch:
            self._deliver(0)
        for work in self.engine.unfinished():
            while self.loop.run(self.engine.advance(work)):
                pass
        self.operator.track()
        self.loop.pass_time()
        for _ in range(len(self.operator.queue)):
            self._reconcile()

    @rule(seconds=st.sampled_from([1.0, 25.0, 310.0]))
    def wait(self, seconds: float) -> None:
        self.loop.pass_time(seconds)

    @rule(mood=MOODS)
    def change_mood(self, mood: Mood) -> None:
        self.backend.mood = mood

    @rule(fault=FAULTS)
    def spoil_the_next_write(self, fault: Fault) -> None:
        self.api.fault = fault

    @rule(is_late=st.booleans(), which=st.integers(0, 3))
    def submit_again(self, is_late: bool, which: int) -> None:
        """A network repeats a request, perhaps so late that the engine has forgotten the outcome."""
        if is_late:
            self.truth.submit_again()  # because the operator may not have read an outcome that is forgotten
            self.engine.forget_ended()
        for request in self.engine.submitted[which : which + 1]:
            if request.uid == self.engine.owner_of(request.tenant_id):
                self.truth.submit_again()
                self.engine.submit(request)

    @rule(trouble=TROUBLES)
    def trouble(self, trouble: str) -> None:
        engine = self.engine
        match trouble:
            case "away" | "back":
                engine.is_away = trouble == "away"
                self.operator.hear(AWAY if engine.is_away else REGISTERED)
            case "store lost":
                self.truth.lose_store()
                engine.lose_store()
                self.operator.hear(LOST)
            case "answer lost":
                engine.loses_answer = True
            case "paused" | "killed":
                for work in engine.unfinished()[:1]:
                    engine.pause(work) if trouble == "paused" else engine.kill(work)
            case "removed" | "tampered":
                self._tamper(removes=trouble == "removed")
            case "quick" | "slow":
                engine.is_eager = trouble == "quick"
            case "restart":
                self._restart()

    @invariant()
    def no_resource_is_left_without_a_tenant(self) -> None:
        if hasattr(self, "truth"):
            self._raise_violation()
            self.truth.check_owners()

    def teardown(self) -> None:
        try:
            if hasattr(self, "operator"):
                self._come_to_rest()
        finally:
            logging.disable(logging.NOTSET)
            if hasattr(self, "operator"):
                self.clock.stop()
                self.operator.die()
                self.loop.end()

    def _noting(self, check: Callable[P, None]) -> Callable[P, None]:
        """Note what a check raises: where it is made, landlord takes any error for one of the engine."""

        def noting(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                check(*args, **kwargs)
            except AssertionError as violation:
                self.violations.append(violation)
                raise

        return noting

    def _raise_violation(self) -> None:
        for violation in self.violations:
            raise violation

    def _start(self) -> None:
        async def start() -> ModelOperator:
            return ModelOperator(self.loop, self.api, self.engine)

        self.operator = self.loop.run(start())

    def _restart(self) -> None:
        self.operator.die()
        self.delivered.clear()
        self._start()

    def _reconcile(self) -> None:
        if not self.operator.reconcile():
            self._restart()

    def _deliver(self, later: int) -> None:
        """Events of one object keep their order, and those of several need not."""
        for event in list(self.api.watch)[later : later + 1]:
            uid = event[2]["metadata"]["uid"]
            event = next(each for each in self.api.watch if each[2]["metadata"]["uid"] == uid)
            self.api.watch.remove(event)
            self.delivered.append(event)
            self.operator.observe(*event)

    def _deliver_again(self) -> None:
        """The watch repeats an event of an object that exists."""
        living = {body["metadata"]["uid"] for body in self.api.objects.values()}
        for kind, key, body in [*self.delivered][:1]:
            if body["metadata"]["uid"] in living:
                self.operator.observe(kind, key, body)

    def _tamper(self, *, removes: bool) -> None:
        for tenant_id, made in list(self.backend.made.items()):
            self.truth.tamper(tenant_id)
            if removes:
                del self.backend.made[tenant_id]
            else:
                self.backend.made[tenant_id] = replace(made, tampered=True)

    def _come_to_rest(self) -> None:
        """Nothing is stuck, and a deletion always ends."""
        self.backend.mood, self.api.fault, self.engine.loses_answer = "well", None, False
        self.trouble("back")
        for round_ in range(ROUNDS):
            for work in self.engine.unfinished():  # somebody resumes what they have paused
                work.status = "backing-off" if work.status == "paused" else work.status
            self.go_on()
            self._raise_violation()
            waiting = [body for body in self.api.objects.values() if not self.truth.is_at_rest(body)]
            if not waiting and not self.engine.unfinished() and not self.api.watch:
                return
            if round_ == ASK_AFTER:
                for body in waiting:
                    self._ask_for(body)
            self.loop.pass_time(SECONDS)
        raise AssertionError(f"stuck: {waiting}, {self.engine.unfinished()}")

    def _ask_for(self, body: JsonObject) -> None:
        """A person asks for what failed for good, because its cause is gone."""
        tenant = Tenant.model_validate(body)
        if find(tenant.status.conditions, STALLED):
            self.user(tenant.key, "retry")


def _workload(number: str) -> JsonObject:
    return {"workload": {"containers": [{"name": "app", "image": f"app:{number}"}]}}
