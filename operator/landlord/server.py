"""The operator's HTTP endpoints: /metrics, /healthz (this process), /readyz (its gates, as JSON) and
/registration (what it knows about the registration, as JSON)."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from landlord.api.schema import JsonObject
from landlord.engines.report import OperatorReport
from landlord.errors import SettingsError

Readiness = Callable[[], Awaitable[tuple[bool, JsonObject]]]


async def serve(
    bind: str,
    readiness: Readiness,
    registration: Callable[[], OperatorReport],
    before_scrape: Callable[[], None],
) -> web.AppRunner:
    """Serve on `bind` ("address:port") until the runner is cleaned up.

    `before_scrape` updates the gauges that are too costly to keep current. Raises SettingsError if the server
    can't listen on the address.
    """

    async def metrics(_: web.Request) -> web.Response:
        before_scrape()
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        ready, report = await readiness()
        return web.json_response(report, status=200 if ready else 503)

    async def show_registration(_: web.Request) -> web.Response:
        return web.json_response(text=registration().model_dump_json())

    app = web.Application()
    app.add_routes(
        [
            web.get("/metrics", metrics),
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/registration", show_registration),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    host, _, port = bind.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as error:
        await runner.cleanup()
        raise SettingsError(
            f"LANDLORD_HTTP_BIND: can't listen on {bind}: {error.strerror}\n"
            "Fix: stop the program that uses the port, or choose another address:port."
        ) from error
    return runner
