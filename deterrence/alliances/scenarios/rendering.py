"""A report as plain text, Markdown or HTML: a title, a paragraph, tables, and a last line."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from html import escape

from deterrence.games.display import in_markdown
from deterrence.games.values import Value


@dataclass(frozen=True, slots=True, eq=False)
class Table(Value):
    """A table of a report: the first column holds labels, the others numbers.

    Attributes
    ----------
    title : str
    head : tuple of str
    rows : tuple of tuple of str
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """Return the table without its title as Markdown."""
        lines = ["| " + " | ".join(in_markdown(cell) for cell in row) + " |" for row in (self.head, *self.rows)]
        return "\n".join([lines[0], "|---|" + "---:|" * (len(self.head) - 1), *lines[1:]])

    def html(self) -> str:
        """Return the table as HTML; every cell is escaped."""
        top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in self.head)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows)
        caption = f"<caption>{escape(self.title)}</caption>" if self.title else ""
        return f"<table>{caption}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"

    def text(self) -> str:
        """Return the table without its title in columns."""
        widths = [max(len(row[k]) for row in (self.head, *self.rows)) for k in range(len(self.head))]
        lines = [
            "  ".join(
                cell.ljust(w) if k == 0 else cell.rjust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
            for row in (self.head, tuple("-" * w for w in widths), *self.rows)
        ]
        return "\n".join(line.rstrip() for line in lines)


@dataclass(frozen=True, slots=True, eq=False)
class Report(Value):
    """What is to be said.

    Attributes
    ----------
    title, words : str
    tables : tuple of Table
    footnote : str
    """

    title: str
    words: str
    tables: tuple[Table, ...]
    footnote: str

    def markdown(self) -> str:
        """Return the report as Markdown."""
        blocks = [f"# {in_markdown(self.title)}", in_markdown(self.words)]
        for table in self.tables:
            blocks += [f"## {in_markdown(table.title)}", table.markdown()]
        return "\n\n".join([*blocks, in_markdown(self.footnote)]) + "\n"

    def html(self) -> str:
        """Return the report as an HTML fragment; all text is escaped."""
        blocks = [f"<h3>{escape(self.title)}</h3>", f"<p>{escape(self.words)}</p>"]
        blocks += [table.html() for table in self.tables]
        return "<div>" + "".join([*blocks, f"<p>{escape(self.footnote)}</p>"]) + "</div>"

    def text(self) -> str:
        """Return the report as plain text for a terminal."""
        blocks = [self.title, "=" * len(self.title), textwrap.fill(self.words, 100)]
        for table in self.tables:
            blocks += ["", table.title, table.text()]
        return "\n".join([*blocks, "", textwrap.fill(self.footnote, 100)])
