"""The plug-in of examples/plugin-backend on its folder: what the contract suite can't know of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.harness import new_tenant_id, observe, settle, tenant
from tests.support.static_sites import NAME, installed_with_a_web_server

from landlord.api.request import Desired
from landlord.api.workload import Container, EnvSource, EnvVar, SecretKeyRef, Workload
from landlord.backends.contract import Backend
from landlord.backends.loading import load_backends
from landlord.errors import Retryable, Terminal

SECRET = EnvSource(secret_key_ref=SecretKeyRef(name="db", key="password"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the sites, while the plug-in is installed for this process."""
    with (
        installed_with_a_web_server(tmp_path_factory.mktemp(NAME)) as variables,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.syspath_prepend(variables["PYTHONPATH"])
        yield Path(variables["STATIC_SITES_ROOT"])


@pytest.fixture
def backend(root: Path) -> Backend:
    return load_backends([NAME])[NAME]


@pytest.fixture
def desired() -> Desired:
    return tenant(new_tenant_id("site"), "static")


@pytest.mark.parametrize("place", ["tenants", "www"])
async def test_what_somebody_else_has_made_is_a_conflict_and_left_alone(
    backend: Backend, desired: Desired, root: Path, place: str
) -> None:
    theirs = root / place / desired.tenant_id / "index.html"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    with pytest.raises(Terminal, match="was not created by landlord"):
        await settle(backend.apply(desired))
    await settle(backend.delete(desired.tenant_id))
    assert theirs.read_text() == "theirs"
    assert await observe(backend, desired.tenant_id) is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"command": ("serve",)}, "command"),
        ({"image": "nginx:1"}, "image but 'static'"),
        ({"env": (EnvVar(name="TOKEN", value_from=SECRET),)}, "secret in TOKEN"),
    ],
)
def test_what_a_site_can_not_have_is_refused(backend: Backend, change: dict[str, Any], word: str) -> None:
    container = Container(name="web", image="static").model_copy(update=change)
    with pytest.raises(Terminal, match=word):
        backend.apply(Desired.model_construct(tenant_id="acme", workload=Workload(containers=(container,))))


async def test_files_of_the_tenant_outlive_an_archive_and_no_teardown(
    backend: Backend, desired: Desired, root: Path
) -> None:
    await settle(backend.apply(desired))
    upload = root / "tenants" / desired.tenant_id / "files" / "logo.svg"
    upload.write_text("<svg/>")
    assert (root / "www" / desired.tenant_id / "files" / "logo.svg").read_text() == "<svg/>"
    kept = await settle(backend.archive(desired.tenant_id))
    assert [resource.name for resource in kept.resources] == [str(upload.parent)]
    assert not (root / "www" / desired.tenant_id).exists()
    assert {file.name for file in upload.parents[1].iterdir()} == {"files", "landlord.json"}
    assert upload.read_text() == "<svg/>"
    await settle(backend.apply(desired))
    assert (root / "www" / desired.tenant_id / "files" / "logo.svg").read_text() == "<svg/>"
    await settle(backend.delete(desired.tenant_id))
    assert not (root / "tenants" / desired.tenant_id).exists()


async def test_what_was_changed_by_hand_is_seen_and_put_back(
    backend: Backend, desired: Desired, root: Path
) -> None:
    await settle(backend.apply(desired))
    link = root / "www" / desired.tenant_id
    (link / "index.html").write_text("defaced")
    (line,) = await backend.inspect(desired)
    assert line.endswith("index.html was changed")
    link.unlink()
    seen = await observe(backend, desired.tenant_id)
    assert seen is not None
    assert (seen.healthy, seen.drift) == (False, f"{link} no longer leads to the pages")
    await settle(backend.apply(desired))
    assert await backend.inspect(desired) == []


async def test_site_is_not_ready_before_it_is_seen_on_the_web(
    backend: Backend, desired: Desired, root: Path
) -> None:
    render, publish, look = backend.apply(desired)
    await render.run()
    with pytest.raises(Retryable, match=r"404(.|\n)*serve STATIC_SITES_ROOT/www there"):
        await look.run()
    await publish.run()
    await look.run()
