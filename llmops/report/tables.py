"""Tables as HTML, as the page and the report show them."""

from collections.abc import Sequence
from html import escape as _e


class Foreign(str):
    """A text that a visitor or a model wrote: the same in every language."""


def table(titles: Sequence[str], rows: str, is_sortable: bool = False) -> str:
    """A table that scrolls sideways where it must; titles as text, rows as HTML. is_sortable: see ui.sortable."""
    header = "".join(head(title, "col") for title in titles)
    inner = f"<thead><tr>{header}</tr></thead><tbody>{rows}</tbody>"
    kind = "lo-models lo-numbers lo-sortable" if is_sortable else "lo-models lo-numbers"
    return f'<div class="lo-scroll" tabindex="0"><table class="{kind}">{inner}</table></div>'


def row(name: str, cells: Sequence[str]) -> str:
    """A row with its name as header; all as text."""
    return f"<tr>{head(name, 'row')}{''.join(f'<td{untranslated(cell)}>{_e(cell)}</td>' for cell in cells)}</tr>"


def valued_row(name: str, cells: Sequence[tuple[str, float | str | None]]) -> str:
    """A row of a table that can be sorted: (as it is shown, what it is sorted by) of each cell; None: unknown."""
    shown = "".join(
        f'<td{untranslated(cell)} data-value="{_e("" if value is None else str(value))}">{_e(cell)}</td>'
        for cell, value in cells
    )
    return f"<tr>{head(name, 'row')}{shown}</tr>"


def head(name: str, scope: str) -> str:
    """The header of a row or a column."""
    return f'<th scope="{scope}"{untranslated(name)}>{_e(name)}</th>'


def untranslated(text: str) -> str:
    """The attribute that keeps a foreign text as it is, with a space before it; nothing for our own."""
    return ' translate="no"' if isinstance(text, Foreign) else ""


def known(titles: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """A table of (name, cells) without the columns that nothing is known for."""
    kept = [place for place in range(len(titles) - 1) if any(cells[place] for _, cells in rows)]
    body = "".join(row(name, [cells[place] for place in kept]) for name, cells in rows)
    return table([titles[0], *(titles[place + 1] for place in kept)], body)


def sentences(lines: Sequence[str]) -> str:
    """A list of sentences, or nothing."""
    items = "".join(f"<li>{_e(line)}</li>" for line in lines)
    return f'<ul class="lo-notes">{items}</ul>' if items else ""


def more(title: str, inner: str, is_open: bool = False) -> str:
    """Something that opens on a click."""
    return f"<details{' open' if is_open else ''}><summary>{_e(title)}</summary>{inner}</details>" if inner else ""
