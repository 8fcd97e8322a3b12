"""Finds images on the engine, or pulls each once for all steps that wait for it."""

import asyncio
import threading
import time
from concurrent.futures import Future

from docker import APIClient
from docker.errors import APIError, InvalidRepository, NotFound
from docker.utils import parse_repository_tag

from landlord.api.workload import Container
from landlord.backends.docker.engine import Engine, read_reason
from landlord.backends.docker.observed.engine_errors import explain_pull_failure
from landlord.backends.failures import explain_absent_image
from landlord.errors import Retryable

MOST_PULLS = 8
PATIENCE = 10.0
"""Seconds that one try waits for a pull. The pull continues, and the next try waits for it again."""
REMEMBERED = 30.0
"""Seconds for which the result of a pull is kept for the next try; longer than the wait between two."""


class Images:
    """The images of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pulls: dict[str, Pull] = {}

    async def ensure(self, container: Container) -> None:
        """Ensure that the container's image is on the engine, as its imagePullPolicy says."""
        image, policy = container.image, container.image_pull_policy
        # Also with Always: to pull, the SDK splits a reference, which may make an invalid one valid.
        is_there = await self._engine.run(lambda api: find_image_id(api, image))
        if policy != "Always":
            if is_there:
                return
            if policy == "Never":
                raise explain_absent_image(image, "engine")
        await self._pull(image)

    async def _pull(self, image: str) -> None:
        self._pulls = {name: pull for name, pull in self._pulls.items() if not pull.is_stale}
        pull = self._pulls.get(image)
        if pull is None:
            under_way = sum(not pull.done.done() for pull in self._pulls.values())
            if under_way >= MOST_PULLS:
                raise Retryable(
                    "Pulling", f"{image} waits, because {under_way} other images are being pulled"
                )
            pull = self._pulls[image] = Pull(self._engine, image)
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.wrap_future(pull.done)
        except TimeoutError:
            raise Retryable("Pulling", f"pulling {image}: {pull.progress}") from None
        finally:
            if pull.done.done():
                self._pulls.pop(image, None)


class Pull:
    """One pull, in a daemon thread, because it may take minutes and must not delay the end of the process."""

    def __init__(self, engine: Engine, image: str) -> None:
        self.done: Future[None] = Future()
        self.done.set_running_or_notify_cancel()  # from now on, no waiter can cancel it
        self.progress = "started"
        self._ended: float | None = None
        self._image = image
        threading.Thread(target=self._run, args=(engine,), name="docker-pull", daemon=True).start()

    @property
    def is_stale(self) -> bool:
        """Whether it ended too long ago for its result to hold now."""
        return self._ended is not None and time.monotonic() - self._ended > REMEMBERED

    def _run(self, engine: Engine) -> None:
        try:
            engine.run_here(self._pull)
        except Exception as error:  # whatever it is, a step waits for this pull
            self.done.set_exception(error)
        else:
            self.done.set_result(None)
        finally:
            self._ended = time.monotonic()

    def _pull(self, api: APIClient) -> None:
        repository, tag = parse_repository_tag(self._image)
        layers: dict[str, tuple[int, int]] = {}
        try:
            for event in api.pull(repository, tag=tag, stream=True, decode=True):
                if "error" in event:
                    raise explain_pull_failure(self._image, None, event["error"])
                if total := event.get("progressDetail", {}).get("total"):
                    layers[event["id"]] = (event["progressDetail"]["current"], total)
                    have, all_of_it = map(sum, zip(*layers.values(), strict=True))
                    self.progress = f"{have / 1e6:.0f} of {all_of_it / 1e6:.0f} MB"
        except APIError as error:
            raise explain_pull_failure(self._image, error.status_code, read_reason(error)) from error
        except InvalidRepository as error:
            raise explain_pull_failure(self._image, 400, str(error)) from error


def find_image_id(api: APIClient, image: str) -> str | None:
    """Find the image's ID on the engine; None if it is absent. Raises Terminal for an invalid reference."""
    try:
        return str(api.inspect_image(image)["Id"])  # type: ignore[no-untyped-call]
    except NotFound:
        return None
    except APIError as error:
        if error.status_code == 400:
            raise explain_pull_failure(image, 400, read_reason(error)) from error
        raise
