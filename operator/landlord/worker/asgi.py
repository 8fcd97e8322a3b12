"""The worker's endpoints on one port: the workflow for Restate, /healthz and /metrics for everybody else."""

import json
from collections.abc import Mapping, Sequence

from hypercorn.typing import (
    ASGIFramework,
    ASGIReceiveCallable,
    ASGISendCallable,
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    Scope,
)
from prometheus_client import make_asgi_app
from restate.endpoint import Endpoint

from landlord import metrics
from landlord.api import names
from landlord.backends.contract import Backend
from landlord.errors import SettingsError
from landlord.worker.revision import revision_of
from landlord.worker.service import tenant_provisioning
from landlord.worker.survey import tenant_survey

IDENTITY_SETTING = "LANDLORD_RESTATE_IDENTITY_KEYS"


def make_app(backends: Mapping[str, Backend], identity_keys: Sequence[str] = ()) -> ASGIFramework:
    """The worker as an ASGI application.

    With identity keys, every request for the workflow must be signed by Restate with one of them; /healthz
    and /metrics never need to be. Raises SettingsError for what is not a key.
    """
    workflow_object = tenant_provisioning(backends)
    endpoint = Endpoint().bind(workflow_object, tenant_survey(backends))  # type: ignore[no-untyped-call]
    revision = revision_of(endpoint, backends)
    # Told by the worker that Restate discovers: during a rollout another one may answer who asks /healthz.
    workflow_object.service_tag.metadata = {names.REVISION: revision}
    for key in identity_keys:
        endpoint.identity_key(key)
    health = json.dumps({"status": "ok", "revision": revision, "backends": sorted(backends)}).encode()
    try:
        workflow: ASGIFramework = endpoint.app()
    except Exception as error:  # the SDK raises a bare Exception
        raise SettingsError(
            f"{IDENTITY_SETTING} holds what is not a public key of Restate: {error}; "
            "each looks like publickeyv1_… and is in Restate's log at its start"
        ) from error
    exported: ASGIFramework = make_asgi_app(metrics.WORKER)

    async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "http" and scope["path"] == "/healthz":
            await _answer(send, health)
        elif scope["type"] == "http" and scope["path"] == "/metrics":
            await exported(scope, receive, send)
        else:
            await workflow(scope, receive, send)

    return app


async def _answer(send: ASGISendCallable, body: bytes) -> None:
    headers = [(b"content-type", b"application/json")]
    await send(HTTPResponseStartEvent(type="http.response.start", status=200, headers=headers))
    await send(HTTPResponseBodyEvent(type="http.response.body", body=body, more_body=False))
