import threading
from pathlib import Path

import pytest

from dev.cache import BuildCache


def fill(folder: Path, lock: int) -> None:
    (folder / "tool").write_text("made")


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    calls: list[Path] = []

    def make(folder: Path, lock: int) -> None:
        calls.append(folder)
        fill(folder, lock)

    first = BuildCache(tmp_path).entry("etcd", "1", make)
    again = BuildCache(tmp_path).entry("etcd", "1", make)

    assert first == again
    assert (first / "tool").read_text() == "made"
    assert len(calls) == 1


def test_another_key_is_another_entry(tmp_path: Path) -> None:
    assert BuildCache(tmp_path).entry("etcd", "1", fill) != BuildCache(tmp_path).entry("etcd", "2", fill)


@pytest.mark.parametrize("end", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_making_leaves_nothing(tmp_path: Path, end: type[BaseException]) -> None:
    def make(folder: Path, lock: int) -> None:
        fill(folder, lock)
        raise end

    with pytest.raises(end):
        BuildCache(tmp_path).entry("etcd", "1", make)

    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_what_a_killed_making_left_is_removed_by_the_next(tmp_path: Path) -> None:
    (tmp_path / ".making-etcd-1").mkdir()

    BuildCache(tmp_path).entry("etcd", "1", fill)

    assert not list(tmp_path.glob(".making-*"))


def test_two_at_once_make_one(tmp_path: Path) -> None:
    making, may_end = threading.Event(), threading.Event()
    calls: list[Path] = []

    def make(folder: Path, lock: int) -> None:
        calls.append(folder)
        making.set()
        assert may_end.wait(10)
        fill(folder, lock)

    threads = [
        threading.Thread(target=BuildCache(tmp_path).entry, args=("etcd", "1", make)) for _ in range(2)
    ]
    threads[0].start()
    assert making.wait(10)
    threads[1].start()
    may_end.set()
    for thread in threads:
        thread.join(10)

    assert len(calls) == 1


def test_what_makers_share_is_removed_but_not_from_under_one(tmp_path: Path) -> None:
    shared = tmp_path / "go"

    def make(folder: Path, lock: int) -> None:
        shared.mkdir()
        BuildCache(tmp_path).discard("go")
        assert shared.is_dir()

    BuildCache(tmp_path).entry("etcd", "1", make)
    BuildCache(tmp_path).discard("go")

    assert not shared.exists()
