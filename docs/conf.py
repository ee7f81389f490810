"""How the site is built: `make docs`, offline, with warnings as errors."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

import deterrence

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))  # for the generators of pages, which are no part of the package

project = "deterrence"
author = "the deterrence maintainers"
release = version = deterrence.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
root_doc = "index"
exclude_patterns = ["_build"]
suppress_warnings = ["ref.python"]  # "shape (N,)" in the type of an attribute is prose, not a reference

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / "notebooks")
nb_execution_timeout = 180
nb_execution_raise_on_error = True
nb_merge_streams = True

autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_param = False

html_theme = "pydata_sphinx_theme"
html_title = "deterrence"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "article_footer_items": [],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": []}
copyright = "the deterrence maintainers"  # noqa: A001 (the name that Sphinx reads)
html_math_renderer = "mathml"


def setup(app: Sphinx) -> None:
    """Bring what lies outside this folder, and write formulas as MathML, which needs no script and no network."""
    app.add_html_math_renderer("mathml", (_inline_formula, None), (_displayed_formula, None))
    app.connect("builder-inited", _bring_notebooks)
    app.connect("builder-inited", _make_pages)
    app.connect("source-read", _anchors)


def _bring_notebooks(_app: Sphinx) -> None:
    """Copy the notebooks beside the pages; an unchanged one keeps its date, so that its results stay cached."""
    here = HERE / "notebooks"
    here.mkdir(exist_ok=True)
    wanted = {path.name: path for path in (HERE.parent / "notebooks").glob("*.ipynb")}
    for old in here.glob("*.ipynb"):
        if old.name not in wanted:
            old.unlink()
    for name, path in wanted.items():
        copy = here / name
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            shutil.copyfile(path, copy)


def _make_pages(_app: Sphinx) -> None:
    """Write the pages and figures that are made from the package."""
    from generated import write

    write(HERE)


def _anchors(_app: Sphinx, _page: str, source: list[str]) -> None:
    """Make the anchors of generated pages, which code hosts understand, targets that Sphinx can check."""
    source[0] = re.sub(r'^<a id="([\w-]+)"></a>$', r"(\1)=", source[0], flags=re.MULTILINE)


def _inline_formula(writer: HTML5Translator, node: nodes.Element) -> None:
    writer.body.append(_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _displayed_formula(writer: HTML5Translator, node: nodes.Element) -> None:
    writer.body.append(f'<div class="formula">{_mathml(node.astext(), "block")}</div>')
    raise nodes.SkipNode


def _mathml(text: str, display: str) -> str:
    """Return a formula as MathML; several lines line up at their ``&``, which the converter calls ``split``."""
    text = text.replace("{aligned}", "{split}")
    if r"\\" in text and r"\begin{" not in text:
        text = rf"\begin{{split}}{text}\end{{split}}"
    return convert(text, display=display)
