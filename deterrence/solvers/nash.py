"""Nash equilibria of tables, and of trees through their reduced strategic form.

Two players: candidates come from Nashpy by the method asked for and, independently, from the vertices of the
best-response polytopes (``bimatrix``); what the one misses the other supplies, and the number missed is on record.
More players: the table is a tree in which nobody sees the others move, and its cells (``assessment_cells``) are
searched support by support. Every result is certified. A Nash equilibrium of a tree may rest on an incredible
threat; its kind says so.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from deterrence.games.equilibrium import Equilibrium, EquilibriumSet
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.folding import Reduction
from deterrence.games.forms.strategic_tree import to_strategic
from deterrence.games.quantities import Array, as_float
from deterrence.games.strategic import MixedProfile, StrategicGame
from deterrence.games.tree import Node, end, move
from deterrence.solvers.algebra.bimatrix import Component, all_equilibria, bases, enumerable, in_floats
from deterrence.solvers.sequence_form import sequence_form
from deterrence.solvers.trees.stage_assessments import stage_families
from deterrence.solvers.trees.threats import credibility
from deterrence.solvers.verification.strategic import certify as certify_strategic
from deterrence.solvers.verification.tree import certify as certify_tree

Method = Literal["vertices", "support", "lemke-howson"]
_LOG = logging.getLogger(__name__)
METHODS = ("vertices", "support", "lemke-howson")
_MOST_FOR_NASHPY = {"vertices": 500, "support": 3_500, "lemke-howson": 10**12}  # bases; beyond, it takes seconds


def nash(
    game: StrategicGame | ExtensiveGame,
    *,
    at: Mapping[str, object] | None = None,
    method: Method = "vertices",
    exact: bool = False,
    tol: float = 1e-9,
    limit: int = 20_000,
    seed: int | None = 0,
) -> EquilibriumSet:
    """Find the Nash equilibria of a strategic form, or of a tree through its reduced strategic form.

    Parameters
    ----------
    game : StrategicGame or ExtensiveGame
        A single game.
    at : mapping of str to number, optional
        Values of the game's parameters.
    method : str
        For two players, Nashpy's ``"vertices"`` (vertex enumeration), ``"support"`` (support enumeration) or
        ``"lemke-howson"`` (from every label: a sample, not all). For more players support enumeration is the only one.
    exact : bool
        Rational arithmetic; with three or more players only where at most two mix, or the conditions are linear
        otherwise.
    tol : float
        Gains up to ``tol`` times the player's payoff span count as none, and so do ties.
    limit : int
        Most combinations of supports to try with three or more players.
    seed : int or None
        For the starts of Newton's method with three or more players.

    Returns
    -------
    EquilibriumSet
        Of two-player games the maximal components, a continuum with its vertices. ``options`` says how many extreme
        equilibria Nashpy's method ``missed`` (None: the game was too large to ask it), whether the game is
        ``degenerate``, and, if not, that their number is ``odd``, as theory demands. Of trees each ``kind`` says
        whether the equilibrium is sequential or subgame perfect and, if not, which threat is incredible.

    Raises
    ------
    ParameterError
        If the method is not known.
    SolverError
        If no equilibrium can be certified, or the game is too large.

    Examples
    --------
    >>> from deterrence import StrategicGame
    >>> for e in nash(StrategicGame([[2, 0], [0, 1]], [[1, 0], [0, 2]])):
    ...     print(e.kind, round(e.probability("1"), 6))
    pure 1.0
    mixed 0.777778
    pure 0.0
    """
    if method not in METHODS:
        raise ParameterError(f"method must be one of {', '.join(map(repr, METHODS))}, got {method!r}")
    numeric = game.at(**(at or {}))
    numeric.require_numbers()
    if isinstance(numeric, ExtensiveGame) and numeric.batch_shape:
        raise GameError("nash solves one game; index the batch, as in game[0]")
    numeric = numeric.exact() if exact else numeric.floats()
    options: dict[str, object] = {"method": method, "exact": exact, "tol": tol}
    if isinstance(numeric, ExtensiveGame):
        return _of_tree(numeric, method, tol, limit, seed, options)
    components, complete, label = _of_table(numeric, method, tol, limit, seed, options)
    found = [_equilibrium(numeric, vertices, tol) for vertices in components]
    return EquilibriumSet(
        game=numeric, concept="nash", method=label, equilibria=tuple(found), complete=complete, options=options
    )


def _of_tree(
    game: ExtensiveGame, method: Method, tol: float, limit: int, seed: int | None, options: dict[str, object]
) -> EquilibriumSet:
    reduction = _reduced(game)
    if reduction is None or _too_large(reduction.game, method):
        found = sequence_form(game)  # too many strategies to list: one equilibrium
        return replace(found, options={**found.options, **options})
    components, complete, label = _of_table(reduction.game, method, tol, limit, seed, options)
    equilibria = []
    for vertices in components:
        profiles = [reduction.lift(v) for v in vertices]
        middle = profiles[0] if len(profiles) == 1 else reduction.lift(_middle(vertices))
        certificate = certify_tree(game, [*profiles, middle], tol)
        _require(certificate.max_regret, game.span, tol)
        kind = credibility(game, middle, tol)
        equilibria.append(
            Equilibrium(
                game=game, concept="nash", kind=kind, profile=middle, vertices=tuple(profiles), certificate=certificate
            )
        )
    return EquilibriumSet(
        game=game,
        concept="nash",
        method=f"reduced strategic form, {label}",
        equilibria=tuple(equilibria),
        complete=complete,
        options=options,
    )


def _reduced(game: ExtensiveGame) -> Reduction[StrategicGame] | None:
    """Return the reduced strategic form; None if it is too large and the sequence form can serve."""
    try:
        return to_strategic(game)
    except GameError:
        if len(game.players) == 2 and game.perfect_recall:
            return None
        raise


def _too_large(game: StrategicGame, method: Method) -> bool:
    return len(game.players) == 2 and method != "lemke-howson" and not enumerable((game.shape[0], game.shape[1]))


def _of_table(
    game: StrategicGame, method: Method, tol: float, limit: int, seed: int | None, options: dict[str, object]
) -> tuple[list[list[MixedProfile]], bool, str]:
    """Return components by their vertices, whether none is missing, and the method in words."""
    if len(game.players) == 1:
        return _of_one_player(game, tol), True, "best strategies"
    if len(game.players) == 2:
        return _of_two_players(game, method, tol, options)
    return _of_many_players(game, tol, limit, seed, options)


def _of_one_player(game: StrategicGame, tol: float) -> list[list[MixedProfile]]:
    values = game.payoffs[:, 0]
    best = values >= values.max() - (0 if game.kind == "exact" else tol * game.span)
    return [[MixedProfile((_unit(len(values), int(k), values.dtype),)) for k in np.flatnonzero(best)]]


def _of_two_players(
    game: StrategicGame, method: Method, tol: float, options: dict[str, object]
) -> tuple[list[list[MixedProfile]], bool, str]:
    size = bases((game.shape[0], game.shape[1]))
    asked = _by_nashpy(game, method, tol) if size <= _MOST_FOR_NASHPY[method] else None
    if _too_large(game, method):
        actions = sequence_form(_as_tree(game), tol=max(tol, 1e-7))[0].profile.actions  # type: ignore[attr-defined]
        return [[MixedProfile((actions[: game.shape[0]], actions[game.shape[0] :]))]], False, "sequence form"
    if method == "lemke-howson":
        if not asked:
            raise SolverError(
                f"Lemke-Howson found no equilibrium of {game!r} within tol={tol:g}; try a larger tol, or qre"
            )
        return [[MixedProfile(pair)] for pair in asked], False, "Lemke-Howson"
    found = all_equilibria(game.row, game.column, tol=tol)
    if (
        game.kind == "float" and not found.degenerate and len(found.components) % 2 == 0
    ):  # impossible: rounding lost one
        exact = game.exact()
        found = in_floats(all_equilibria(exact.row, exact.column))
        options["repaired"] = True
    extreme = [(x, y) for c in found.components for x in c.rows for y in c.columns]
    if not extreme:
        raise SolverError(f"nash found no equilibrium of {game!r} within tol={tol:g}; try exact=True")
    options["degenerate"] = found.degenerate
    options["missed"] = None if asked is None else sum(not _among(pair, asked) for pair in extreme)
    if not found.degenerate:
        options["odd"] = len(found.components) % 2 == 1
    complete = found.degenerate or len(found.components) % 2 == 1
    label = {"vertices": "vertex enumeration", "support": "support enumeration"}[method]
    return [_corners(c) for c in found.components], complete, label


def _by_nashpy(game: StrategicGame, method: Method, tol: float) -> list[tuple[Array, Array]]:
    """Certified equilibria that one of Nashpy's methods finds."""
    import nashpy

    table = nashpy.Game(as_float(game.row), as_float(game.column))
    calls = {
        "vertices": table.vertex_enumeration,
        "support": table.support_enumeration,
        "lemke-howson": table.lemke_howson_enumeration,
    }
    found: list[tuple[Array, Array]] = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # it warns of degenerate games; ``options`` says so
        for x, y in _as_long_as_it_lasts(calls[method]()):
            if len(x) != game.shape[0] or len(y) != game.shape[1] or not np.isfinite([*x, *y]).all():
                continue
            pair = (np.maximum(x, 0.0) / np.maximum(x, 0.0).sum(), np.maximum(y, 0.0) / np.maximum(y, 0.0).sum())
            certified = certify_strategic(game.floats(), [MixedProfile(pair)], max(tol, 1e-9)).sequentially_rational
            if certified and not _among(pair, found):
                found.append(pair)
    return sorted(found, key=lambda pair: tuple(-round(float(v), 9) for mix in pair for v in mix))


