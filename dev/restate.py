"""A real Restate server as a process of its own."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from dev.net import LOOPBACK, status_of, wait_until
from dev.process import OneProcess, spawn
from dev.signing import ensure_key, public_key
from dev.tools import RESTATE, program

_START_SECONDS = 60.0


@dataclass(frozen=True)
class RestatePorts:
    """Where one server listens, on the loopback address only."""

    admin: int
    ingress: int
    node: int


class RestateServer(OneProcess):
    """One native restate-server with its own data, which signs its requests.

    Ports and key stay the same over restarts, and when the data is wiped.
    """

    def __init__(self, folder: Path, ports: RestatePorts, *, mark: str, partitions: int = 1) -> None:
        self.ports = ports
        self.log = folder / "restate.log"
        self.private_key = folder / "identity.pem"
        self.node_name = "local"
        """Another one at the next start means another, empty store beside the one that is there."""
        self._data = folder / "data"
        self._mark = mark
        self._partitions = partitions

    @property
    def admin_url(self) -> str:
        """The admin API."""
        return f"http://{LOOPBACK}:{self.ports.admin}"

    @property
    def ingress_url(self) -> str:
        """Where invocations are sent."""
        return f"http://{LOOPBACK}:{self.ports.ingress}"

    @property
    def identity_key(self) -> str:
        """What LANDLORD_RESTATE_IDENTITY_KEYS of a worker has to be, or to hold, to accept its requests."""
        ensure_key(self.private_key)
        return public_key(self.private_key)

    def start(self) -> None:
        """Start it on the data that is there, and wait until it answers."""
        self._data.mkdir(parents=True, exist_ok=True)
        ensure_key(self.private_key)
        argv = [str(program(RESTATE)), "--base-dir", str(self._data), "--no-logo"]
        self.identity = spawn(
            argv, mark=self._mark, env=self._settings(), log=self.log, cwd=self._data.parent
        )
        wait_until(self.healthy, timeout=_START_SECONDS, what=RESTATE, alive=self.running, log=self.log)

    def healthy(self) -> bool:
        """Whether it answers on both ports and its partitions can be queried."""
        return (
            status_of(f"{self.admin_url}/health") == 200
            and status_of(f"{self.ingress_url}/restate/health") == 200
            # health alone does not wait for the partitions
            and status_of(f"{self.admin_url}/query", json_body='{"query": "select 1"}') == 200
        )

    def restart(self) -> None:
        """Stop and start on the same data."""
        self.stop()
        self.start()

    def wipe(self) -> None:
        """Stop it and forget all it knew: registrations, journals, state."""
        self.stop()
        shutil.rmtree(self._data, ignore_errors=True)

    def _settings(self) -> dict[str, str]:
        return {
            "RESTATE_BIND_IP": LOOPBACK,
            "RESTATE_LISTEN_MODE": "tcp",
            "RESTATE_REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE": str(self.private_key),
            "RESTATE_NODE_NAME": self.node_name,
            "RESTATE_BIND_PORT": str(self.ports.node),
            "RESTATE_ADMIN__BIND_PORT": str(self.ports.admin),
            "RESTATE_INGRESS__BIND_PORT": str(self.ports.ingress),
            "RESTATE_DEFAULT_NUM_PARTITIONS": str(self._partitions),
            "RESTATE_ROCKSDB_TOTAL_MEMORY_SIZE": "64 MB",
            "RESTATE_SHUTDOWN_TIMEOUT": "2s",
            "RESTATE_DISABLE_TELEMETRY": "true",
            "RESTATE_LOG_DISABLE_ANSI_CODES": "true",
        }
