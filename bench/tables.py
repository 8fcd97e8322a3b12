"""Tables of plain text."""

from collections.abc import Sequence


def format_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Text with aligned columns."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]

    def line(row: Sequence[str]) -> str:
        first, *others = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        aligned = (cell.strip().rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        return "  ".join([first, *aligned]).rstrip()

    return "\n".join([title, *(line(row) for row in (heads, *rows))])
