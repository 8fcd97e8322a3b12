"""Files in a container, running or not."""

import io
import tarfile

from docker.models.containers import Container


def write(container: Container, text: bytes, folder: str = "/data") -> None:
    """Put a note into a folder of the container."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("note")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    assert container.put_archive(folder, buffer.getvalue())


def read(container: Container, folder: str = "/data") -> bytes:
    """The note in a folder of the container."""
    chunks, _ = container.get_archive(f"{folder}/note")
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        file = archive.extractfile("note")
        assert file is not None
        return file.read()
