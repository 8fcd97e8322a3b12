"""What a person sees while something takes long."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_QUIET_SECONDS = 30.0


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


def clock(seconds: float) -> str:
    """Seconds as m:ss."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Progress:
    """One long step: a line that counts on a terminal, a line every half minute elsewhere."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._began = time.monotonic()
        self._last = self._began
        self._terminal = sys.stdout.isatty()

    @property
    def elapsed(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self._began

    def tick(self) -> None:
        """Call about once a second."""
        now = time.monotonic()
        if self._terminal:
            sys.stdout.write(f"\r{self._label} … {clock(self.elapsed)} ")
            sys.stdout.flush()
        elif now - self._last >= _QUIET_SECONDS:
            self._last = now
            say(f"{self._label} … {clock(self.elapsed)}")

    def end(self, how: str) -> None:
        """Say how the step ended."""
        start = "\r" if self._terminal else ""
        say(f"{start}{self._label}: {how} ({clock(self.elapsed)})")


@contextmanager
def step(label: str) -> Iterator[Progress]:
    """Time a step and say how it ended."""
    progress = Progress(label)
    if not sys.stdout.isatty():
        say(f"{label} …")
    try:
        yield progress
    except BaseException as error:
        progress.end("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
        raise
    progress.end("done")
