"""The demo: Tenants become Ready, Restate loses its store, and landlord recovers."""

import http.client
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from dev.failure import LocalFailure
from dev.guard import EVERYTHING, guarding
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
    """Run the demo and clean up. Raises LocalFailure if landlord does not do what the demo shows."""
    if stack.record() is not None:
        raise LocalFailure(
            "an environment is already up, and the demo deletes Restate's store", fix="run `make down`"
        )
    with guarding(stack.state) as guard:
        guard.watch(EVERYTHING)
        demo = Demo()
        demo.step("starting Kubernetes, Restate, the worker and the operator")
        record = stack.up()
        try:
            _show(demo, stack, record)
        except LocalFailure as failure:
            logs = [f"{name}: {tail(stack.program(record, name).log)}" for name in (OPERATOR, WORKER)]
            raise LocalFailure("\n".join([str(failure), *logs])) from failure
        demo.step("stopping everything")
        stack.down()
    demo.end()


class Demo:
    """Prints the steps with their times, and remembers what they showed."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._shown: list[str] = []

    def step(self, text: str) -> None:
        """Print the headline of a step."""
        say(f"\n[{time.monotonic() - self._began:5.1f} s] {text}")

    def show(self, text: str) -> None:
        """Record something that was observed."""
        self._shown.append(text)
        say(f"          observed: {text}")

    def end(self) -> None:
        """Print a summary."""
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
    _print_table(kubectl)
    demo.show(f"{len(examples)} Tenants Ready {time.monotonic() - began:.1f} s after kubectl apply")

    if record.backend == "docker":
        _show_endpoint(demo, kubectl)

    _show_signing(demo, stack.program(record, WORKER).url)

    demo.step("deleting Restate's store and starting Restate again")
    restate = stack.wipe_restate(record)
    service = f"{restate.admin_url}/services/{WORKFLOW_SERVICE}"
    waited = _poll(
        lambda: status_of(service) == http.client.OK,
        _REGISTERED_SECONDS,
        "the registration",
    )
    demo.show(f"landlord registered the lost workflow again {waited:.2f} s after Restate answered")

    demo.step("kubectl apply for another Tenant")
    began = time.monotonic()
    kubectl.apply(_make_another(checkout("examples", "minimal.yaml")))
    _wait_ready(kubectl)
    _print_table(kubectl)
    _require_registered(kubectl)
    demo.show(f"another Tenant Ready after {time.monotonic() - began:.1f} s, and the others still Ready")

    demo.step("kubectl delete tenants --all")
    began = time.monotonic()
    kubectl("delete", "tenants", "--all", f"--timeout={_READY_SECONDS}s", timeout=2 * _READY_SECONDS)
    demo.show(f"all Tenants deprovisioned and deleted after {time.monotonic() - began:.1f} s")


def _wait_ready(kubectl: Kubectl) -> None:
    timeout = f"--timeout={_READY_SECONDS}s"
    waited = kubectl.run(
        "wait", "--for=condition=Ready", "tenants", "--all", timeout, timeout=2 * _READY_SECONDS
    )
    if waited.returncode != 0:
        tenants = kubectl("get", "tenants", "-o", "yaml")
        raise LocalFailure(f"not all Tenants became Ready: {waited.stderr.strip()}\n{tenants}")


def _print_table(kubectl: Kubectl) -> None:
    say("$ kubectl get tenants")
    say(kubectl("get", "tenants").rstrip())


def _show_endpoint(demo: Demo, kubectl: Kubectl) -> None:
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
        raise LocalFailure(f"another tenant than acme answered at {url}: {answers[0]}")
    demo.show("the Tenant's container answered at the endpoint in its status")


def _show_signing(demo: Demo, worker: str) -> None:
    url = f"{worker}/invoke/{WORKFLOW_SERVICE}/apply"
    demo.step(f"curl -X POST {url} (unsigned)")
    answer = request(url, json_body="{}")
    if answer is None or answer[0] != http.client.UNAUTHORIZED:
        raise LocalFailure(f"the worker did not reject an unsigned request: {answer}")
    demo.show(f"the worker rejected an unsigned request ({answer[0]}); only its own Restate can sign one")


def _require_registered(kubectl: Kubectl) -> None:
    tenants = kubectl.get("tenants")["items"]
    for tenant in tenants:
        for condition in tenant["status"]["conditions"]:
            if condition["type"] == "WorkflowRegistered" and condition["status"] != "True":
                raise LocalFailure(f"the Tenant {tenant['metadata']['name']} reports {condition}")


def _make_another(example: Path) -> str:
    tenant: dict[str, Any] = yaml.safe_load(example.read_text())
    tenant["metadata"]["name"] = "after-the-loss"
    return yaml.safe_dump(tenant)


def _poll(seen: Callable[[], bool], timeout: float, what: str) -> float:
    began = time.monotonic()
    while not seen():
        if time.monotonic() - began > timeout:
            raise LocalFailure(f"timed out after {timeout:.0f} s waiting for {what}")
        time.sleep(_POLL_SECONDS)
    return time.monotonic() - began
