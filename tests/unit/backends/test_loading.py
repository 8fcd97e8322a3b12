from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from dev.plugin import write_plugin
from landlord.backends.loading import GROUP, find_plug_ins, load_backends, load_from
from landlord.backends.memory import MemoryBackend
from landlord.errors import SettingsError


class Impostor(MemoryBackend):
    name = "somebody-else"


class Half:
    name = "half"
    Config = "none"

    def apply(self, desired: object) -> list[object]:
        return []


class Broken(MemoryBackend):
    name = "broken"

    def __init__(self) -> None:
        raise RuntimeError("no licence")


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=GROUP)


MEMORY = point("memory", "landlord.backends.memory:MemoryBackend")


def test_without_a_choice_all_installed_backends_are_loaded_reachable_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    monkeypatch.setenv("KUBECONFIG", "/no/such/file")
    backends = load_backends()
    assert {"docker", "kubernetes", "memory"} <= set(backends)
    assert all(backend.name == name for name, backend in backends.items())


def test_only_enabled_backends_are_loaded() -> None:
    unloadable = point("plugin", "no.such.module:Backend")
    assert set(load_from([MEMORY, unloadable], ["memory"])) == {"memory"}


def test_plug_ins_are_those_that_did_not_come_with_landlord(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = find_plug_ins()
    assert not before & {"docker", "kubernetes", "memory"}
    write_plugin(tmp_path, Impostor)
    monkeypatch.syspath_prepend(tmp_path)
    assert find_plug_ins() == before | {"somebody-else"}


@pytest.mark.parametrize(
    ("installed", "enabled", "message"),
    [
        pytest.param(
            [MEMORY], ["dokcer"], r"LANDLORD_BACKENDS names 'dokcer'.*installed: memory", id="unknown"
        ),
        pytest.param([MEMORY], [], r"LANDLORD_BACKENDS enables no backend; installed: memory", id="empty"),
        pytest.param([], None, r"LANDLORD_BACKENDS enables no backend; installed: none", id="none-installed"),
        pytest.param([MEMORY, MEMORY], None, r"'memory' is installed more than once", id="twice"),
        pytest.param(
            [point("plugin", "no.such.module:Backend")],
            None,
            r"'plugin' \(no.such.module:Backend\) of .* can't be loaded: ModuleNotFoundError: ",
            id="import-fails",
        ),
        pytest.param(
            [point("broken", f"{__name__}:Broken")],
            None,
            r"'broken' .* can't be loaded: RuntimeError: no licence",
            id="constructor-fails",
        ),
        pytest.param(
            [point("half", f"{__name__}:Half")],
            None,
            r"'half' .* lacks .*delete, .*survey, .*close.*, Config, a pydantic model",
            id="incomplete",
        ),
        pytest.param(
            [point("none", f"{__name__}:GROUP")],
            None,
            r"'none' .* lacks name, Config, apply, ",
            id="no-class",
        ),
        pytest.param(
            [point("honest", f"{__name__}:Impostor")],
            None,
            r"'honest' of .* leads to a backend that is named 'somebody-else'",
            id="other-name",
        ),
    ],
)
def test_what_can_not_be_loaded_ends_the_start_and_says_why(
    installed: list[EntryPoint], enabled: list[str] | None, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        load_from(installed, enabled)
