"""The explorer as a widget: anywidget carries the state to Python and the view back."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from deterrence.games.errors import GameError, ParameterError, SolverError

if TYPE_CHECKING:
    from deterrence.explorer.views import Views

MISSING = (
    'the widget needs anywidget: pip install "deterrence[explore]" (without it, explorer.to_html("page.html") and '
    "explorer.serve() work)"
)


def widget_of(explorer: Views) -> Any:
    """Return a widget that shows an explorer; an ``anywidget.AnyWidget`` with ``spec``, ``state`` and ``view``.

    Raises
    ------
    ImportError
        If anywidget is not installed; the message says how to.
    """
    try:
        import anywidget
        import traitlets
    except ImportError as error:
        raise ImportError(MISSING) from error
    static = files(__package__) / "static"
    traits = {name: traitlets.Dict().tag(sync=True) for name in ("spec", "state", "view")}
    program = {
        "_esm": (static / "explorer.js").read_text("utf-8"),
        "_css": (static / "explorer.css").read_text("utf-8"),
    }
    kind: Any = type("ExplorerWidget", (anywidget.AnyWidget,), {**traits, **program})
    start = explorer.initial_state
    widget = kind(spec=explorer.spec, state=start, view=answer_or_error(explorer, start))

    def answer(change: Any) -> None:
        widget.view = answer_or_error(explorer, change["new"])

    widget.observe(answer, names="state")
    return widget


def answer_or_error(explorer: Views, state: Any) -> dict[str, Any]:
    """Return the view at a state, or what is wrong with the state as a view."""
    try:
        return explorer.answer(state)
    except (GameError, ParameterError, SolverError) as error:
        serial = state.get("serial", 0) if isinstance(state, dict) else 0
        return {"serial": serial, "error": str(error)}
