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
        """The same API server without a process for each request."""
        return api_of(self.kubeconfig)

    def __call__(self, *args: str, stdin: str | None = None, timeout: float = _SECONDS) -> str:
        """Run a command and return what it printed. Raises LocalFailure with kubectl's own words."""
        result = self.run(*args, stdin=stdin, timeout=timeout)
        if result.returncode != 0:
            raise LocalFailure(f"kubectl {' '.join(args)}: {result.stderr.strip()}")
        return result.stdout

    def run(
        self, *args: str, stdin: str | None = None, timeout: float = _SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Run a command whose failure is an answer too."""
        argv = [str(program(KUBECTL)), f"--kubeconfig={self.kubeconfig}", *args]
        try:
            return subprocess.run(  # noqa: S603
                argv, input=stdin, capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired as expired:
            raise LocalFailure(f"kubectl {' '.join(args)} did not answer in {timeout:.0f} s") from expired

    def get(self, *args: str) -> dict[str, Any]:
        """`kubectl get … -o json` as data."""
        found: dict[str, Any] = json.loads(self("get", *args, "-o", "json"))
        return found

    def apply(self, *manifests: Path | str) -> None:
        """Apply files (a Path) or manifests as text."""
        for manifest in manifests:
            if isinstance(manifest, Path):
                self("apply", "--server-side", "-f", str(manifest))
            else:
                self("apply", "--server-side", "-f", "-", stdin=manifest)

    def install_crd(self, crd: Path) -> None:
        """Apply a CRD and return when the API server serves it."""
        self.apply(crd)
        established = 'jsonpath={.status.conditions[?(@.type=="Established")].status}'
        deadline = time.monotonic() + _CRD_SECONDS
        # `kubectl wait` gives up on an object that has no conditions yet, and so does `get` with this filter.
        while (seen := self.run("get", "-f", str(crd), "-o", established)).stdout != "True":
            if time.monotonic() > deadline:
                late = f"{crd.name} was not established within {_CRD_SECONDS:.0f} s: {seen.stderr}"
                raise LocalFailure(late)
            time.sleep(_POLL_SECONDS)

    def answers(self) -> bool:
        """Whether the API server says that it is ready."""
        try:
            return self.run("get", "--raw", "/readyz", "--request-timeout=5s", timeout=10).returncode == 0
        except LocalFailure:
            return False