def _as_long_as_it_lasts(pairs: Iterable[tuple[Array, Array]]) -> Iterator[tuple[Array, Array]]:
    """Yield until Nashpy fails, as it does on some degenerate games; what it then leaves out counts as missed."""
    try:
        yield from pairs
    except (ArithmeticError, IndexError, RuntimeError, TypeError, ValueError) as error:
        _LOG.debug("nashpy gave up: %s", error)


def _of_many_players(
    game: StrategicGame, tol: float, limit: int, seed: int | None, options: dict[str, object]
) -> tuple[list[list[MixedProfile]], bool, str]:
    options |= {"limit": limit, "seed": seed}
    families, complete = stage_families(_as_tree(game), False, tol, limit, np.random.default_rng(seed))
    cuts = np.cumsum(game.shape)[:-1]
    components = [
        [MixedProfile(tuple(np.split(corner.actions, cuts))) for corner in family.corners] for family in families
    ]
    return components, complete, "support enumeration"


def _as_tree(game: StrategicGame) -> ExtensiveGame:
    """Return the table as a tree in which nobody sees the others move; its ends stand in the order of the cells."""

    def below(players: tuple[str, ...], cell: tuple[int, ...]) -> Node:
        if len(cell) == len(players):
            return end(payoffs=dict(zip(players, game.payoffs[cell], strict=True)))
        labels = game.strategies[len(cell)]
        return move(players[len(cell)], {a: below(players, (*cell, k)) for k, a in enumerate(labels)}, infoset="start")

    return ExtensiveGame(game.players, below(game.players, ()))


