"""How requests, outcomes and state look in Restate's journal: JSON with the names of the API."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError
from restate.serde import Serde

M = TypeVar("M", bound=BaseModel)


class ModelSerde(Serde[M], Generic[M]):
    """JSON of one model. No bytes at all are refused, where the SDK's own serde gives None."""

    def __init__(self, model: type[M]) -> None:
        self._model = model

    def deserialize(self, buf: bytes) -> M:
        """Raises ValueError, which the SDK turns into a failure of the invocation with the same text."""
        try:
            return self._model.model_validate_json(buf)
        except ValidationError as error:
            problems = (f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors())
            raise ValueError(f"not a {self._model.__name__}: {'; '.join(problems)}") from error

    def serialize(self, obj: M | None) -> bytes:
        """Defaults are left out: each byte is stored in the journal."""
        return b"" if obj is None else obj.model_dump_json(exclude_defaults=True).encode()
