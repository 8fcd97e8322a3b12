"""Which tests of a run stay in one process, where they share what their fixtures start.

xdist's own marker, xdist_group, groups nothing with pytest 9.2: xdist changes node ids in a way that pytest
no longer notices.
"""

import re

from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/integration/manifests/",)
"""Folders whose files share a cluster of their own."""
SPREAD = {
    "tests/chaos/": re.compile(r"\[(\w+)\]$"),  # by the way of killing
    "tests/contract/": re.compile(r"\[([a-z-]+)(-[A-Z]\w+)?\]$"),  # by the backend
}
"""Folders whose files take so long that each value of a parameter is a group of its own."""


def find_group(nodeid: str) -> str:
    """Return the name of the group: the folder, the file, or the file and the parameter."""
    for folder in TOGETHER:
        if nodeid.startswith(folder):
            return folder
    file = nodeid.partition("::")[0]
    for folder, parameter in SPREAD.items():
        if nodeid.startswith(folder) and (found := parameter.search(nodeid)):
            return f"{file}[{found[1]}]"
    return file


class Scheduling(LoadScopeScheduling):
    """Gives a process a whole group."""

    def _split_scope(self, nodeid: str) -> str:
        return find_group(nodeid)
