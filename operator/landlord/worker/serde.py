"""Serializes requests, outcomes and state for Restate's journal: JSON with the field names of the API."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError
from restate.serde import Serde

M = TypeVar("M", bound=BaseModel)


class ModelSerde(Serde[M], Generic[M]):
    """JSON of one model. Unlike the SDK's own serde, it rejects an empty body."""

    def __init__(self, model: type[M]) -> None:
        self._model = model

    def deserialize(self, buf: bytes) -> M:
        """Deserialize. Raises ValueError, which the SDK converts to a failed invocation with the same
        text."""
        try:
            return self._model.model_validate_json(buf)
        except ValidationError as error:
            problems = (f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors())
            raise ValueError(f"not a {self._model.__name__}: {'; '.join(problems)}") from error

    def serialize(self, obj: M | None) -> bytes:
        """Serialize without defaults, because the journal stores each byte."""
        return b"" if obj is None else obj.model_dump_json(exclude_defaults=True).encode()
