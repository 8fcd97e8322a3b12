"""The worker's endpoints on one port: the workflow for Restate, and /healthz and /metrics for everyone."""

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
from landlord.worker.service import build_provisioning_object
from landlord.worker.survey import build_survey_service

IDENTITY_SETTING = "LANDLORD_RESTATE_IDENTITY_KEYS"


def build_app(backends: Mapping[str, Backend], identity_keys: Sequence[str] = ()) -> ASGIFramework:
    """Return the worker as an ASGI application.

    With identity keys, Restate must sign every request for the workflow with one of them. /healthz and
    /metrics need no signature. Raises SettingsError for an invalid key.
    """
    workflow_object = build_provisioning_object(backends)
    endpoint = Endpoint().bind(workflow_object, build_survey_service(backends))  # type: ignore[no-untyped-call]
    revision = revision_of(endpoint, backends)
    # In the discovery too: during a rollout, Restate may discover another worker than /healthz reaches.
    workflow_object.service_tag.metadata = {names.REVISION: revision}
    for key in identity_keys:
        endpoint.identity_key(key)
    health = json.dumps({"status": "ok", "revision": revision, "backends": sorted(backends)}).encode()
    try:
        workflow: ASGIFramework = endpoint.app()
    except Exception as error:  # the SDK raises a bare Exception
        raise SettingsError(
            f"{IDENTITY_SETTING} contains an invalid public key: {error}\n"
            "Fix: use the key that Restate logs at start, such as publickeyv1_…."
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
