"""The likelihood of an event under several solution concepts, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deterrence.games.errors import ParameterError
from deterrence.games.events import Event
from deterrence.games.play import end_probabilities
from deterrence.games.quantities import check_names
from deterrence.games.signaling import SignalingGame
from deterrence.games.tables import number_text
from deterrence.games.values import Value
from deterrence.perception.belief_hierarchy import parametric_game
from deterrence.perception.selection import candidates
from deterrence.perception.trees import Ends, behavior_of, tree_of
from deterrence.solvers.concepts import choose_concept, default_concept, is_registered

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Solver: TypeAlias = Callable[[Any], Any]
Floats = NDArray[np.float64]

# colours that people with colour blindness tell apart (Okabe and Ito 2008), and dashes for print
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))


@dataclass(frozen=True, eq=False)
class Comparison(Value):
    """How likely an event is under each concept.

    Attributes
    ----------
    event : str
        What was asked.
    concepts : tuple of str
        As named.
    over : (str, ndarray) or None
        The parameter that varies, and its n values.
    low, high : ndarray, shape (C,) or (C, n)
        Range over the equilibria of each concept.
    """

    event: str
    concepts: tuple[str, ...]
    over: tuple[str, Floats] | None
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas table: a row per concept (and value of the parameter), columns ``low`` and ``high``."""
        import pandas as pd

        if self.over is None:
            return pd.DataFrame({"low": self.low, "high": self.high}, index=pd.Index(self.concepts, name="concept"))
        name, values = self.over
        index = pd.MultiIndex.from_product([self.concepts, values], names=["concept", name])
        return pd.DataFrame({"low": self.low.ravel(), "high": self.high.ravel()}, index=index)

    def figure(self) -> Figure:
        """Return a figure: curves over the parameter that varies, or bars; ranges over equilibria are shaded.

        A figure can be saved by its ``savefig``.
        """
        from matplotlib.figure import Figure

        drawing = Figure(figsize=(6.4, 4.0), layout="constrained")
        axes = drawing.add_subplot()
        if self.over is None:
            places = np.arange(len(self.concepts))
            axes.barh(places, self.high, color="#B3CDE3")
            axes.barh(places, self.low, color=_COLOURS[0])
            axes.set_yticks(places, self.concepts)
            axes.invert_yaxis()
            axes.set_xlabel(f"probability of {self.event} (light: range over equilibria)")
            axes.set_xlim(0, 1)
            return drawing
        name, values = self.over
        for i, concept in enumerate(self.concepts):
            colour, dash = _COLOURS[i % len(_COLOURS)], _DASHES[i % len(_DASHES)]
            axes.fill_between(values, self.low[i], self.high[i], color=colour, alpha=0.15, linewidth=0)
            axes.plot(values, self.high[i], color=colour, linestyle=dash, label=concept)
            if not np.allclose(self.low[i], self.high[i]):
                axes.plot(values, self.low[i], color=colour, linestyle=dash, linewidth=0.8)
        axes.set_xlabel(name)
        axes.set_ylabel(f"probability of {self.event}")
        axes.set_ylim(-0.02, 1.02)
        axes.legend(frameon=False)
        return drawing

    def __str__(self) -> str:
        width = max(len(concept) for concept in self.concepts)
        if self.over is None:
            rows = [f"{c:<{width}}  {_text(a, b)}" for c, a, b in zip(self.concepts, self.low, self.high, strict=True)]
            return "\n".join([f"probability of {self.event}", *rows])
        name, values = self.over
        shown = np.unique(np.linspace(0, len(values) - 1, 5).astype(int))
        head = f"{'':<{width}}  " + "  ".join(f"{name} = {values[i]:.3g}".rjust(16) for i in shown)
        rows = [
            f"{c:<{width}}  " + "  ".join(_text(self.low[k, i], self.high[k, i]).rjust(16) for i in shown)
            for k, c in enumerate(self.concepts)
        ]
        return "\n".join([f"probability of {self.event}", head, *rows])

    def _repr_html_(self) -> str:
        if self.over is None:
            rows = [f"<tr><th>{escape(c)}</th><td>{_text(a, b)}</td></tr>"
                    for c, a, b in zip(self.concepts, self.low, self.high, strict=True)]  # fmt: skip
            return f"<table><caption>probability of {escape(self.event)}</caption>{''.join(rows)}</table>"
        return f"<pre>{escape(str(self))}</pre>"


