"""kopf as the watch: it lists and watches Tenants, passes every event on, and writes nothing.

kopf runs in a thread with its own event loop, because when it ends it waits for, cancels and re-raises every
task of the loop that it did not start itself. With these settings it took 7 s and 87 MB for 10,000 Tenants.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import kopf
from kubernetes.aio.client.configuration import Configuration

from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.backoff import BACKOFF_CAP, backoff
from landlord.kubernetes_api import load_configuration

log = logging.getLogger(__name__)

EventSink = Callable[[str | None, JsonObject], None]


class TenantWatch:
    """Watches Tenants. Calls the sink in the watch's own thread."""

    def __init__(self, namespaces: Sequence[str], sink: EventSink) -> None:
        self._namespaces = namespaces
        self._sink = sink
        self._stop = threading.Event()

    async def run(self, missed: asyncio.Event) -> None:
        """Watch until cancelled, and start again whenever the watch ends, as kopf's does on most errors.

        Each start lists all Tenants. It sets `missed`, because nothing reports those deleted in between.
        """
        failures, loop = 0, asyncio.get_running_loop()
        while True:
            begun = loop.time()
            try:
                await self._start()
                problem = "it ended without an error"
            except Exception as error:
                problem = str(error) or repr(error)
            failures = 1 if loop.time() - begun > BACKOFF_CAP else failures + 1
            log.warning("the watch on Tenants ended, and landlord starts it again: %s", problem)
            await asyncio.sleep(backoff(failures))
            missed.set()

    def _start(self) -> asyncio.Future[None]:
        """Start the watch; the future is done when the watch has ended, with its error if there was one."""
        loop = asyncio.get_running_loop()
        self._stop = stop = threading.Event()
        ended: asyncio.Future[None] = loop.create_future()

        def finish(error: BaseException | None) -> None:
            if not ended.done():
                ended.set_exception(error) if error else ended.set_result(None)

        def run() -> None:
            error: BaseException | None = None
            try:
                asyncio.run(self._watch(stop))
            except BaseException as problem:
                error = problem
            if not loop.is_closed():
                loop.call_soon_threadsafe(finish, error)

        threading.Thread(target=run, name="watch", daemon=True).start()
        return ended

    def stop(self) -> None:
        """Ask the watch to end."""
        self._stop.set()

    async def _watch(self, stop: threading.Event) -> None:
        registry = kopf.OperatorRegistry()

        @kopf.on.login(registry=registry)
        async def login(**_: Any) -> kopf.ConnectionInfo:
            return await build_connection_info()

        @kopf.on.event(names.GROUP, names.VERSION, names.PLURAL, registry=registry)
        async def pass_on(event: Any, **_: Any) -> None:
            self._sink(event["type"], event["object"])

        try:
            await kopf.operator(
                registry=registry,
                settings=build_settings(),
                standalone=True,
                # Only peers would read it. kopf's default needs a user name, which a pod's user lacks.
                identity=names.FIELD_MANAGER,  # type: ignore[arg-type]  # a NewType that kopf does not export
                clusterwide=not self._namespaces,
                namespaces=self._namespaces,
                stop_flag=stop,
            )
        finally:
            stop.set()  # kopf waits for it in a thread, without which this loop can't end


class NoDiffBase(kopf.DiffBaseStorage):
    """Spares kopf the work of finding out, for each event, what has changed: no handler needs it."""

    def build(
        self, *, body: kopf.Body, extra_fields: Iterable[kopf.FieldSpec] | None = None
    ) -> kopf.BodyEssence:
        """Nothing is compared."""
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        """Nothing was stored."""
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Nothing is stored."""


def build_settings() -> kopf.OperatorSettings:
    """Configure kopf for low-level events only."""
    settings = kopf.OperatorSettings()
    settings.watching.chunk_size = 500
    settings.queueing.worker_limit = 100
    settings.queueing.idle_timeout = 0.05  # because idle workers count towards worker_limit
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.persistence.diffbase_storage = NoDiffBase()
    # kopf removes this finalizer from every object that it observes, so nobody must use it.
    settings.persistence.finalizer = f"{names.GROUP}/not-used-by-anybody"
    return settings


async def build_connection_info() -> kopf.ConnectionInfo:
    """Read the credentials that the operator writes with, at each login."""
    configuration: Configuration = await load_configuration()
    scheme, token = None, None
    header = await configuration.get_api_key_with_prefix("BearerToken")
    if header:
        scheme, _, token = header.rpartition(" ")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        scheme=scheme or None,
        token=token,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
    )
