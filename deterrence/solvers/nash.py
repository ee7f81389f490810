"""Nash equilibria of tables, and of trees through their reduced strategic form.

Two players: the vertices of the best-response polytopes (``bimatrix``); Nashpy's support enumeration can be asked
beside them, and what it misses is on record. More players: pure equilibria at once, then support by support, small ones
first (``table_equilibria``). What is too large to list goes to the sequence form, and pure equilibria are added. A game
in floats is solved as the decimals that its floats print as, and handed back in floats. Every result is certified. A
Nash equilibrium of a tree may rest on an incredible threat; its kind says so.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.equilibrium import Certificate, Equilibrium, EquilibriumSet
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.folding import Reduction
from deterrence.games.forms.strategic_tree import to_strategic
from deterrence.games.quantities import Array, as_exact, as_float
from deterrence.games.strategic import MixedProfile, StrategicGame
from deterrence.games.tree import Node, end, move
from deterrence.solvers.algebra.bimatrix import Component, all_equilibria
from deterrence.solvers.algebra.polytopes import TooManyRays
from deterrence.solvers.algebra.table_equilibria import equilibria, mixtures_of, pure_equilibria, supports_of
from deterrence.solvers.arguments import check_tolerance, in_rationals, require_form
from deterrence.solvers.budget import Budget
from deterrence.solvers.sequence_form import sequence_form
from deterrence.solvers.trees.backward_induction import pure_profiles
from deterrence.solvers.trees.threats import credibility
from deterrence.solvers.verification.strategic import certify as certify_strategic
from deterrence.solvers.verification.tree import certify as certify_tree

Method = Literal["vertices", "support", "lemke-howson"]
_LOG = logging.getLogger(__name__)
METHODS = ("vertices", "support", "lemke-howson")
_MOST_FOR_NASHPY = {"vertices": 0, "support": 10, "lemke-howson": 10**12}  # strategies; beyond, it takes seconds
_ROUNDING = 1e-9  # regret of a solution in floats, as a share of the spread of the payoffs compared
_LEMKE_STARTS = 6
_WHOLE = 2**50  # whole numbers up to this add without error in floats
_LISTED = 50  # combinations of supports per unit of work up to which a tree of perfect information is listed


@dataclass(frozen=True, eq=False)
class _Found:
    """Components of a table by their vertices, whether none is missing, the method in words, and which are whole."""

    components: list[list[MixedProfile]]
    complete: bool
    method: str
    whole: tuple[bool, ...] | None = None  # None: all


def nash(
    game: StrategicGame | ExtensiveGame,
    *,
    at: Mapping[str, object] | None = None,
    method: Method = "vertices",
    pure: bool = False,
    exact: bool = False,
    tol: float = 0.0,
    limit: int = 1_000,
    time_limit: float | None = None,
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
        For two players ``"vertices"``; ``"support"``, the same with Nashpy's support enumeration beside it; or
        ``"lemke-howson"`` alone (Nashpy's, from every label: a sample, not all).
    pure : bool
        Only equilibria in pure strategies, all of them; ``complete`` then speaks of these.
    exact : bool
        Hand back rationals instead of floats; with three or more players only where at most two mix.
    tol : float
        Payoffs of a player that differ by no more than this share of their own size are made one number before the game
        is solved; for payoffs that were computed. ``options["merged"]`` counts them. At 0 numbers tie if they are
        equal, a float being the decimal that it prints as.
    limit : int
        Most work: supports that are solved with three or more players, small ones first, and batches of boxes or of
        rays. What was found by then is returned, not ``complete``, and ``options["unsearched"]`` says what is left.
    time_limit : float, optional
        Most seconds, alike.
    seed : int or None
        For the starts of Newton's method with three or more players, and of Lemke's.

    Returns
    -------
    EquilibriumSet
        Of two-player games the maximal components, a continuum with its vertices. ``options`` says how many extreme
        equilibria Nashpy's method ``missed`` (None: not asked, or the game too large for it), whether the game is
        ``degenerate``, and, if not, that their number is ``odd``, as theory demands. Of trees each ``kind`` says
        whether the equilibrium is sequential or subgame perfect and, if not, which threat is incredible.

    Raises
    ------
    ParameterError
        If the method is not known, or a bound or tolerance out of range.
    SolverError
        If an equilibrium fails its certificate, or Lemke's method on a large tree.

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
    check_tolerance(tol)
    budget = Budget("nash", limit=limit, time_limit=time_limit, unit="supports")
    require_form(game, "nash", "StrategicGame", "ExtensiveGame")
    numeric = game.at(**(at or {}))
    numeric.require_numbers()
    if isinstance(numeric, ExtensiveGame) and numeric.batch_shape:
        raise GameError("nash solves one game; index the batch, as in game[0]")
    options: dict[str, object] = {"method": method, "pure": pure, "exact": exact, "tol": tol, "seed": seed}
    shown: Any = numeric.exact() if exact else numeric.floats()
    if isinstance(numeric, StrategicGame) and pure:
        return _all_pure(numeric, shown, tol, budget, options)
    rationals, options["merged"] = in_rationals(numeric, tol)
    if isinstance(rationals, ExtensiveGame):
        return _of_tree(rationals, shown, method, budget, options)
    try:
        found = _of_table(rationals, method, budget, options)
    except TooManyRays:
        found = _several_points(rationals, budget, options)
    return EquilibriumSet(
        game=shown,
        concept="nash",
        method=found.method,
        equilibria=tuple(
            replace(_equilibrium(rationals, shown, vertices), whole=whole) for vertices, whole in _with_flags(found)
        ),
        complete=found.complete,
        options={**options, **budget.options()},
    )


def _with_flags(found: _Found) -> Iterator[tuple[list[MixedProfile], bool]]:
    """Yield components with whether their vertices are all of them."""
    yield from zip(found.components, found.whole or (True,) * len(found.components), strict=True)


def _all_pure(
    game: StrategicGame, shown: StrategicGame, tol: float, budget: Budget, options: dict[str, object]
) -> EquilibriumSet:
    """Return the pure equilibria of a table; payoffs of floats are compared as they are."""
    asked = game
    if tol:
        asked, options["merged"] = in_rationals(game, tol)
    cells = pure_equilibria([asked.payoffs[..., i] for i in range(len(game.players))])
    exact = shown.kind == "exact"
    found = []
    for cell in cells:
        mixed = tuple(_unit(n, int(k), object if exact else np.float64) for n, k in zip(game.shape, cell, strict=True))
        found.append(_equilibrium(None if exact else shown, shown, [MixedProfile(mixed)]))
    return EquilibriumSet(
        game=shown,
        concept="nash",
        method="pure strategies",
        equilibria=tuple(found),
        complete=True,
        options={**options, **budget.options()},
    )


def _of_tree(
    game: ExtensiveGame, shown: ExtensiveGame, method: Method, budget: Budget, options: dict[str, object]
) -> EquilibriumSet:
    reduction = _reduced(game)
    if reduction is None:
        return _of_large_tree(game, shown, budget, options)
    try:
        found = _of_table(reduction.game, method, budget, options, information=game.perfect_information)
    except TooManyRays:
        found = _pure(reduction.game, budget)
        points = _of_large_tree(game, shown, budget, options)
        sure = _lifted(game, shown, reduction, found, options, budget)
        return replace(points, equilibria=(*sure, *points.equilibria)) if len(sure) else points
    return _lifted(game, shown, reduction, found, options, budget)


def _lifted(
    game: ExtensiveGame,
    shown: ExtensiveGame,
    reduction: Reduction[StrategicGame],
    found: _Found,
    options: dict[str, object],
    budget: Budget,
) -> EquilibriumSet:
    floats, whole = game.floats(), _adds_up_in_floats(game)
    results = []
    for vertices, all_of_it in _with_flags(found):
        profiles = [reduction.lift(v) for v in vertices]
        middle = profiles[0] if len(profiles) == 1 else reduction.lift(_middle(vertices))
        rational = all(p.actions.dtype == object for p in profiles)
        judged = game
        if rational and whole and len(profiles) == 1 and all(p in (0, 1) for p in middle.actions):
            judged, middle = floats, BehaviorProfile(as_float(middle.actions))  # exact in floats, and much faster
            profiles = [middle]
        certificate = certify_tree(
            judged, list({id(p): p for p in (*profiles, middle)}.values()), slack := 0.0 if rational else _ROUNDING
        )
        _require(certificate, game.span)
        results.append(
            Equilibrium(
                game=shown,
                concept="nash",
                kind=credibility(judged, middle, slack),
                profile=_as_shown(shown, middle),
                vertices=tuple(_as_shown(shown, p) for p in profiles),
                whole=all_of_it,
                certificate=certificate,
            )
        )
    return EquilibriumSet(
        game=shown,
        concept="nash",
        method=f"reduced strategic form, {found.method}",
        equilibria=tuple(results),
        complete=found.complete,
        options={**options, **budget.options()},
    )


def _of_large_tree(
    game: ExtensiveGame, shown: ExtensiveGame, budget: Budget, options: dict[str, object]
) -> EquilibriumSet:
    """Equilibria of a tree with too many strategies to list.

    With perfect information those of backward induction, which are Nash equilibria; otherwise, with two players, from
    several starts of Lemke's method or by a linear program.
    """
    if game.perfect_information:
        budget.skip(
            "Nash equilibria other than the subgame-perfect ones in pure strategies: too many strategies to list"
        )
        profiles, _ = pure_profiles(game, budget)
        return EquilibriumSet(
            game=shown,
            concept="nash",
            method="backward induction",
            equilibria=tuple(_credible(game, shown, actions) for actions in profiles),
            complete=False,
            options={**options, **budget.options()},
        )
    if options["pure"]:
        raise SolverError(
            f"the strategic form of {game!r} is too large to list its pure equilibria; ask spe or "
            "sequential(pure=True) for those that are credible"
        )
    found = sequence_form(
        shown.floats(),
        seed=options["seed"],  # type: ignore[arg-type]
        starts=_LEMKE_STARTS,
        time_limit=budget.seconds_left(),
    )
    budget.skip(f"all but {len(found)} equilibria that Lemke's method or a linear program ends at")
    return EquilibriumSet(
        game=found.game,
        concept="nash",
        method=found.method,
        equilibria=found.equilibria,
        complete=False,
        options={**found.options, **options, **budget.options()},
    )


def _credible(game: ExtensiveGame, shown: ExtensiveGame, actions: Array) -> Equilibrium:
    """Return a profile that backward induction gives as an equilibrium."""
    profile = BehaviorProfile(actions)
    certificate = certify_tree(game, [profile], 0.0)
    _require(certificate, game.span)
    return Equilibrium(
        game=shown,
        concept="nash",
        kind="sequential",
        profile=_as_shown(shown, profile),
        certificate=replace(certificate, exact=shown.kind == "exact"),
    )


def _as_shown(game: ExtensiveGame, profile: BehaviorProfile) -> BehaviorProfile:
    if game.kind == "exact":
        actions = profile.actions
        pure = all(x in (0, 1) for x in actions)
        return BehaviorProfile(as_exact(actions)) if pure and actions.dtype != object else profile
    return BehaviorProfile(as_float(profile.actions))


def _adds_up_in_floats(game: ExtensiveGame) -> bool:
    """Whether what pure strategies pay is exact in floats: whole numbers, and nothing left to chance."""
    numbers = game.payoffs.ravel().tolist()
    return not game.chance.size and all(x.denominator == 1 and abs(x) < _WHOLE for x in numbers)


def _reduced(game: ExtensiveGame) -> Reduction[StrategicGame] | None:
    """Return the reduced strategic form; None if it is too large and something else can serve."""
    try:
        return to_strategic(game)
    except GameError as error:
        if game.perfect_recall and (len(game.players) == 2 or game.perfect_information):
            return None
        if not game.perfect_recall:
            raise
        raise GameError(
            f"{str(error).split(';')[0]}; ask spe, which goes from subgame to subgame, or trace qre for one equilibrium"
        ) from None


def _of_table(
    game: StrategicGame, method: Method, budget: Budget, options: dict[str, object], *, information: bool = False
) -> _Found:
    """Solve a table of rationals."""
    if options["pure"] or len(game.players) == 1:
        return _pure(game, budget)
    if len(game.players) == 2:
        return _of_two_players(game, method, budget, options)
    tables = [game.payoffs[..., i] for i in range(len(game.players))]
    if information and supports_of(game.shape) > _LISTED * (budget.limit or 1):
        budget.skip("mixed strategies: with perfect information pure equilibria exist, and mixed ones are continua")
        return _Found(_pure(game, budget).components, False, "pure strategies")
    parts, complete = equilibria(tables, budget, np.random.default_rng(options["seed"]))  # type: ignore[arg-type]
    components = [[MixedProfile(m) for m in mixtures_of(part, game.shape)] for part in parts]
    return _Found(components, complete, "support enumeration", tuple(part.whole for part in parts))


def _pure(game: StrategicGame, budget: Budget) -> _Found:
    """Return the pure equilibria of a table, at most as many as there are units of work."""
    most = budget.limit
    cells = pure_equilibria(
        [game.payoffs[..., i] for i in range(len(game.players))], None if most is None else most + 1
    )
    complete = most is None or len(cells) <= most
    if not complete:
        budget.skip(f"pure equilibria after the first {most:,} (limit={most:,} reached)")
    components = [
        [MixedProfile(tuple(_unit(n, int(k), object) for n, k in zip(game.shape, cell, strict=True)))]
        for cell in cells[:most]
    ]
    return _Found(components, complete, "pure strategies" if len(game.players) > 1 else "best strategies")


def _of_two_players(game: StrategicGame, method: Method, budget: Budget, options: dict[str, object]) -> _Found:
    asked = _by_nashpy(game, method) if max(game.shape) <= _MOST_FOR_NASHPY[method] else None
    if method == "lemke-howson":
        if not asked:
            raise SolverError(f"Lemke-Howson found no equilibrium of {game!r}; try method='vertices', or qre")
        return _Found([[MixedProfile(pair)] for pair in asked], False, "Lemke-Howson")
    found = all_equilibria(game.row, game.column, budget.spend)
    extreme = [(x, y) for c in found.components for x in c.rows for y in c.columns]
    options["degenerate"] = found.degenerate
    options["missed"] = None if asked is None else sum(not _among(pair, asked) for pair in extreme)
    if not found.degenerate:
        options["odd"] = len(found.components) % 2 == 1
    label = {"vertices": "vertex enumeration", "support": "support enumeration"}[method]
    return _Found([_corners(c) for c in found.components], True, label)


def _several_points(game: StrategicGame, budget: Budget, options: dict[str, object]) -> _Found:
    """Pure equilibria, and points where Lemke's method ends, of a table with too many vertices."""
    found = _pure(game, budget).components
    solved = sequence_form(
        _as_tree(game.floats()),
        seed=options["seed"],  # type: ignore[arg-type]
        starts=_LEMKE_STARTS,
        time_limit=budget.seconds_left(),
    )
    for e in solved:
        x, y = np.split(e.profile.actions, [game.shape[0]])  # type: ignore[attr-defined]
        known = [tuple(map(as_float, v[0].mixed)) for v in found]
        if not _among((x, y), known):  # type: ignore[arg-type]
            found.append([MixedProfile((x, y))])
    budget.skip(f"mixed equilibria other than those at which Lemke's method ends ({budget.reason} reached)")
    return _Found(found, False, "pure strategies and sequence form")


