"""How a thing shows itself in a notebook: one bundle of all forms that it has."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from html import escape
from typing import Any

_FORMS = {
    "text/plain": "__str__",
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "text/latex": "_repr_latex_",
    "image/svg+xml": "_repr_svg_",
}


_ALLOWED = frozenset("\n\t")
_TURNING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))  # marks that turn the reading order


def printable(text: str) -> str:
    r"""Return text fit for a terminal: control characters, and marks that turn the reading order, as escapes.

    What a file says is never trusted: an escape sequence in a label could set the title of the window, or worse.

    Examples
    --------
    >>> printable("war\x1b]0;title\x07")
    'war\\x1b]0;title\\x07'
    """
    return "".join(map(_escaped, text))


def in_markdown(text: str) -> str:
    r"""Return text as Markdown that holds no HTML, no link, no new cell of a table and no new line.

    Examples
    --------
    >>> in_markdown("war | <b>peace</b>")
    'war \\| &lt;b&gt;peace&lt;/b&gt;'
    """
    return re.sub(r"([\\\[\]|])", r"\\\1", " ".join(printable(escape(text, quote=False)).split()))


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _ALLOWED or not (code < 0x20 or 0x7F <= code < 0xA0 or character in _TURNING):
        return character
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class Display:
    """A base that gathers text, HTML, Markdown, LaTeX and SVG, as far as a class has them, for Jupyter and its kin.

    A method may return an empty string where a thing has no such form. HTML may use the colours of the page, since it
    becomes a part of it; SVG stands alone and has colours of its own. The text of ``str`` has no control characters.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__str__" in vars(cls):
            cls.__str__ = _without_controls(vars(cls)["__str__"])  # type: ignore[method-assign]

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> dict[str, str]:
        wanted = set(_FORMS if include is None else include) - set(exclude or ())
        bundle = {
            form: str(getattr(self, method)())
            for form, method in _FORMS.items()
            if form in wanted and hasattr(self, method)
        }
        return {form: content for form, content in bundle.items() if content}


def _without_controls(told: Callable[[Any], str]) -> Callable[[Any], str]:
    @functools.wraps(told)
    def text(self: Any) -> str:
        return printable(told(self))

    return text