def compare(
    game: Any,
    at: Mapping[str, Any] | None = None,
    concepts: Sequence[str | Solver] | Mapping[str, str | Solver] = ("pbe", "qre 5", "cursed 0.5", "level 2"),
    *,
    event: Event = "attack",
    over: Mapping[str, ArrayLike] | None = None,
) -> Comparison:
    """Set the likelihood of an event under several solution concepts side by side.

    Parameters
    ----------
    game : game or model
        With parameters.
    at : mapping of str to number, optional
        Their values.
    concepts : sequence, or mapping of label to concept
        Callables from a game with numbers to equilibria (or to anything with ``probability(event)``), or names such as
        ``"pbe"``, ``"qre 2"``, ``"cursed 0.5"``, ``"level 1"``, ``"cognitive hierarchy 1.5"``; ``"pbe, d1"`` selects
        as in ``subjective``.
    event : str or callable
        What is asked.
    over : mapping of one parameter to its values, optional
        Compares along these values.

    Returns
    -------
    Comparison

    Raises
    ------
    ParameterError
        If a concept or parameter is unknown, ``over`` has other than one parameter, or there is no concept.

    Examples
    --------
    >>> import deterrence as dt
    >>> p = dt.symbols("p")
    >>> game = dt.SignalingGame(
    ...     types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=[p, 1 - p],
    ...     sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]])
    >>> print(compare(game, {"p": 0.1}, ["pbe", "cursed 0.25", "level 1"], event="duel"))
    probability of duel
    pbe          0.9
    cursed 0.25  0.9211
    level 1      1
    """
    parametric = parametric_game(game)
    named = _label_concepts(concepts)
    fixed = dict(at or {})
    if over is None:
        rows = [_range(parametric.make(fixed), concept, steps, event) for concept, steps in named.values()]
        return _comparison(event, named, None, np.array(rows))
    if len(over) != 1:
        raise ParameterError(f"over must name one parameter and its values, got {list(over)}; for more use dt.sweep")
    ((name, given),) = over.items()
    if parametric.parameters is not None:
        check_names([name], parametric.parameters, "the game", complete=False)
    values = np.asarray(given, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise ParameterError(f"values of {name} must be a list of numbers, got shape {values.shape}")
    games = [parametric.make({**fixed, name: float(x)}) for x in values]
    table = [[_range(one, concept, steps, event) for one in games] for concept, steps in named.values()]
    return _comparison(event, named, (name, values), np.array(table))


def _comparison(event: Event, named: Mapping[str, Any], over: tuple[str, Floats] | None, table: Floats) -> Comparison:
    label = event if isinstance(event, str) else getattr(event, "__name__", "the event")
    return Comparison(label, tuple(named), over, table[..., 0], table[..., 1])


def _label_concepts(concepts: Any) -> dict[str, tuple[Solver | None, str | None]]:
    """Return each concept by its label, with the selection that its name asks for."""
    pairs = concepts.items() if isinstance(concepts, Mapping) else [(_label(one), one) for one in concepts]
    result: dict[str, tuple[Solver | None, str | None]] = {}
    for label, one in pairs:
        if isinstance(one, str):
            name, _, steps = one.partition(",")
            result[label] = (choose_concept(name.strip()), steps.strip() or None)
        else:
            result[label] = (choose_concept(one) if is_registered(one) else one, None)
    if not result:
        raise ParameterError("concepts must name at least one solution concept, got none")
    return result


def _label(one: Any) -> str:
    return one if isinstance(one, str) else getattr(one, "__name__", repr(one))


def _range(game: Any, concept: Solver | None, steps: str | None, event: Event) -> tuple[float, float]:
    found = (concept or default_concept(game))(game)
    if steps is None and not _solved_as_tree(game, found, event):
        low, high = found.probability(event)
        return float(low), float(high)
    # a named event of a signaling game stays what it is where the concept solves the game as a tree
    tree = tree_of(game) if _solved_as_tree(game, found, event) else None
    chances = []
    for one in candidates(found, steps):
        if tree is None:
            chances.append(float(one.profile.probability(one.equilibrium.game, event)))
        else:
            chances.append(_chance(game, tree, one.profile, event))
    return min(chances), max(chances)


def _solved_as_tree(game: Any, found: Any, event: Event) -> bool:
    return (
        isinstance(game, SignalingGame)
        and event in game.events
        and hasattr(found, "game")
        and not isinstance(found.game, SignalingGame)
    )


def _chance(game: SignalingGame, tree: Any, profile: Any, event: Event) -> float:
    return float(end_probabilities(tree, behavior_of(profile, tree)) @ Ends.of(game, tree).weights(event))


def _text(low: float, high: float) -> str:
    return (
        number_text(float(high))
        if abs(high - low) < 5e-10
        else f"{number_text(float(low))} to {number_text(float(high))}"
    )
