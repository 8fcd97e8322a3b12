"""The position of a step. As text, it names the step's journal entry, which the Restate engine reads back."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StepPosition:
    """The step at `number` (from 1) of `total`; as text "2/3 network"."""

    number: int
    total: int
    step: str

    def __str__(self) -> str:
        return f"{self.number}/{self.total} {self.step}"
