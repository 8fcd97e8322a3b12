"""What an environment remembers of itself between two commands."""

from pathlib import Path

from pydantic import BaseModel, ValidationError

from dev.process import Identity


class ProcessRecord(BaseModel):
    """A process of the environment and what it was started with."""

    pid: int
    started: float
    fingerprint: str = ""

    def identity(self) -> Identity:
        """The process, if it still runs."""
        return Identity(self.pid, self.started)


class Record(BaseModel):
    """The parts of an environment: what `up` finds again, and what `down` has to know."""

    kubeconfig: Path
    own_cluster: bool
    backend: str = ""
    ports: dict[str, int] = {}
    processes: dict[str, ProcessRecord] = {}

    def save(self, path: Path) -> None:
        """Write it whole or not at all."""
        unfinished = path.with_suffix(".new")
        unfinished.write_text(self.model_dump_json(indent=1))
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Record | None":
        """The record at `path`; None if there is none, or none that this version understands."""
        try:
            return cls.model_validate_json(path.read_text())
        except (FileNotFoundError, ValidationError):
            return None
