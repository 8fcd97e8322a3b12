"""A real worker whose backend does as a file says, so that tests can make steps slow, fail, or differ.

`<folder>/<tenantID>.json` maps step names, in their order, to what they do: `{"sleep": seconds}` or
`{"error": text}`. It is read again for every try. `<folder>/ran` gets a line per try.

`--kind another-handler` offers a handler more. `--kind half-rolled-out` is what one sees at a service of
which one replica has that handler already, and another one, which Restate happens to ask, has not. Other
kinds are those of `misbehaving`.
"""

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import restate
from tests.integration.restate import misbehaving

from landlord.api.outcome import ResourceRef, Result
from landlord.api.request import Desired
from landlord.backends.contract import Backend, NoConfig, Observation, Step
from landlord.worker import app, asgi, service

STEPS: dict[str, dict[str, Any]] = {"network": {}, "container": {}, "health": {}}


class ScriptedBackend:
    """Does what files say."""

    Config = NoConfig

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder

    def _script(self, tenant_id: str) -> dict[str, dict[str, Any]]:
        file = self._folder / f"{tenant_id}.json"
        script: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.exists() else STEPS
        return script

    def _step(self, tenant_id: str, name: str) -> Step:
        async def run() -> Result:
            with (self._folder / "ran").open("a") as ran:
                ran.write(f"{tenant_id} {name}\n")
            does = self._script(tenant_id).get(name, {})
            await asyncio.sleep(does.get("sleep", 0))
            if "error" in does:
                raise RuntimeError(does["error"])
            return Result(resources=(ResourceRef(kind=name, name=tenant_id),))

        return Step(name, run)

    def apply(self, desired: Desired) -> Sequence[Step]:
        return [self._step(desired.tenant_id, name) for name in self._script(desired.tenant_id)]

    def suspend(self, tenant_id: str) -> Sequence[Step]:
        return [self._step(tenant_id, "suspend")]

    def archive(self, tenant_id: str) -> Sequence[Step]:
        return [self._step(tenant_id, "archive")]

    def delete(self, tenant_id: str) -> Sequence[Step]:
        return [self._step(tenant_id, "remove")]

    async def survey(self) -> dict[str, Observation]:
        return {}

    async def inspect(self, desired: Desired) -> Sequence[str]:
        return []

    async def close(self) -> None:
        return


def with_another_handler(backends: Mapping[str, Backend]) -> restate.VirtualObject:
    """The workflow of a landlord that can do one thing more."""
    workflow = service.build_provisioning_object(backends)

    @workflow.handler()
    async def describe(ctx: restate.ObjectContext) -> str:
        return ctx.key()

    return workflow


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bind", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--backends", default="scripted")
    parser.add_argument("--kind", default="object")
    parser.add_argument("--identity-key", action="append", default=[])
    parser.add_argument("--retry-seconds", type=int)
    given = parser.parse_args()
    if given.retry_seconds is not None:
        policy = restate.InvocationRetryPolicy(initial_interval=timedelta(seconds=given.retry_seconds))
        service.RETRY_POLICY = policy
    backends = {name: ScriptedBackend(name, given.folder) for name in given.backends.split(",")}
    before = asgi.build_app(backends)
    if given.kind in ("another-handler", "half-rolled-out"):
        asgi.build_provisioning_object = with_another_handler  # type: ignore[attr-defined]
    if given.kind in ("object", "another-handler"):
        asyncio.run(app.serve(given.bind, backends, given.identity_key))
    elif given.kind == "half-rolled-out":
        asyncio.run(misbehaving.serve_two(given.bind, healthz=asgi.build_app(backends), workflow=before))
    else:
        asyncio.run(misbehaving.serve(given.bind, given.kind))


if __name__ == "__main__":
    main()
