"""A kubeconfig whose parts a test replaces while landlord uses it."""

import base64
import json
from pathlib import Path
from typing import Any

import trustme
import yaml
from kubernetes.aio.client.configuration import Configuration

from dev.cluster import ControlPlane
from landlord.kubernetes_config import Load

EXEC_API = "client.authentication.k8s.io/v1"


class Kubeconfig:
    """A file that leads to a control plane as its administrator, until something in it is replaced."""

    def __init__(self, control_plane: ControlPlane, folder: Path) -> None:
        config = yaml.safe_load(control_plane.kubeconfig.read_text())
        self._config: dict[str, Any] = config
        self.cluster: dict[str, Any] = config["clusters"][0]["cluster"]
        self.user: dict[str, Any] = config["users"][0]["user"]
        self.path = folder / "kubeconfig"
        self._folder = folder
        self.write()

    def write(self) -> None:
        """Write what `cluster` and `user` are by now."""
        self.path.write_text(yaml.safe_dump(self._config))

    def use_token(self, token: str) -> None:
        """Have the token in the kubeconfig itself."""
        self._replace_user({"token": token})

    def use_token_file(self, token: str) -> None:
        """Have the token in a file, with a newline at its end, as an editor leaves it."""
        (self._folder / "token").write_text(token + "\n")
        self._replace_user({"tokenFile": "token"})

    def use_plugin(self, token: str) -> None:
        """Have the token from an exec plugin."""
        answer = self._folder / "exec.json"
        answer.write_text(
            json.dumps({"apiVersion": EXEC_API, "kind": "ExecCredential", "status": {"token": token}})
        )
        plugin = {"apiVersion": EXEC_API, "command": "/bin/cat", "args": [str(answer)]}
        self._replace_user({"exec": plugin | {"interactiveMode": "Never"}})

    def use_failing_plugin(self) -> None:
        """Have an exec plugin that gives no credentials."""
        plugin = {"apiVersion": EXEC_API, "command": "/bin/false", "interactiveMode": "Never"}
        self._replace_user({"exec": plugin})

    def use_certificate_of(self, certificate: bytes, key: bytes) -> None:
        """Have a client certificate and its key in files, which are replaced in place."""
        for name, content in (("client.crt", certificate), ("client.key", key)):
            (self._folder / name).write_bytes(content)
        self._replace_user({"client-certificate": "client.crt", "client-key": "client.key"})

    def use_certificate_data(self, certificate: bytes, key: bytes) -> None:
        """Have a client certificate and its key in the kubeconfig itself."""
        encoded = [base64.b64encode(each).decode() for each in (certificate, key)]
        self._replace_user({"client-certificate-data": encoded[0], "client-key-data": encoded[1]})

    def use_authority(self, certificate: bytes) -> None:
        """Have the CA in a file, which is replaced in place."""
        (self._folder / "ca.crt").write_bytes(certificate)
        self.cluster["certificate-authority"] = "ca.crt"
        self.write()

    def use_server(self, server: str) -> None:
        """Have the API server at this URL."""
        self.cluster["server"] = server
        self.write()

    def _replace_user(self, user: dict[str, Any]) -> None:
        self.user.clear()
        self.user.update(user)
        self.write()


def always(configuration: Configuration) -> Load:
    """Load this configuration each time."""

    async def load() -> Configuration:
        return configuration

    return load


def foreign_certificate() -> tuple[bytes, bytes]:
    """A client certificate and its key of an authority that the API server does not know."""
    issued = trustme.CA().issue_cert("admin@example.com")
    return issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes()
