"""The API server of a control plane of one's own, killed and started again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from tests.support.polling import eventually
from tests.support.session import Session

from dev.cluster import ControlPlane
from dev.process import find_processes, spawn


@contextmanager
def killed_api_server(session: Session, control_plane: ControlPlane) -> Iterator[None]:
    """Kill it; start it again as it was at the end of the block, and return when it answers."""
    (server,) = [each for each in find_processes(session.mark) if _is_api_server_of(each, control_plane)]
    argv, env, cwd = server.cmdline(), server.environ(), Path(server.cwd())
    server.kill()
    server.wait()
    yield
    spawn(argv, mark=session.mark, env=env, log=session.folder("apiserver") / "log", cwd=cwd)
    eventually(control_plane.kubectl.answers, what="the API server is back")


def _is_api_server_of(process: psutil.Process, control_plane: ControlPlane) -> bool:
    return process.name() == "kube-apiserver" and str(control_plane.audit_log) in " ".join(process.cmdline())
