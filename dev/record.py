"""What is recorded about an environment between two commands."""

from pathlib import Path

from pydantic import BaseModel, ValidationError

from dev.process import Identity


class ProcessRecord(BaseModel):
    """A process of the environment, and the fingerprint of its settings and code."""

    pid: int
    started: int
    fingerprint: str = ""

    def identity(self) -> Identity:
        """The process, which may have ended."""
        return Identity(self.pid, self.started)


class Record(BaseModel):
    """The parts of an environment: what `up` can reuse, and what `down` needs to know."""

    kubeconfig: Path
    own_cluster: bool
    backend: str = ""
    ports: dict[str, int] = {}
    processes: dict[str, ProcessRecord] = {}

    def save(self, path: Path) -> None:
        """Write the file atomically."""
        unfinished = path.with_suffix(".new")
        unfinished.write_text(self.model_dump_json(indent=1))
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Record | None":
        """The record at `path`; None if there is none, or if this version can't read it."""
        try:
            return cls.model_validate_json(path.read_text())
        except (FileNotFoundError, ValidationError):
            return None
