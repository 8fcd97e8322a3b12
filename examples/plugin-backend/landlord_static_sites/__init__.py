"""A backend for landlord: a static web site for each tenant, in a folder that your web server serves.

The worker reads `STATIC_SITES_ROOT`, the folder, and `STATIC_SITES_URL`, where its `www` is on the web.
"""

import asyncio
import html
import os
import string
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from landlord.api.outcome import Endpoint, ResourceRef, Result
from landlord.api.request import Desired
from landlord.backends.contract import Observation, Step
from landlord.errors import Retryable, Terminal
from landlord_static_sites.site import Site

IMAGE = "static"
READ = {"name", "image", "env", "ports"}
"""The fields of a container that a site uses; the backend rejects all others instead of ignoring them."""
PATIENCE_SECONDS = 5.0


def _with_index(pages: dict[str, str]) -> dict[str, str]:
    if "index.html" not in pages:
        raise ValueError("must have an index.html")
    return pages


PageName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+\.html$")]
Pages = Annotated[dict[PageName, str], AfterValidator(_with_index)]


class StaticSitesBackend:
    """Needs no rights except to write into the folder."""

    name = "static-sites"

    class Config(BaseModel):
        """The schema of `spec.compute.config`."""

        model_config = ConfigDict(extra="forbid")
        pages: Pages = Field(
            default={"index.html": "<h1>$GREETING</h1>"},
            description="HTML by file name; $NAME stands for the value of the container's variable NAME.",
        )

    def __init__(self) -> None:
        self._root = Path(os.environ["STATIC_SITES_ROOT"])
        self._url = os.environ["STATIC_SITES_URL"].rstrip("/")

    def apply(self, desired: Desired) -> Sequence[Step]:
        """Steps: render the pages, publish them, and look at them on the web."""
        _check(desired)
        site, pages = self._site(desired.tenant_id), self._pages(desired)

        def render() -> Result:
            site.render(pages)
            return Result(resources=_kept(site, "files", "pages"))

        def publish() -> Result:
            site.publish(desired.hash())
            return Result()

        def look() -> Result:
            url = f"{self._url}/{desired.tenant_id}/"
            _compare(url, pages["index.html"])
            ports = desired.workload.containers[0].ports
            return Result(endpoints=tuple(Endpoint(name=port.name, url=url) for port in ports))

        return (_step("render", render), _step("publish", publish), _step("look", look))

    def suspend(self, tenant_id: str) -> Sequence[Step]:
        """Steps: suspend, which takes the site off the web."""

        def suspend() -> Result:
            site = self._site(tenant_id)
            return Result(resources=_kept(site, "files", "pages") if site.take_down("Suspended") else ())

        return (_step("suspend", suspend),)

    def archive(self, tenant_id: str) -> Sequence[Step]:
        """Steps: archive, which takes the site off the web and keeps only the tenant's files."""

        def archive() -> Result:
            site = self._site(tenant_id)
            return Result(resources=_kept(site, "files") if site.take_down("Archived") else ())

        return (_step("archive", archive),)

    def delete(self, tenant_id: str) -> Sequence[Step]:
        """Steps: remove, which removes the site and the tenant's files."""

        def remove() -> Result:
            self._site(tenant_id).remove()
            return Result()

        return (_step("remove", remove),)

    async def survey(self) -> Mapping[str, Observation]:
        """Observe all sites."""
        return await asyncio.to_thread(self._survey)

    async def inspect(self, desired: Desired) -> Sequence[str]:
        """Compare the files with what `apply` would render now."""
        return await asyncio.to_thread(self._inspect, desired)

    async def close(self) -> None:
        """Nothing is open."""

    def _site(self, tenant_id: str) -> Site:
        return Site(self._root, tenant_id)

    def _pages(self, desired: Desired) -> dict[str, str]:
        config = self.Config.model_validate(desired.config or {})
        values = {each.name: html.escape(each.value) for each in desired.workload.containers[0].env}
        return {name: string.Template(text).safe_substitute(values) for name, text in config.pages.items()}

    def _survey(self) -> Mapping[str, Observation]:
        names = [folder.name for folder in (self._root / "tenants").glob("*")]
        return {name: found for name in names if (found := _observe(self._site(name)))}

    def _inspect(self, desired: Desired) -> list[str]:
        site, pages = self._site(desired.tenant_id), self._pages(desired)
        there = {file.name: file for file in site.pages.glob("*.html")}
        found = [] if site.is_on_the_web else [f"{site.link} does not lead to the pages"]
        found += [] if site.files.is_dir() else [f"{site.files} is missing"]
        found += [f"{site.pages / name} is missing" for name in pages.keys() - there.keys()]
        found += [f"{there[name]} should not exist" for name in there.keys() - pages.keys()]
        both = pages.keys() & there.keys()
        found += [f"{there[name]} was changed" for name in both if there[name].read_text() != pages[name]]
        return sorted(found)


def _check(desired: Desired) -> None:
    container, *others = desired.workload.containers
    wrong = sorted(container.model_dump(exclude_defaults=True).keys() - READ)
    wrong += [f"second container {other.name}" for other in others]
    wrong += ["replicas"] if desired.workload.replicas != 1 else []
    wrong += [f"image but {IMAGE!r}"] if container.image != IMAGE else []
    wrong += [f"secret in {each.name}: all can read it" for each in container.env if each.value_from]
    if wrong:
        raise Terminal(
            "Unsupported",
            f"a static site has no {', no '.join(wrong)}",
            "remove these fields from spec.workload",
        )


def _observe(site: Site) -> Observation | None:
    if (record := site.record) is None:
        return None
    if record.state != "Active":
        drift = f"{site.link} exists again" if site.is_on_the_web else ""
        return Observation(
            healthy=not drift,
            spec_hash=record.hash,
            reason=drift or "not on the web",
            state=record.state,
            drift=drift,
        )
    drift = "" if site.is_on_the_web or record.hash is None else f"{site.link} no longer leads to the pages"
    reason = drift or ("on the web" if record.hash else "not on the web yet")
    return Observation(site.is_on_the_web, record.hash, reason, drift=drift)


def _compare(url: str, expected: str) -> None:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
            seen = answer.read().decode(errors="replace")
    except OSError as error:
        seen = str(error)
    if seen != expected:
        reason = seen.partition("\n")[0][:100]
        raise Retryable("NotServed", f"{url} shows {reason}", "serve STATIC_SITES_ROOT/www there")


def _step(name: str, do: Callable[[], Result]) -> Step:
    return Step(name, partial(asyncio.to_thread, do))  # files and sockets must not block the worker


def _kept(site: Site, *kinds: str) -> tuple[ResourceRef, ...]:
    return tuple(ResourceRef(kind=kind, name=str(site.folder / kind)) for kind in kinds)
