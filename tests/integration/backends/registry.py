"""A real image registry on this machine."""

import io
import time

import docker
from docker.errors import ImageNotFound
from tests.contract.harness import new_tenant_id
from tests.support.polling import eventually
from tests.support.session import Session

from dev.net import free_ports
from dev.process import spawn
from dev.tools import program


class Registry:
    """Serves what is pushed to it until the test session ends."""

    def __init__(self, session: Session, engine: docker.DockerClient) -> None:
        (port,) = free_ports(1)
        self.address = f"127.0.0.1:{port}"
        self._engine = engine
        self._made: list[str] = []
        folder = session.folder("registry")
        log = folder / "log"
        argv = [str(program("registry")), f"-port={port}"]
        spawn(argv, mark=session.mark, env={}, log=log, cwd=folder)
        eventually(lambda: "serving" in log.read_text(), what="the registry serves")

    def push(self, reference: str | None = None) -> str:
        """Push a new image, which the engine then has no more. Returns its reference."""
        reference = reference or f"{self.address}/{new_tenant_id('web')}:1"
        build = f"FROM landlord/web:local\nLABEL made-at={time.time_ns()}\n".encode()
        image, _ = self._engine.images.build(fileobj=io.BytesIO(build), tag=reference, rm=True)
        self._made.append(str(image.id))
        for line in self._engine.images.push(reference, stream=True, decode=True):
            assert "error" not in line, line
        self._engine.images.remove(reference)
        return reference

    def clean_up(self) -> None:
        """Remove what was made or pulled from the engine."""
        for image_id in self._made:
            try:
                self._engine.images.remove(image_id, force=True)
            except ImageNotFound:
                continue
