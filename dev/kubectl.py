"""The pinned kubectl against one cluster."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.api import Api, api_of
from dev.failure import LocalFailure
from dev.tools import KUBECTL, program

_SECONDS = 120.0
_CRD_SECONDS = 30.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Kubectl:
    """kubectl with a given kubeconfig."""

    kubeconfig: Path

    @property
    def api(self) -> Api:
        """A client of the same API server, which starts no process."""
        return api_of(self.kubeconfig)

    def __call__(self, *args: str, stdin: str | None = None, timeout: float = _SECONDS) -> str:
        """Run a command and return its output. Raises LocalFailure with kubectl's message."""
        result = self.run(*args, stdin=stdin, timeout=timeout)
        if result.returncode != 0:
            raise LocalFailure(f"kubectl {' '.join(args)}: {result.stderr.strip()}")
        return result.stdout

    def run(
        self, *args: str, stdin: str | None = None, timeout: float = _SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Run a command that may fail."""
        argv = [str(program(KUBECTL)), f"--kubeconfig={self.kubeconfig}", *args]
        try:
            return subprocess.run(  # noqa: S603
                argv, input=stdin, capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired as expired:
            raise LocalFailure(f"kubectl {' '.join(args)} did not finish within {timeout:.0f} s") from expired

    def get(self, *args: str) -> dict[str, Any]:
        """The decoded output of `kubectl get … -o json`."""
        found: dict[str, Any] = json.loads(self("get", *args, "-o", "json"))
        return found

    def apply(self, *manifests: Path | str) -> None:
        """Apply files, or manifests that are given as text."""
        for manifest in manifests:
            if isinstance(manifest, Path):
                self("apply", "--server-side", "-f", str(manifest))
            else:
                self("apply", "--server-side", "-f", "-", stdin=manifest)

    def install_crd(self, crd: Path) -> None:
        """Apply a CRD, and wait until the API server serves it."""
        self.apply(crd)
        established = 'jsonpath={.status.conditions[?(@.type=="Established")].status}'
        deadline = time.monotonic() + _CRD_SECONDS
        # Both `kubectl wait` and `get` with this filter fail while the object has no conditions.
        while (seen := self.run("get", "-f", str(crd), "-o", established)).stdout != "True":
            if time.monotonic() > deadline:
                late = (
                    f"the API server did not establish {crd.name} within {_CRD_SECONDS:.0f} s: {seen.stderr}"
                )
                raise LocalFailure(late)
            time.sleep(_POLL_SECONDS)

    def answers(self) -> bool:
        """Whether the API server reports that it is ready."""
        try:
            return self.run("get", "--raw", "/readyz", "--request-timeout=5s", timeout=10).returncode == 0
        except LocalFailure:
            return False
