"""A text that is nowhere else in the world, and is found however it is written."""

import base64
import uuid
from collections.abc import Iterator
from pathlib import Path


class Needle:
    """Part of a value that is looked for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._core = uuid.uuid4().hex
        self.value = f"pass {self._core}+/'ü"
        """Whoever quotes, escapes or encodes it still writes what is unmistakable about it."""

    def is_in(self, hay: bytes) -> bool:
        """Whether it is there: as it is, in base64 at any place of a longer text, or in hexadecimal."""
        return bool(self.seen_in(hay))

    def seen_in(self, hay: bytes) -> list[str]:
        """What is around it wherever it is."""
        places = (hay.find(form) for form in self._forms())
        return [hay[max(0, at - 200) : at + 100].decode(errors="replace") for at in places if at >= 0]

    def _forms(self) -> Iterator[bytes]:
        core = self._core.encode()
        yield core
        yield core.upper()
        yield core.hex().encode()
        yield core.hex().upper().encode()
        for before in range(3):
            encoded = base64.b64encode(b"\0" * before + core)
            # The first and the last digits are also those of the text before and after.
            yield encoded[4:-4]


def files_with(needle: Needle, *folders: Path) -> dict[Path, list[str]]:
    """The files below these folders in which it is, and what is around it."""
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    assert files, folders
    return {file: seen for file in files if (seen := needle.seen_in(file.read_bytes()))}