def _by_nashpy(game: StrategicGame, method: Method) -> list[tuple[Array, Array]]:
    """Certified equilibria that one of Nashpy's methods finds."""
    import nashpy

    table = nashpy.Game(as_float(game.row), as_float(game.column))
    calls = {
        "support": table.support_enumeration,
        "lemke-howson": table.lemke_howson_enumeration,
    }
    found: list[tuple[Array, Array]] = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # it warns of degenerate games; ``options`` says so
        for x, y in _as_long_as_it_lasts(calls[method]()):
            if len(x) != game.shape[0] or len(y) != game.shape[1] or not np.isfinite([*x, *y]).all():
                continue
            if (np.maximum(x, 0.0).sum() == 0) or (np.maximum(y, 0.0).sum() == 0):
                continue
            pair = (np.maximum(x, 0.0) / np.maximum(x, 0.0).sum(), np.maximum(y, 0.0) / np.maximum(y, 0.0).sum())
            certified = certify_strategic(game.floats(), [MixedProfile(pair)], 1e-9).sequentially_rational
            if certified and not _among(pair, found):
                found.append(pair)
    return sorted(found, key=lambda pair: tuple(-round(float(v), 9) for mix in pair for v in mix))


def _as_long_as_it_lasts(pairs: Iterable[tuple[Array, Array]]) -> Iterator[tuple[Array, Array]]:
    """Yield until Nashpy fails, as it does on some degenerate games; what it then leaves out counts as missed."""
    try:
        yield from pairs
    except (ArithmeticError, IndexError, RuntimeError, TypeError, ValueError) as error:
        _LOG.debug("nashpy gave up: %s", error)


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


