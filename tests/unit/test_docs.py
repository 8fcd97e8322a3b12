"""What the docs link to exists."""

import re
from pathlib import Path

import pytest

from dev.paths import CHECKOUT

PAGES = [
    *CHECKOUT.glob("*.md"),
    *CHECKOUT.glob("changes/*.md"),
    *CHECKOUT.glob("docs/**/*.md"),
    *CHECKOUT.glob("examples/**/*.md"),
]
WRITTEN = [page for page in PAGES if page.parent.name != "reference"]
"""Those that no program generates."""
WIDTH = 110
CODE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^]\[]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def text_of(page: Path) -> str:
    return CODE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """The fragments by which GitHub links to the headings of a page."""
    headings = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", each) for each in HEADING.findall(text_of(page)))
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def broken(page: Path) -> list[str]:
    links = [link for link in LINK.findall(text_of(page)) if "://" not in link]
    found = []
    for link in links:
        name, _, fragment = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (fragment and fragment not in anchors(target)):
            found.append(link)
    return found


def name_of(page: Path) -> str:
    return str(page.relative_to(CHECKOUT))


def test_there_are_pages_with_links() -> None:
    assert [link for page in PAGES for link in LINK.findall(text_of(page)) if "#" in link]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_relative_link_and_anchor_resolves(page: Path) -> None:
    assert broken(page) == []


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_each_paragraph_is_wrapped_at_the_width_of_the_code(page: Path) -> None:
    too_long = [line for line in text_of(page).splitlines() if len(line) > WIDTH]
    assert [line for line in too_long if not line.startswith("|")] == []


def test_each_page_is_linked_from_another() -> None:
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in LINK.findall(text_of(page))
        if "://" not in link and link.partition("#")[0]
    }
    unlinked = {page for page in CHECKOUT.glob("docs/**/*.md") if page.resolve() not in linked}
    assert {name_of(page) for page in unlinked} == set()
