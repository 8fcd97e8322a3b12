"""`landlord backends`: each backend is told of, whatever another one does."""

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from importlib.metadata import EntryPoint

import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from landlord import cli
from landlord.backends.contract import Observation
from landlord.backends.loading import GROUP
from landlord.backends.memory import MemoryBackend
from landlord.errors import Retryable, SettingsError
from landlord.inventory import Installed, check_entry_points, find, render, render_one

PATIENCE_SECONDS = 3.0


class Fine(MemoryBackend):
    name = "fine"

    class Config(BaseModel):
        root: str

    async def survey(self) -> Mapping[str, Observation]:
        return {"acme": Observation(True, None, "ready")}


class Away(MemoryBackend):
    name = "away"

    async def survey(self) -> Mapping[str, Observation]:
        raise Retryable("Away", "the engine does not answer:\nstart it")


class Waits(MemoryBackend):
    name = "waits"

    async def survey(self) -> Mapping[str, Observation]:
        await asyncio.Event().wait()
        return {}


class Blocks(MemoryBackend):
    name = "blocks"

    def __init__(self) -> None:
        time.sleep(60)


class Leaves(MemoryBackend):
    name = "leaves"

    def __init__(self) -> None:
        sys.exit("no licence")


def point(name: str, value: str = "") -> EntryPoint:
    return EntryPoint(name=name, value=value or f"{__name__}:{name.capitalize()}", group=GROUP)


def found(*points: EntryPoint, enabled: list[str] | None = None) -> dict[str, Installed]:
    return {each.name: each for each in check_entry_points(points, enabled, PATIENCE_SECONDS)}


def test_healthy_backend_shows_its_tenants_and_the_schema_of_its_config() -> None:
    fine = found(point("fine"))["fine"]
    assert (fine.well, fine.healthy, fine.enabled, fine.tenants) == (True, True, True, 1)
    assert fine.config_schema["properties"]["root"]["type"] == "string"
    assert "fine  yes      1" in render([fine])
    assert '"root"' in render_one(fine)


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (point("away"), "the engine does not answer:\nstart it"),
        (point("waits"), "did not list its tenants within 3 s"),
        (point("blocks"), "did not load within 3 s"),
        (point("leaves"), "SystemExit: no licence"),
        (point("absent", "no.such.module:Backend"), "can't be loaded: ModuleNotFoundError"),
    ],
    ids=lambda value: value.name if isinstance(value, EntryPoint) else "",
)
def test_broken_backend_is_told_of_and_hides_no_other(broken: EntryPoint, problem: str) -> None:
    seen = found(broken, point("fine"))
    assert seen["fine"].well
    assert not seen[broken.name].well
    assert problem in seen[broken.name].message
    assert all(line.startswith(("NAME", "fine", broken.name)) for line in render(seen.values()).splitlines())


def test_backend_that_is_not_enabled_is_loaded_and_not_asked() -> None:
    away = found(point("away"), point("fine"), enabled=["fine"])["away"]
    assert (away.enabled, away.well, away.healthy, away.message) == (False, True, None, "loads")


def test_backend_that_is_enabled_and_not_installed_is_missed() -> None:
    missed = found(point("fine"), enabled=["fine", "fnie"])["fnie"]
    assert (missed.enabled, missed.well) == (True, False)
    assert "install its package, or remove it from LANDLORD_BACKENDS" in missed.message


def test_backend_that_is_installed_twice_is_no_backend() -> None:
    twice = check_entry_points([point("fine"), point("fine")], None, PATIENCE_SECONDS)
    assert [each.well for each in twice] == [False, False]
    assert all("installed more than once" in each.message for each in twice)


def test_unknown_name_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(SettingsError, match="backend 'fnie' is not installed here; installed: fine"):
        find(list(found(point("fine")).values()), "fnie")


@pytest.mark.parametrize(("enabled", "code"), [("memory", 0), ("memory,docker", 1)])
def test_exit_code_says_whether_all_enabled_ones_are_healthy(
    enabled: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    monkeypatch.setattr("logging.disable", lambda: None)
    ended = CliRunner().invoke(cli.main, ["backends", "--backends", enabled, "-o", "json"])
    assert ended.exit_code == code, ended
    listed = {each["name"]: each for each in json.loads(ended.stdout)}
    assert {name for name, each in listed.items() if each["enabled"]} == set(enabled.split(","))
    assert listed["memory"]["distribution"] == "landlord"
    assert listed["memory"]["healthy"]
