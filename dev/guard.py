"""Clean up after a process that ends without cleaning up.

The guard is a child process. Its parent writes the name of each part that it starts into a pipe. If the pipe
closes without the word `leave`, after an error, Ctrl-C or any crash including SIGKILL, the guard stops those
parts and deletes their data.
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
    """Stop the processes of a part of the environment in `state`, and delete the part's folder."""
    sweep(f"{mark_of(state)}/{part}", grace=0)
    shutil.rmtree(state / part, ignore_errors=True)


class Guard:
    """What to clean up if this process crashes."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child

    def watch(self, part: str) -> None:
        """Register a part before starting it. EVERYTHING is all that `make down` stops."""
        self._write(part)

    def _write(self, word: str) -> None:
        if self._child.stdin is not None:
            self._child.stdin.write(f"{word}\n")
            self._child.stdin.flush()


@contextmanager
def guarding(state: Path) -> Iterator[Guard]:
    """Clean up the watched parts unless the body finishes without an exception."""
    argv = [sys.executable, "-m", "dev.guard", str(state)]
    # It has its own session, so that Ctrl-C and the end of the terminal reach it only through the pipe.
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
    """Read the pipe until the parent ends, then clean up if it must."""
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
