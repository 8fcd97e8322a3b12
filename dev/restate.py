"""A real Restate server."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from dev.net import LOOPBACK, status_of, wait_until
from dev.process import OneProcess, spawn
from dev.signing import ensure_key, read_public_key
from dev.tools import RESTATE, program

_START_SECONDS = 60.0


@dataclass(frozen=True)
class RestatePorts:
    """The ports of one server, on the loopback address only."""

    admin: int
    ingress: int
    node: int


class RestateServer(OneProcess):
    """One restate-server process with its own data, which signs its requests.

    It keeps its ports and its key when it restarts, and when its data is deleted.
    """

    def __init__(self, folder: Path, ports: RestatePorts, *, mark: str, partitions: int = 1) -> None:
        self.ports = ports
        self.settings: dict[str, str] = {}
        """Further environment variables for the next start."""
        self.log = folder / "restate.log"
        self.private_key = folder / "identity.pem"
        self.node_name = "local"
        """With another name, the next start uses another, empty store beside the existing one."""
        self._data = folder / "data"
        self._mark = mark
        self._partitions = partitions

    @property
    def admin_url(self) -> str:
        """The URL of the admin API."""
        return f"http://{LOOPBACK}:{self.ports.admin}"

    @property
    def ingress_url(self) -> str:
        """The URL of the ingress."""
        return f"http://{LOOPBACK}:{self.ports.ingress}"

    @property
    def identity_key(self) -> str:
        """The key that a worker needs in LANDLORD_RESTATE_IDENTITY_KEYS to accept this server's requests."""
        ensure_key(self.private_key)
        return read_public_key(self.private_key)

    def start(self) -> None:
        """Start it with the existing data, and wait until it is healthy."""
        self._data.mkdir(parents=True, exist_ok=True)
        ensure_key(self.private_key)
        argv = [str(program(RESTATE)), "--base-dir", str(self._data), "--no-logo"]
        self.identity = spawn(
            argv, mark=self._mark, env=self._settings(), log=self.log, cwd=self._data.parent
        )
        wait_until(self.healthy, timeout=_START_SECONDS, what=RESTATE, alive=self.running, log=self.log)

    def healthy(self) -> bool:
        """Whether both ports answer, and the partitions can be queried."""
        return (
            status_of(f"{self.admin_url}/health") == 200
            and status_of(f"{self.ingress_url}/restate/health") == 200
            # /health does not wait for the partitions
            and status_of(f"{self.admin_url}/query", json_body='{"query": "select 1"}') == 200
        )

    def restart(self) -> None:
        """Stop it and start it with the same data."""
        self.stop()
        self.start()

    def wipe(self) -> None:
        """Stop it and delete its data: registrations, journals and state."""
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
            **self.settings,
        }