def _unit(n: int, k: int, dtype: Any) -> Array:
    exact = dtype == np.dtype(object)
    vector: Array = np.array([Fraction(0) if exact else 0.0] * n, dtype=dtype)
    vector[k] = Fraction(1) if exact else 1.0
    return vector


def _corners(component: Component) -> list[MixedProfile]:
    return [MixedProfile((x, y)) for x in component.rows for y in component.columns]


def _among(pair: tuple[Array, Array], known: Sequence[tuple[Array, Array]]) -> bool:
    return any(
        all(np.abs(as_float(a) - as_float(b)).max() <= 1e-6 for a, b in zip(pair, other, strict=True))
        for other in known
    )


def _middle(vertices: Sequence[MixedProfile]) -> MixedProfile:
    """Return the centre of a component: each player's mixture averaged."""
    count = len(vertices)
    totals = [np.sum([v.mixed[i] for v in vertices], axis=0) for i in range(len(vertices[0].mixed))]
    return MixedProfile(tuple(total / count for total in totals))


def _equilibrium(game: StrategicGame, vertices: list[MixedProfile], tol: float) -> Equilibrium:
    profile = vertices[0] if len(vertices) == 1 else _middle(vertices)
    certificate = certify_strategic(game, [*vertices, profile], tol)
    _require(certificate.max_regret, game.span, tol)
    pure = all(((mix == 0) | (mix == 1)).all() for mix in profile.mixed)
    kind = "continuum" if len(vertices) > 1 else "pure" if pure else "mixed"
    return Equilibrium(
        game=game, concept="nash", kind=kind, profile=profile, vertices=tuple(vertices), certificate=certificate
    )


def _require(regret: float, span: float, tol: float) -> None:
    if regret > 10 * max(tol, 1e-12) * span:
        raise SolverError(
            f"an equilibrium has a regret of {regret:g} payoff units, too much for tol={tol:g}; try exact=True",
            residual=regret,
        )
