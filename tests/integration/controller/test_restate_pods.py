"""Changes of Restate's pods and EndpointSlices are heard of, over whatever becomes of the watch on them."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from tests.support.kubeconfigs import always
from tests.support.pods import LABELS, SELECTOR, make_service, restart_container, run_pod
from tests.support.polling import eventually_async
from tests.support.rbac import RESTATE_RULES, account, grant
from tests.support.relay import Relay

from dev.cluster import ControlPlane
from dev.kubectl import Kubectl
from landlord.backoff import BACKOFF_BASE
from landlord.controller import kube
from landlord.controller.kube import KubeClient
from landlord.controller.watch import restate_pods
from landlord.controller.watch.gates import Gates
from landlord.controller.watch.restate_pods import GATE, RestatePods
from landlord.kubernetes_config import load_configuration

Said = Callable[[], list[str]]
WATCHING = f"watching pods and endpointslices with {SELECTOR} in namespace "


@dataclass
class Watching:
    """A watch with the least rights, and what it has told so far."""

    namespace: str
    pod: str
    relay: Relay
    gates: Gates
    changes: int = 0

    def changed(self) -> None:
        self.changes += 1

    def gate(self) -> tuple[bool, str]:
        """What /readyz shows."""
        gate = self.gates.report()["gates"][GATE]
        return gate["ok"], gate["message"]

    async def until(self, ok: bool, words: str) -> None:
        """Return when the gate is so."""

        async def so() -> bool:
            assert self.gate()[0] == ok, self.gate()
            assert words in self.gate()[1], self.gate()
            return True

        await eventually_async(so)

    async def quiet(self) -> int:
        """The changes told so far, when no more have come for a while."""
        while True:
            before = self.changes
            await asyncio.sleep(0.5)
            if self.changes == before:
                return before

    def more_than(self, before: int) -> Callable[[], Awaitable[bool]]:
        """Whether more changes have been told."""

        async def told() -> bool:
            return self.changes > before

        return told

    async def hears(self, act: Callable[..., object], *args: object) -> None:
        """Assert that a change is told of when this is done, and not before."""
        before = await self.quiet()
        await asyncio.to_thread(act, *args)
        await eventually_async(self.more_than(before), what="the change is told of")


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Said:
    """What was logged since the watch began to stand."""
    return lambda: [each.getMessage() for each in caplog.records if each.name == restate_pods.__name__]


@pytest.fixture
async def watching(
    control_plane: ControlPlane,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> AsyncIterator[Watching]:
    monkeypatch.setattr(restate_pods, "MOST_FAILURES", 2)
    caplog.set_level(logging.INFO, logger=restate_pods.__name__)
    kubectl = control_plane.kubectl
    kubeconfig = await asyncio.to_thread(account, control_plane, namespace, "operator", RESTATE_RULES)
    pod = await asyncio.to_thread(run_pod, kubectl, namespace)
    await asyncio.to_thread(make_service, kubectl, namespace)
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    configuration = await load_configuration()
    address = urlsplit(configuration.host)
    assert address.port is not None
    relay = Relay(address.port)
    await relay.start()
    configuration.host = f"https://{address.hostname}:{relay.port}"
    client = KubeClient(always(configuration))
    watching = Watching(namespace, pod, relay, Gates())
    pods = RestatePods(
        kube=client,
        namespace=namespace,
        selector=SELECTOR,
        gates=watching.gates,
        on_change=watching.changed,
    )
    task = asyncio.create_task(pods.run())
    await watching.until(True, WATCHING + namespace)
    caplog.clear()
    yield watching
    assert not task.done(), "the watch goes on whatever happens"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await client.close()
    await relay.stop()


async def test_a_container_restart_inside_a_pod_is_a_change(watching: Watching, kubectl: Kubectl) -> None:
    await watching.hears(restart_container, kubectl, watching.namespace, watching.pod)


async def test_a_pod_that_goes_and_one_that_comes_are_changes(watching: Watching, kubectl: Kubectl) -> None:
    await watching.hears(kubectl, "delete", "pod", watching.pod, "-n", watching.namespace)
    await watching.hears(run_pod, kubectl, watching.namespace)


async def test_an_endpointslice_has_the_labels_of_its_service_and_its_changes_count(
    watching: Watching, kubectl: Kubectl
) -> None:
    service = ("service", "restate", "-n", watching.namespace)
    await watching.hears(kubectl, "delete", *service)
    await watching.hears(make_service, kubectl, watching.namespace)
    port = '-p={"spec": {"ports": [{"port": 9070, "targetPort": 19070}]}}'
    await watching.hears(kubectl, "patch", *service, port)


async def test_pods_with_other_labels_or_in_other_namespaces_are_none_of_its_business(
    watching: Watching, kubectl: Kubectl
) -> None:
    before = await watching.quiet()
    other = await asyncio.to_thread(run_pod, kubectl, watching.namespace, {"app": "postgres"})
    await asyncio.to_thread(restart_container, kubectl, watching.namespace, other)
    elsewhere = await asyncio.to_thread(run_pod, kubectl, "default", LABELS)
    await asyncio.to_thread(kubectl, "delete", "pod", elsewhere, "-n", "default")
    assert await watching.quiet() == before


async def test_a_cut_connection_is_opened_again_at_once_and_counts_as_a_change(
    watching: Watching, kubectl: Kubectl, said: Said
) -> None:
    await watching.hears(watching.relay.cut)
    await watching.hears(restart_container, kubectl, watching.namespace, watching.pod)
    assert said() == []


async def test_an_api_server_that_is_away_is_told_once_and_its_return_counts_as_a_change(
    watching: Watching, kubectl: Kubectl, said: Said
) -> None:
    before = await watching.quiet()
    await watching.relay.stop()
    await watching.until(False, "does not answer")
    await asyncio.to_thread(restart_container, kubectl, watching.namespace, watching.pod)
    assert watching.changes == before
    await asyncio.sleep(5 * BACKOFF_BASE)  # for several failures, of both watches
    (warning,) = said()
    assert re.match(r"landlord can't watch (pods|endpointslices): https://127\.0\.0\.1:", warning)
    await watching.relay.start()
    await watching.until(True, WATCHING)
    assert watching.changes > before
    assert said()[1:] == [WATCHING + watching.namespace]


async def test_what_went_while_the_api_server_was_away_is_not_missed(
    watching: Watching, kubectl: Kubectl
) -> None:
    before = await watching.quiet()
    await watching.relay.stop()
    gone = ("pod/" + watching.pod, "service/restate", "-n", watching.namespace)
    await asyncio.to_thread(kubectl, "delete", *gone)
    await watching.relay.start()
    await watching.until(False, f"no pods with {SELECTOR} in namespace {watching.namespace}: check LANDLORD_")
    assert watching.changes > before


async def test_a_connection_that_hangs_is_noticed_by_its_silence(
    watching: Watching, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kube, "WATCH_SILENCE_SECONDS", 3.0)
    await watching.hears(watching.relay.cut)
    before = await watching.quiet()
    watching.relay.freeze()
    await asyncio.to_thread(restart_container, kubectl, watching.namespace, watching.pod)
    await eventually_async(watching.more_than(before))


async def test_a_watch_that_the_api_server_ends_in_time_is_nothing_to_tell(
    watching: Watching, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    monkeypatch.setattr(kube, "WATCH_SECONDS", (1, 1))
    watching.relay.cut()
    for _ in range(3):
        await eventually_async(watching.more_than(watching.changes))
    assert said() == []


async def test_rights_that_are_withdrawn_and_given_back_are_noticed(
    control_plane: ControlPlane, watching: Watching, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    operator = f"{watching.namespace}/operator"
    await asyncio.to_thread(grant, control_plane, watching.namespace, operator, RESTATE_RULES[:1])
    watching.relay.cut()
    await watching.until(
        False, "landlord can't watch endpointslices: endpointslices.discovery.k8s.io is forbidden"
    )
    (warning,) = said()
    assert "landlord still checks the registration every few seconds" in warning
    await asyncio.to_thread(grant, control_plane, watching.namespace, operator, RESTATE_RULES)
    await watching.until(True, WATCHING)


async def test_labels_that_nothing_has_are_told_with_what_to_do(
    watching: Watching, kubectl: Kubectl, said: Said
) -> None:
    await asyncio.to_thread(make_service, kubectl, watching.namespace, {"app": "postgres"})

    def none_left() -> bool:
        return not kubectl.api.get("endpointslices", namespace=watching.namespace, selector=SELECTOR)["items"]

    await eventually_async(lambda: asyncio.to_thread(none_left))
    watching.relay.cut()
    await watching.until(False, f"no endpointslices with {SELECTOR} in namespace {watching.namespace}")
    (warning,) = said()
    assert "they have the labels of their Service, so label that like the pods" in warning
