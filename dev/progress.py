"""Print the progress of long steps."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_QUIET_SECONDS = 30.0


def say(text: str) -> None:
    """Print a line without buffering it."""
    print(text, flush=True)


def format_duration(seconds: float) -> str:
    """Seconds as m:ss."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class StepTimer:
    """The time of one step: a counter on a terminal, and a line every half minute elsewhere."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._began = time.monotonic()
        self._last = self._began
        self._terminal = sys.stdout.isatty()

    @property
    def elapsed(self) -> float:
        """Seconds since the step started."""
        return time.monotonic() - self._began

    def tick(self) -> None:
        """Update the counter. Call this about once a second."""
        now = time.monotonic()
        if self._terminal:
            sys.stdout.write(f"\r{self._label} … {format_duration(self.elapsed)} ")
            sys.stdout.flush()
        elif now - self._last >= _QUIET_SECONDS:
            self._last = now
            say(f"{self._label} … {format_duration(self.elapsed)}")

    def end(self, how: str) -> None:
        """Print how the step ended."""
        start = "\r" if self._terminal else ""
        say(f"{start}{self._label}: {how} ({format_duration(self.elapsed)})")


@contextmanager
def timing(label: str) -> Iterator[StepTimer]:
    """Print the label of a step, how long it takes, and how it ends."""
    timer = StepTimer(label)
    if not sys.stdout.isatty():
        say(f"{label} …")
    try:
        yield timer
    except BaseException as error:
        timer.end("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
        raise
    timer.end("done")
