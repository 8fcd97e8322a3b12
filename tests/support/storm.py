"""A storm: Tenants are created, changed, stopped and deleted at random, while parts of landlord die, hang
and can't reach one another.

All that happens follows from the seed, but not when it happens to be done: two storms with one seed meet
landlord in different places. `history` says what happened, and when.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psutil
from tests.support.faulty_api import FaultyApi
from tests.support.kills import KILLS
from tests.support.specs import Spec
from tests.support.system import System
from tests.support.views import View

from dev.process import OneProcess
from landlord.api.names import ANNOTATION_RETRY

MOST_TENANTS = 8
LONGEST_PAUSE = 1.0
"""Between two events."""
LONGEST_FAULT = 6.0
FAULTS: Mapping[str, Callable[[FaultyApi], None]] = {
    "watches end with an ERROR event": lambda api: api.send_error_event(500),
    "watches are refused with 403": lambda api: api.answer(403),
    "watches are refused with 404": lambda api: api.answer(404),
    "all is refused with 429": lambda api: api.answer(429, others=True),
    "all is refused with 503": lambda api: api.answer(503, others=True),
    "all hangs": FaultyApi.freeze,
    "watches hear nothing": FaultyApi.deafen,
}


@dataclass
class Storm:
    """Drives one landlord. `wanted` is what each Tenant is to be in the end; `gone` are those deleted."""

    seed: int
    system: System
    apis: Sequence[FaultyApi]
    """What the operator and the worker reach the API server through."""
    views: Sequence[View]
    prefix: str
    wanted: dict[str, Spec] = field(default_factory=dict)
    seen_on: dict[str, View] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    history: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._began = time.monotonic()
        self._numbers = 0

    def rage(self, seconds: float) -> None:
        """Let it rage for so long, and then heal what is broken."""
        events: Sequence[tuple[int, Callable[[], None]]] = (
            (5, self._create),
            (6, self._change),
            (3, self._switch),
            (3, self._delete),
            (2, self._retry),
            (2, self._kill),
            (2, self._hang),
            (2, self._cut),
            (2, self._break_api),
        )
        weights = [weight for weight, _ in events]
        for _ in range(2):
            self._create()
        while time.monotonic() - self._began < seconds:
            self._chance.choices([event for _, event in events], weights)[0]()
            time.sleep(self._chance.uniform(0, LONGEST_PAUSE))
        self._note("the storm is over")

    def _create(self) -> None:
        if len(self.wanted) == MOST_TENANTS:
            return
        self._numbers += 1
        name = f"{self.prefix}-{self._numbers}"
        self.seen_on[name] = self._chance.choice(self.views)
        self._apply(name, self.seen_on[name].spec(name, "hello"), "is created")

    def _change(self) -> None:
        if name := self._choose():
            greeting = f"hello {self._chance.randrange(1000)}"
            state = self.wanted[name].get("desiredState", "Active")
            spec = self.seen_on[name].spec(name, greeting) | {"desiredState": state}
            self._apply(name, spec, f"is changed to {greeting!r}")

    def _switch(self) -> None:
        if name := self._choose():
            is_active = self.wanted[name].get("desiredState", "Active") == "Active"
            state = "Suspended" if is_active else "Active"
            self._apply(name, self.wanted[name] | {"desiredState": state}, f"is to be {state}")

    def _delete(self) -> None:
        if name := self._choose():
            self._note(f"{name} is deleted")
            self.system.delete(name, timeout=0)
            del self.wanted[name]
            self.gone.add(name)

    def _retry(self) -> None:
        if name := self._choose():
            self._note(f"{name} is to be retried")
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            self.system.kubectl(
                "annotate",
                "tenant",
                name,
                "-n",
                self.system.namespace,
                f"{ANNOTATION_RETRY}={now}",
                "--overwrite",
            )

    def _kill(self) -> None:
        kill = self._chance.choice(KILLS)
        self._note(kill.__name__.replace("_", " "))
        kill(self.system)

    def _hang(self) -> None:
        part: OneProcess = self._chance.choice(
            (self.system.operator, self.system.worker, self.system.restate)
        )
        seconds = self._chance.uniform(0.1, LONGEST_FAULT)
        process = part.identity.process() if part.identity else None
        if process is None:
            return
        self._note(f"{type(part).__name__} {process.pid} hangs for {seconds:.1f} s")
        with suppress(psutil.NoSuchProcess):
            process.suspend()
            time.sleep(seconds)
            process.resume()

    def _cut(self) -> None:
        self._note("connections to the API server break")
        for api in self.apis:
            api.cut()

    def _break_api(self) -> None:
        what = self._chance.choice(list(FAULTS))
        api = self._chance.choice(self.apis)
        seconds = self._chance.uniform(0.1, LONGEST_FAULT)
        self._note(f"{what} for {seconds:.1f} s on port {api.port}")
        FAULTS[what](api)
        api.cut()
        time.sleep(seconds)
        api.heal()

    def _choose(self) -> str | None:
        return self._chance.choice(sorted(self.wanted)) if self.wanted else None

    def _apply(self, name: str, spec: Spec, what: str) -> None:
        self._note(f"{name} {what}")
        self.system.apply(name, spec)
        self.wanted[name] = spec

    def _note(self, what: str) -> None:
        self.history.append(f"{time.monotonic() - self._began:6.1f} s  {what}")
