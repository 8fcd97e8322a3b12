"""The demo: Tenants become Ready, Restate loses all it knew, and landlord goes on."""

import http.client
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from dev.failure import LocalFailure
from dev.guard import EVERYTHING, guarded
from dev.kubectl import Kubectl
from dev.net import request, status_of, tail
from dev.paths import checkout
from dev.progress import say
from dev.record import Record
from dev.stack import OPERATOR, WORKER, Stack
from landlord.api.names import WORKFLOW_SERVICE

_EXAMPLES = ("minimal", "two-ports", "web")
_READY_SECONDS = 60
_REGISTERED_SECONDS = 30.0
_ANSWER_SECONDS = 10.0
_POLL_SECONDS = 0.02


def run(stack: Stack) -> None:
    """Show it all, and clean up however it ends. Raises LocalFailure when something was not seen."""
    if stack.record() is not None:
        raise LocalFailure("an environment is up, and the demo wipes Restate's store: run `make down` first")
    with guarded(stack.state) as guard:
        guard.watch(EVERYTHING)
        demo = Demo()
        demo.step("starting the real parts: Kubernetes, Restate, the worker, the operator")
        record = stack.up()
        try:
            _show(demo, stack, record)
        except LocalFailure as failure:
            logs = [f"{name}: {tail(stack.program(record, name).log)}" for name in (OPERATOR, WORKER)]
            raise LocalFailure("\n".join([str(failure), *logs])) from failure
        demo.step("ending everything")
        stack.down()
    demo.end()


class Demo:
    """What was shown, and when."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._shown: list[str] = []

    def step(self, text: str) -> None:
        """Announce a step."""
        say(f"\n[{time.monotonic() - self._began:5.1f} s] {text}")

    def shown(self, text: str) -> None:
        """Note that something was seen to be so."""
        self._shown.append(text)
        say(f"          seen: {text}")

    def end(self) -> None:
        """Sum up."""
        self.step("done. This demo showed:")
        for text in self._shown:
            say(f"  - {text}")


def _show(demo: Demo, stack: Stack, record: Record) -> None:
    kubectl = Kubectl(record.kubeconfig)
    examples = [checkout("examples", f"{name}.yaml") for name in _EXAMPLES]

    files = ",".join(_EXAMPLES)
    demo.step(f"kubectl apply -f examples/{{{files}}}.yaml ({record.backend} backend)")
    began = time.monotonic()
    kubectl.apply(*examples)
    _wait_ready(kubectl)
    _table(kubectl)
    demo.shown(f"{len(examples)} Tenants Ready {time.monotonic() - began:.1f} s after kubectl apply")

    if record.backend == "docker":
        _curl(demo, kubectl)

    _signed(demo, stack.program(record, WORKER).url)

    demo.step("wiping Restate's store and starting it again, empty")
    restate = stack.wipe_restate(record)
    service = f"{restate.admin_url}/services/{WORKFLOW_SERVICE}"
    waited = _poll(
        lambda: status_of(service) == http.client.OK, _REGISTERED_SECONDS, "the workflow registered"
    )
    demo.shown(f"the lost workflow registered again {waited:.2f} s after Restate answered")

    demo.step("kubectl apply of one more Tenant")
    began = time.monotonic()
    kubectl.apply(_another(checkout("examples", "minimal.yaml")))
    _wait_ready(kubectl)
    _table(kubectl)
    _registered(kubectl)
    demo.shown(f"a further Tenant Ready after {time.monotonic() - began:.1f} s, and all others still Ready")

    demo.step("kubectl delete tenants --all")
    began = time.monotonic()
    kubectl("delete", "tenants", "--all", f"--timeout={_READY_SECONDS}s", timeout=2 * _READY_SECONDS)
    demo.shown(f"all Tenants deprovisioned and gone after {time.monotonic() - began:.1f} s")


def _wait_ready(kubectl: Kubectl) -> None:
    timeout = f"--timeout={_READY_SECONDS}s"
    waited = kubectl.run(
        "wait", "--for=condition=Ready", "tenants", "--all", timeout, timeout=2 * _READY_SECONDS
    )
    if waited.returncode != 0:
        tenants = kubectl("get", "tenants", "-o", "yaml")
        raise LocalFailure(f"not every Tenant became Ready: {waited.stderr.strip()}\n{tenants}")


def _table(kubectl: Kubectl) -> None:
    say("$ kubectl get tenants")
    say(kubectl("get", "tenants").rstrip())


def _curl(demo: Demo, kubectl: Kubectl) -> None:
    endpoints = kubectl.get("tenant", "acme")["status"].get("endpoints", [])
    if not endpoints:
        raise LocalFailure("the Tenant acme is Ready but has no endpoint in its status")
    url = endpoints[0]["url"]
    demo.step(f"curl {url} (from status.endpoints of acme)")
    answers: list[str] = []

    def answered() -> bool:
        answer = request(url)
        if answer is not None and answer[0] == http.client.OK:
            answers.append(answer[1].strip())
        return bool(answers)

    _poll(answered, _ANSWER_SECONDS, f"an answer from {url}")
    say(answers[0])
    if json.loads(answers[0])["tenant"] != "acme":
        raise LocalFailure(f"somebody else than acme answered at {url}: {answers[0]}")
    demo.shown("the Tenant's own container answering at the endpoint in its status")


def _signed(demo: Demo, worker: str) -> None:
    url = f"{worker}/invoke/{WORKFLOW_SERVICE}/apply"
    demo.step(f"curl -X POST {url}, unsigned")
    answer = request(url, json_body="{}")
    if answer is None or answer[0] != http.client.UNAUTHORIZED:
        raise LocalFailure(f"the worker did not refuse an unsigned request: {answer}")
    demo.shown(f"an unsigned request refused ({answer[0]}): the worker does what its own Restate has signed")


def _registered(kubectl: Kubectl) -> None:
    tenants = kubectl.get("tenants")["items"]
    for tenant in tenants:
        for condition in tenant["status"]["conditions"]:
            if condition["type"] == "WorkflowRegistered" and condition["status"] != "True":
                raise LocalFailure(f"{tenant['metadata']['name']} says {condition}")


def _another(example: Path) -> str:
    tenant: dict[str, Any] = yaml.safe_load(example.read_text())
    tenant["metadata"]["name"] = "after-the-loss"
    return yaml.safe_dump(tenant)


def _poll(seen: Callable[[], bool], timeout: float, what: str) -> float:
    began = time.monotonic()
    while not seen():
        if time.monotonic() - began > timeout:
            raise LocalFailure(f"{what}: not seen within {timeout:.0f} s")
        time.sleep(_POLL_SECONDS)
    return time.monotonic() - began