def _equilibrium(game: StrategicGame | None, shown: StrategicGame, vertices: list[MixedProfile]) -> Equilibrium:
    """Certify a component on the game that was solved (None: on the one that is shown), and hand it back as shown."""
    profile = vertices[0] if len(vertices) == 1 else _middle(vertices)
    rational = all(mix.dtype == object for v in vertices for mix in v.mixed)
    judged = shown if game is None else game
    certificate = certify_strategic(judged, [*vertices, profile], 0.0 if rational else _ROUNDING)
    _require(certificate, judged.span)
    pure = all(((mix == 0) | (mix == 1)).all() for mix in profile.mixed)
    kind = "continuum" if len(vertices) > 1 else "pure" if pure else "mixed"
    if shown.kind != "exact":
        profile, *vertices = (MixedProfile(tuple(map(as_float, v.mixed))) for v in (profile, *vertices))
        certificate = replace(certificate, exact=False)
    return Equilibrium(
        game=shown, concept="nash", kind=kind, profile=profile, vertices=tuple(vertices), certificate=certificate
    )


def _require(certificate: Certificate, span: float) -> None:
    if not certificate.equilibrium:
        raise SolverError(
            f"an equilibrium has a regret of {certificate.max_regret:g} payoff units (span {span:g}), more than "
            "rounding explains; please report the game",
            residual=certificate.max_regret,
        )
