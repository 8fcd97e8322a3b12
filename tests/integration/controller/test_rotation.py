"""Whatever a kubeconfig holds may be replaced while landlord runs: each client then uses what is new."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
import pytest
import trustme
from tests.support.kubeconfigs import Kubeconfig, foreign_certificate
from tests.support.observer import Observer
from tests.support.polling import eventually_async
from tests.support.rbac import administrator
from tests.support.relay import Relay
from tests.support.tunnel import Tunnel

from dev.apiserver import Credentials
from dev.cluster import ControlPlane
from dev.kubectl import Kubectl
from landlord import kubernetes_config
from landlord.backends.cluster.client import Cluster
from landlord.backends.cluster.kinds import NAMESPACE
from landlord.controller.kube import KubeClient
from landlord.controller.watch import kopf_thread, tenants
from landlord.kubernetes_api import KubeError


class Valid(NamedTuple):
    """What the control plane accepts."""

    server: str
    authority: bytes
    certificate: bytes
    key: bytes
    token: str


class Rotation(NamedTuple):
    """What a kubeconfig has at first, with which no request succeeds, and what it has then."""

    before: Callable[[Kubeconfig, Valid], None]
    after: Callable[[Kubeconfig, Valid], None]


VOID = "void"
ROTATIONS = {
    "a token": Rotation(
        lambda file, _: file.use_token(VOID), lambda file, valid: file.use_token(valid.token)
    ),
    "a tokenFile": Rotation(
        lambda file, _: file.use_token_file(VOID), lambda file, valid: file.use_token_file(valid.token)
    ),
    "an exec plugin": Rotation(
        lambda file, _: file.use_plugin(VOID), lambda file, valid: file.use_plugin(valid.token)
    ),
    "a client certificate in files": Rotation(
        lambda file, _: file.use_certificate_of(*foreign_certificate()),
        lambda file, valid: file.use_certificate_of(valid.certificate, valid.key),
    ),
    "a client certificate in the kubeconfig": Rotation(
        lambda file, _: file.use_certificate_data(*foreign_certificate()),
        lambda file, valid: file.use_certificate_data(valid.certificate, valid.key),
    ),
    "a CA": Rotation(
        lambda file, _: file.use_authority(trustme.CA().cert_pem.bytes()),
        lambda file, valid: file.use_authority(valid.authority),
    ),
    "an address": Rotation(
        lambda file, _: file.use_server("https://127.0.0.1:1"),
        lambda file, valid: file.use_server(valid.server),
    ),
}

each_rotation = pytest.mark.parametrize("rotation", ROTATIONS)


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes_config, "RELOAD_SECONDS", 0.0)
    monkeypatch.setattr(kopf_thread, "LONGEST_BACKOFF", 0.5)
    monkeypatch.setattr(tenants, "BACKOFF_CAP", 0.0)
    monkeypatch.setattr(tenants, "CHECK_SECONDS", 0.2)


@pytest.fixture
def valid(control_plane: ControlPlane, namespace: str) -> Valid:
    credentials = Credentials.load(control_plane.kubeconfig)
    assert credentials.certificate_files is not None
    certificate, key = (Path(file).read_bytes() for file in credentials.certificate_files)
    token = Credentials.load(administrator(control_plane, namespace, "rotated")).token
    assert token is not None
    return Valid(credentials.server, Path(credentials.ca_file).read_bytes(), certificate, key, token)


@pytest.fixture
def kubeconfig(control_plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubeconfig:
    kubeconfig = Kubeconfig(control_plane, tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig.path))
    return kubeconfig


@pytest.fixture
async def kube() -> AsyncIterator[KubeClient]:
    kube = KubeClient()
    yield kube
    await kube.close()


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    cluster = Cluster()
    yield cluster
    await cluster.close()


@pytest.fixture
async def relay(kubeconfig: Kubeconfig, valid: Valid) -> AsyncIterator[Relay]:
    """What the kubeconfig leads to, before the API server."""
    relay = Relay(port_of(valid.server))
    await relay.start()
    kubeconfig.use_server(f"https://127.0.0.1:{relay.port}")
    yield relay
    await relay.stop()


@pytest.fixture
async def tunnel() -> AsyncIterator[Tunnel]:
    tunnel = Tunnel()
    await tunnel.start()
    yield tunnel
    await tunnel.stop()


async def until_answered(ask: Callable[[], Awaitable[object]]) -> None:
    """Return when the API server answers with more than a refusal."""

    async def answered() -> bool:
        try:
            await ask()
        except KubeError as error:
            raise AssertionError(str(error)) from error
        return True

    await eventually_async(answered)


@each_rotation
async def test_operator_and_worker_use_what_was_replaced(
    kubeconfig: Kubeconfig, valid: Valid, kube: KubeClient, cluster: Cluster, rotation: str
) -> None:
    before, after = ROTATIONS[rotation]
    before(kubeconfig, valid)
    asked: list[Callable[[], Awaitable[object]]] = [
        lambda: kube.call("GET", "/api/v1/namespaces"),
        lambda: cluster.list_all(NAMESPACE),
    ]
    for ask in asked:
        with pytest.raises(KubeError) as raised:
            await ask()
        assert raised.value.status in (0, 401)
    after(kubeconfig, valid)
    for ask in asked:
        await until_answered(ask)


async def test_a_request_that_is_refused_for_its_outdated_token_is_made_with_the_new_one(
    kubeconfig: Kubeconfig, valid: Valid, kube: KubeClient
) -> None:
    kubeconfig.use_token(VOID)
    await kube.connect()
    kubeconfig.use_token(valid.token)
    await kube.call("GET", "/api/v1/namespaces")


async def test_a_plugin_that_fails_or_a_file_that_is_gone_leaves_the_present_credentials(
    kubeconfig: Kubeconfig, valid: Valid, kube: KubeClient
) -> None:
    kubeconfig.use_token(VOID)
    await kube.connect()
    for broken in (kubeconfig.use_failing_plugin, kubeconfig.path.unlink):
        broken()
        with pytest.raises(KubeError) as raised:
            await kube.call("GET", "/api/v1/namespaces")
        assert raised.value.status == 401
    kubeconfig.use_plugin(valid.token)
    await kube.call("GET", "/api/v1/namespaces")


async def test_a_watch_whose_token_is_replaced_goes_on_with_the_new_one(
    kubeconfig: Kubeconfig, valid: Valid, relay: Relay, kubectl: Kubectl, namespace: str
) -> None:
    void = await asyncio.to_thread(make_token_of, kubectl, namespace, "doomed")
    kubeconfig.use_token(void)
    async with Observer(kubectl, namespace).watching() as observer:
        await observer.create("before")
        await observer.until_seen("before")
        await asyncio.to_thread(kubectl, "delete", "secret", "doomed", "-n", namespace)
        await until_refused(void, valid.server, kubeconfig)
        kubeconfig.use_token(valid.token)
        relay.cut()
        await observer.create("after")
        await observer.until_seen("after")


async def test_a_watch_follows_an_api_server_that_has_moved(
    kubeconfig: Kubeconfig, valid: Valid, relay: Relay, kubectl: Kubectl, namespace: str
) -> None:
    async with Observer(kubectl, namespace).watching() as observer:
        await observer.create("before")
        await observer.until_seen("before")
        kubeconfig.use_server(valid.server)
        await relay.stop()
        await observer.create("after")
        await observer.until_seen("after")


async def test_the_watch_goes_through_the_proxy_of_the_kubeconfig(
    kubeconfig: Kubeconfig, kubectl: Kubectl, namespace: str, tunnel: Tunnel
) -> None:
    kubeconfig.cluster["proxy-url"] = tunnel.url
    kubeconfig.write()
    async with Observer(kubectl, namespace).watching() as observer:
        await observer.create("acme")
        await observer.until_seen("acme")
    assert set(tunnel.asked) == {urlsplit(kubeconfig.cluster["server"]).netloc}


async def test_the_watch_goes_through_the_proxy_of_the_environment(
    kubeconfig: Kubeconfig,
    kubectl: Kubectl,
    namespace: str,
    tunnel: Tunnel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", tunnel.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with Observer(kubectl, namespace).watching() as observer:
        await observer.create("acme")
        await observer.until_seen("acme")
    assert tunnel.asked


async def test_the_watch_asks_for_the_server_name_of_the_kubeconfig(
    kubeconfig: Kubeconfig, kubectl: Kubectl, namespace: str
) -> None:
    kubeconfig.cluster["tls-server-name"] = "elsewhere.example"
    kubeconfig.write()
    async with Observer(kubectl, namespace).watching() as observer:
        await observer.until_blind("elsewhere.example")
        kubeconfig.cluster["tls-server-name"] = "kubernetes.default.svc"
        kubeconfig.write()
        await observer.create("acme")
        await observer.until_seen("acme")


def port_of(server: str) -> int:
    """The port of a URL."""
    port = urlsplit(server).port
    assert port is not None
    return port


def make_token_of(kubectl: Kubectl, namespace: str, secret: str) -> str:
    """A token of the administrator `rotated` that is void as soon as this new Secret is deleted."""
    kubectl("create", "secret", "generic", secret, "-n", namespace)
    bound = ["--bound-object-kind=Secret", f"--bound-object-name={secret}"]
    return kubectl("create", "token", "rotated", "-n", namespace, *bound).strip()


async def until_refused(token: str, server: str, kubeconfig: Kubeconfig) -> None:
    """Return when the API server refuses the token, which it remembers for 10 s."""
    tls = ssl.create_default_context(cafile=kubeconfig.cluster["certificate-authority"])
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:

        async def refused() -> bool:
            async with session.get(f"{server}/api/v1/namespaces", ssl=tls) as answer:
                return answer.status == 401

        await eventually_async(refused, what="the token is void")
