"""Every version that a Tenant goes through, as a watch sees them."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.support.polling import eventually
from tests.support.system import System, Tenant

from dev.tools import KUBECTL, program


class History:
    """Records from its construction on, also what happens to a Tenant that is not there yet."""

    def __init__(self, folder: Path, system: System, name: str) -> None:
        self._name = name
        self._file = folder / "versions.json"
        argv = [str(program(KUBECTL)), f"--kubeconfig={system.kubectl.kubeconfig}", "-n", system.namespace]
        argv += ["get", "tenants", "--watch", "--output-watch-events", "-o", "json", "-v=6"]
        log = folder / "log"
        with self._file.open("wb") as output, log.open("wb") as errors:
            self._watch = subprocess.Popen(argv, stdout=output, stderr=errors)
        eventually(lambda: "watch=true" in log.read_text(), what="the watch is open")

    def versions(self) -> list[Tenant]:
        """The versions of the Tenant so far; the last one is the one that was deleted, if it was."""
        text, decoder, found, at = self._file.read_text(), json.JSONDecoder(), [], 0
        while at < len(text):
            try:
                event, at = decoder.raw_decode(text, at)
            except ValueError:
                break  # the last one is still being written
            at += len(text[at:]) - len(text[at:].lstrip())
            if event["object"]["metadata"]["name"] == self._name:
                found.append(event["object"])
        return found

    def stop(self) -> None:
        """Stop to record."""
        self._watch.terminate()
        self._watch.wait()


Record = Callable[[System, str], History]
"""Starts to record all that a Tenant goes through."""
