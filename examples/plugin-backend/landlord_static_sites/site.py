"""One tenant's site on disk. Each function can run again, even after a crash in its middle.

tenants/<tenantID>/landlord.json   the record that it is landlord's, and its state
tenants/<tenantID>/pages/          the pages as last rendered
tenants/<tenantID>/files/          the tenant's own files, which are on the web below files/
www/<tenantID>                     a link to the pages, while they are on the web
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from landlord.api.lifecycle import State
from landlord.errors import Terminal


class Record(BaseModel):
    """The state of a site."""

    state: State = "Active"
    hash: str | None = None
    """`Desired.hash()` of what was last published."""


class Site:
    """The site of one tenant."""

    def __init__(self, root: Path, tenant_id: str) -> None:
        self.folder = root / "tenants" / tenant_id
        self.pages = self.folder / "pages"
        self.files = self.folder / "files"
        self.link = root / "www" / tenant_id
        self.target = Path("..", "tenants", tenant_id, "pages")
        self._record = self.folder / "landlord.json"
        self._scratch = root / f".{tenant_id}"

    @property
    def record(self) -> Record | None:
        """None if no site exists, or it is not landlord's."""
        return Record.model_validate_json(self._record.read_text()) if self._record.is_file() else None

    @property
    def is_on_the_web(self) -> bool:
        """Whether the link exists and leads to the pages."""
        return self.link.is_symlink() and self.link.readlink() == self.target

    def render(self, pages: Mapping[str, str]) -> None:
        """Write the pages. Raises Terminal if the folder belongs to somebody else."""
        if self.record is None:
            self._claim()
        for folder in (self.pages, self.files, self.link.parent):
            folder.mkdir(exist_ok=True)
        for file in self.pages.iterdir():
            if file.name not in pages:
                file.unlink()
        for name, text in pages.items():
            self._write(self.pages / name, text)
        (self.pages / "files").symlink_to("../files")

    def publish(self, spec_hash: str) -> None:
        """Put the pages on the web."""
        self._note(Record(hash=spec_hash))
        if not self.is_on_the_web:
            self.link.unlink(missing_ok=True)
            self.link.symlink_to(self.target)

    def take_down(self, state: State) -> bool:
        """Take the pages off the web, and remove them if they are archived. False if no site exists."""
        if (record := self.record) is None:
            return False
        self.link.unlink(missing_ok=True)
        if state == "Archived" and self.pages.exists():
            shutil.rmtree(self.pages)
        self._note(record.model_copy(update={"state": state}))
        return True

    def remove(self) -> None:
        """Remove the site; landlord's record goes last."""
        if self.take_down("Archived"):
            if self.files.exists():
                shutil.rmtree(self.files)
            shutil.rmtree(self.folder)

    def _claim(self) -> None:
        strangers = [self.link] if os.path.lexists(self.link) else []
        strangers += self.folder.glob("*")
        if strangers:
            raise Terminal("Conflict", f"{strangers[0]} was not created by landlord", "move it away")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._note(Record())

    def _note(self, record: Record) -> None:
        self._write(self._record, record.model_dump_json())

    def _write(self, file: Path, text: str) -> None:
        self._scratch.write_text(text)
        self._scratch.replace(file)
