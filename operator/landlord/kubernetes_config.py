"""The cluster's configuration, as kubectl finds it, and again whenever it may have changed.

Tokens, client certificates, CAs and addresses are replaced while landlord runs, mostly in files, and an exec
plugin gives others each time. `kubernetes.aio` reads them once, except a pod's own token.
"""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import yaml
from kubernetes.aio import config as kubernetes_config
from kubernetes.aio.client.configuration import Configuration

from landlord.errors import SettingsError

log = logging.getLogger(__name__)

RELOAD_SECONDS = 10.0
"""How long a configuration counts as fresh: a refusal within this time has another cause than its age."""
LOAD_SECONDS = 30.0
"""How long an exec plugin may take."""
DOUBTFUL = (401, 502, 503, 504)
"""Answers that outdated credentials get, or that a gateway gives at an address that is no longer the API
server's."""

TOKEN = "BearerToken"  # noqa: S105 - the name of the setting in kubernetes.aio

_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

Load = Callable[[], Awaitable[Configuration]]


async def load_configuration() -> Configuration:
    """Load the pod's service account in a cluster, otherwise the file in $KUBECONFIG or ~/.kube/config.

    Raises SettingsError if it can't be read.
    """
    configuration = Configuration()
    kubeconfig = _find_kubeconfig()
    if kubeconfig is None:
        try:
            kubernetes_config.load_incluster_config(client_configuration=configuration)
        except (kubernetes_config.ConfigException, OSError) as error:
            raise _unreadable("the pod's service account", error) from error
    else:
        await _load_kubeconfig(kubeconfig, configuration)
    configuration.connection_pool_maxsize = 256
    # aiohttp would look up a netrc entry and a proxy in a thread for each request, which costs more than the
    # request itself. A netrc entry for all hosts would also conflict with the bearer token.
    configuration.client_session_kwargs = {"trust_env": False}
    host = urlsplit(configuration.host).hostname or ""
    if configuration.proxy is None and not proxy_bypass(host):
        configuration.proxy = getproxies().get("https")
    return configuration


async def _load_kubeconfig(where: str, configuration: Configuration) -> None:
    if not _has_file(where):
        raise _unreadable(where, "no such file")
    try:
        async with asyncio.timeout(LOAD_SECONDS):
            await kubernetes_config.load_kube_config(config_file=where, client_configuration=configuration)
    except TimeoutError as error:
        raise _unreadable(where, f"its exec plugin took more than {LOAD_SECONDS:g} s") from error
    except yaml.YAMLError as error:
        raise _unreadable(where, "it is not YAML") from error
    except (TypeError, AttributeError) as error:  # what the loader raises for any other YAML
        raise _unreadable(where, "it is not a kubeconfig") from error
    except (kubernetes_config.ConfigException, OSError, ValueError) as error:
        raise _unreadable(where, error) from error
    if token := configuration.api_key.get(TOKEN):
        configuration.api_key[TOKEN] = token.strip()  # a tokenFile may end in a newline


def find_namespace() -> str:
    """Find the namespace that kubectl uses by default. Requires what `load_configuration` has read."""
    kubeconfig = _find_kubeconfig()
    if kubeconfig is None:
        return _POD_NAMESPACE.read_text().strip()
    _, current = kubernetes_config.list_kube_config_contexts(kubeconfig)
    namespace: str = current["context"].get("namespace") or "default"
    return namespace


def _find_kubeconfig() -> str | None:
    """Find what names the kubeconfig files; None in a pod that has none."""
    path = os.environ.get("KUBECONFIG")
    if "KUBERNETES_SERVICE_HOST" in os.environ and not path:
        return None
    return path or str(Path.home() / ".kube" / "config")


def _has_file(kubeconfig: str) -> bool:
    """Return whether any file in KUBECONFIG exists; the loader skips those that do not."""
    return any(Path(file).is_file() for file in kubeconfig.split(os.pathsep))


def _unreadable(where: str, why: object) -> SettingsError:
    return SettingsError(
        f"KUBECONFIG: can't read a cluster configuration from {where}: {why}\n"
        "Fix: set KUBECONFIG to a file that `kubectl --kubeconfig FILE get namespaces` accepts."
    )


class CurrentConfiguration:
    """The configuration to use now. It is read again when an answer makes its user doubt it."""

    def __init__(self, load: Load = load_configuration) -> None:
        self._load = load
        self._configuration: Configuration | None = None
        self._files: tuple[bytes, ...] = ()
        """What was in the files that the configuration refers to, because they may be replaced in place."""
        self._loaded = 0.0
        self._loading = asyncio.Lock()

    async def get(self) -> Configuration:
        """Return the configuration. Raises SettingsError if it could never be read."""
        async with self._loading:
            return self._configuration or self._use(await self._load())

    async def refresh(self, used: Configuration) -> Configuration:
        """Return the configuration to use instead of `used`, which is the same one if nothing has changed.

        It reads again at most once in RELOAD_SECONDS. What can't be read, or gives no credentials where there
        were some, is being written or its plugin fails, so the previous one stays in use.
        """
        async with self._loading:
            if used is self._configuration and time.monotonic() - self._loaded > RELOAD_SECONDS:
                try:
                    found = await self._load()
                except SettingsError as error:
                    log.warning("landlord keeps its present credentials: %s", error)
                    found = used
                self._loaded = time.monotonic()
                if self._differs(used, found):
                    log.info("the configuration of the cluster has changed", extra={"server": found.host})
                    self._use(found)
            return self._configuration or used

    def _use(self, configuration: Configuration) -> Configuration:
        self._configuration, self._loaded = configuration, time.monotonic()
        self._files = _read_files(configuration)
        return configuration

    def _differs(self, used: Configuration, found: Configuration) -> bool:
        if _has_credentials(used) and not _has_credentials(found):
            return False
        return _list_values(used) != _list_values(found) or self._files != _read_files(found)


def _has_credentials(configuration: Configuration) -> bool:
    return bool(configuration.api_key.get(TOKEN) or configuration.cert_file)


def _list_values(configuration: Configuration) -> tuple[object, ...]:
    return (
        configuration.host,
        configuration.api_key.get(TOKEN),
        configuration.verify_ssl,
        configuration.tls_server_name,
        configuration.proxy,
    )


def _read_files(configuration: Configuration) -> tuple[bytes, ...]:
    named = (configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file)
    return tuple(Path(file).read_bytes() if file and Path(file).is_file() else b"" for file in named)
