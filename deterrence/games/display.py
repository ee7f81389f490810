"""How a thing shows itself in a notebook: one bundle of all forms that it has."""

from __future__ import annotations

from collections.abc import Iterable

_FORMS = {
    "text/plain": "__str__",
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "text/latex": "_repr_latex_",
    "image/svg+xml": "_repr_svg_",
}


class Display:
    """A base that gathers text, HTML, Markdown, LaTeX and SVG, as far as a class has them, for Jupyter and its kin.

    A method may return an empty string where a thing has no such form. HTML may use the colours of the page, since it
    becomes a part of it; SVG stands alone and has colours of its own.
    """

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
