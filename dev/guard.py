"""Cleans up after a process that did not come to clean up itself.

The guard is a child that holds the other end of a pipe and is told what its parent starts. When the pipe
closes without a word of leave, so after an error, Ctrl-C or any crash, even SIGKILL, it discards those parts.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.paths import on_path
from dev.process import mark_of, sweep

EVERYTHING = "everything"
_LEAVE = "leave"


def discard(state: Path, part: str) -> None:
    """End the processes of a part of the environment in `state`, and remove the part's folder."""
    sweep(f"{mark_of(state)}/{part}", grace=0)
    shutil.rmtree(state / part, ignore_errors=True)


class Guard:
    """What to discard if this process crashes."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child

    def watch(self, part: str) -> None:
        """Tell it of a part before that is started; EVERYTHING stands for all that `make down` ends."""
        self._say(part)

    def _say(self, word: str) -> None:
        if self._child.stdin is not None:
            self._child.stdin.write(f"{word}\n")
            self._child.stdin.flush()


@contextmanager
def guarded(state: Path) -> Iterator[Guard]:
    """If the body ends in any way but a regular one, the parts that the guard was told of are discarded."""
    argv = [sys.executable, "-m", "dev.guard", str(state)]
    # Its own session: Ctrl-C and the end of the terminal reach it through the pipe only.
    child = subprocess.Popen(  # noqa: S603
        argv, env=os.environ | on_path(), stdin=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield Guard(child)
    except BaseException:
        child.communicate("")
        raise
    child.communicate(f"{_LEAVE}\n")


def main(state: Path) -> None:
    """Listen until the parent ends, then act."""
    words = sys.stdin.read().split()
    if _LEAVE in words:
        return
    for part in reversed(words):
        if part == EVERYTHING:
            environment = os.environ | on_path() | {"LANDLORD_STATE_DIR": str(state)}
            subprocess.run([sys.executable, "-m", "dev", "down"], env=environment, check=True)
        else:
            discard(state, part)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
