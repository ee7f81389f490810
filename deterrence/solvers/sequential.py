r"""Sequential equilibria of trees: optimal everywhere, under beliefs that trembles can explain.

A pair of strategies and beliefs is a sequential equilibrium iff it is consistent (the limit of fully mixed
strategies with their Bayes beliefs) and at each information set, reached or not, what is played is optimal given the
belief there [1]_. The tree is solved subgame by subgame; each stage is searched over the supports of play and of
beliefs, with actions that are worse whatever follows left out; each combination is a small algebraic system
(``assessment_cells``) whose solutions are then checked for consistency (``consistency``). Two-player games come out
complete, continua with their vertices.

References
----------
.. [1] D. Kreps and R. Wilson, "Sequential Equilibria", Econometrica 50 (1982), 863-894.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, Literal

import numpy as np

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.equilibrium import Certificate, Equilibrium, EquilibriumSet
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import expected_payoffs
from deterrence.games.quantities import Array, as_float
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.arguments import check_tolerance, in_rationals, require_form
from deterrence.solvers.budget import Budget
from deterrence.solvers.spe import path_of_play
from deterrence.solvers.trees.assessment_cells import Assessment
from deterrence.solvers.trees.consistency import Witness, tremble_witness
from deterrence.solvers.trees.pure_assessments import TooManyProfiles, pure_candidates
from deterrence.solvers.trees.stage_assessments import Family, stage_families, supported_families
from deterrence.solvers.trees.stages import Part, stage_solutions
from deterrence.solvers.verification.tree import certify_each

Consistency = Literal["full", "weak"]
_MOST_CORNERS = 256
_ROUNDING = 1e-10  # regret of a solution in floats, as a share of the spread that is compared, and error of its beliefs
_MOST_PURE = 1_000  # pure profiles that are looked at for a unit of work
_LAST_RESORT = 200  # pure profiles of a stage for which no work is left
_MOST_SETS = 5_000  # information sets; each stage takes some milliseconds
_COMPARED = 200  # beliefs that decide the order of equilibria with the same strategies


@dataclass(frozen=True, eq=False)
class SequentialProfile(BehaviorProfile):
    """Strategies and beliefs, with the trembles that generate the beliefs as ``witness`` (None if weak)."""

    witness: Witness | None = None


def sequential(
    game: ExtensiveGame | SignalingGame,
    *,
    at: Mapping[str, object] | None = None,
    consistency: Consistency = "full",
    pure: bool = False,
    exact: bool = False,
    tol: float = 0.0,
    limit: int = 20_000,
    time_limit: float | None = None,
    seed: int | None = 0,
) -> EquilibriumSet:
    """Find all sequential equilibria of a small tree, or all pure ones of a larger tree.

    Parameters
    ----------
    game : ExtensiveGame or SignalingGame
        A single game with perfect recall.
    at : mapping of str to number, optional
        Values of the game's parameters.
    consistency : str
        ``"full"``: Kreps and Wilson's. ``"weak"``: Bayes' rule on the path, any belief off it (weak perfect Bayesian).
    pure : bool
        Only equilibria in pure strategies; ``complete`` then speaks of these.
    exact : bool
        Rational arithmetic (strategies, beliefs and certificate) where the conditions are linear.
    tol : float
        Payoffs of a player that differ by no more than this share of their own size are made one number first, as in
        ``nash``; at 0 numbers tie if they are equal.
    limit : int
        Most work: combinations of supports of play and beliefs, small ones first, and batches of boxes in which
        conditions that are not linear are searched (with ``pure``: pure profiles, a thousand times as many). What was
        found by then is returned (at worst nothing), not ``complete``, and ``options["unsearched"]`` says what is left.
    time_limit : float, optional
        Most seconds, alike.
    seed : int or None
        For the starts of Newton's method, where the conditions are not linear.

    Returns
    -------
    EquilibriumSet
        A continuum (of off-path play or beliefs, mostly) is one equilibrium with its vertices. Each profile carries its
        ``witness``. ``complete`` only if every stage is a finite union of polytopes that were all found, and continua
        do not change what earlier stages are worth. A game in floats is solved in rationals, as the decimals that its
        floats print as, and handed back in floats.

    Raises
    ------
    GameError
        If the game is a batch or lacks perfect recall.
    ParameterError
        If ``consistency`` is not known.
    SolverError
        If the game has more than 5,000 information sets, or an equilibrium fails its certificate.

    Examples
    --------
    >>> import deterrence as dt
    >>> game = dt.ExtensiveGame(("A", "D"), dt.move("A", {
    ...     "refrain": dt.end("peace", A=0, D=1),
    ...     "attack": dt.move("D", {"fight": dt.end("war", A=-1, D=-1), "yield": dt.end("conquest", A=1, D=0)})}))
    >>> [e.kind for e in sequential(game)]
    ['attack, yield']
    """
    check_tolerance(tol)
    if consistency not in ("full", "weak"):
        raise ParameterError(f"consistency must be 'full' or 'weak', got {consistency!r}")
    require_form(game, "sequential", "ExtensiveGame", "SignalingGame")
    tree = game.to_extensive() if isinstance(game, SignalingGame) else game
    numeric = tree.at(**(at or {}))
    numeric.require_numbers()
    if numeric.batch_shape:
        raise GameError("sequential solves one game; index the batch, as in game[0]")
    shown = numeric.exact() if exact else numeric.floats()
    numeric, merged = in_rationals(numeric, tol)
    numeric.topology.require_perfect_recall("sequential equilibrium")
    if len(numeric.infosets) > _MOST_SETS:
        raise SolverError(
            f"the game has {len(numeric.infosets):,} information sets, more than {_MOST_SETS:,} for a search through "
            "supports; solve it with spe if information is perfect, or trace qre for one equilibrium"
        )
    rng = np.random.default_rng(seed)
    weak = consistency == "weak"
    budget = Budget("sequential", limit=limit, time_limit=time_limit, unit="combinations of supports")

    def pure_families(stage: ExtensiveGame, mine: Budget | None) -> tuple[list[Family], bool]:
        """Pure equilibria of a stage; without a budget as many as a last resort allows."""
        spend = mine or Budget("sequential", limit=_LAST_RESORT, unit="pure profiles")
        try:
            candidates = pure_candidates(stage, _MOST_PURE * (limit if mine else _LAST_RESORT))
        except TooManyProfiles as error:
            budget.skip(str(error))
            return [], False
        families, complete = supported_families(stage, candidates, weak, spend, rng)
        return families, complete and pure

    def solve(stage: ExtensiveGame, first: bool) -> Part:
        if pure or budget.ended:  # of a stage that there is no work left for, at least what is pure
            families, complete = pure_families(stage, budget if pure else None)
        else:
            families, complete = stage_families(stage, weak, budget, rng)
            if not families and budget.ended:
                families, complete = pure_families(stage, None)
        settled: list[Family] = []
        for family in families:
            if first or _constant_value(stage, family):
                settled.append(family)
            else:  # what comes before depends on which of them is played: points of the continuum stand on their own
                points = {tuple(as_float(c.actions)): c for c in (family.centre, *family.corners)}
                settled += [Family(c, (c,)) for c in points.values()]
                complete = complete and pure
        if pure:
            settled = [f for f in settled if all(p in (0, 1) for p in f.centre.actions)]
        return Part([f.centre.actions for f in settled], complete, list(settled))

    if weak and not pure:
        families, complete = stage_families(numeric, True, budget, rng)  # off the path beliefs are free across subgames
        whole = [(f.centre.actions, [(None, f.centre.actions, f)]) for f in families]
    else:
        whole, complete = stage_solutions(numeric, solve, budget)
    drafts = [_assembled(numeric, stages, weak) for _, stages in whole]
    found = _certified(numeric, shown, drafts, weak)
    complete = complete and len(found) == len(drafts)
    found.sort(key=_order)
    return EquilibriumSet(
        game=shown,
        concept="sequential" if not weak else "pbe",
        method="pure strategies" if pure else "supports",
        equilibria=tuple(found),
        complete=complete,
        options={
            "consistency": consistency,
            "pure": pure,
            "exact": exact,
            "tol": tol,
            "merged": merged,
            "seed": seed,
            **budget.options(),
        },
    )


def _constant_value(stage: ExtensiveGame, family: Family) -> bool:
    """Whether all of a continuum is worth the same to everybody."""
    values = {tuple(expected_payoffs(stage, c.actions)) for c in family.corners}
    return len(values) == 1


def _assembled(game: ExtensiveGame, stages: list[tuple[Any, Array, Family]], weak: bool) -> list[SequentialProfile]:
    """Put the stages together: the profile inside, then the vertices (none if the profile is all)."""
    middle = _joined(game, [(carving, family.centre) for carving, _, family in stages])
    total = prod(len(family.corners) for _, _, family in stages)
    if total == 1:
        corners = []
    elif total <= _MOST_CORNERS:
        corners = [
            _joined(game, [(carving, corner) for (carving, _, _), corner in zip(stages, choice, strict=True)])
            for choice in product(*(family.corners for _, _, family in stages))
        ]
    else:
        corners = []
        for k, (_, _, family) in enumerate(stages):
            for corner in family.corners:
                chosen = [(c, corner if j == k else f.centre) for j, (c, _, f) in enumerate(stages)]
                corners.append(_joined(game, chosen))
    profiles = []
    for assessment in [middle, *corners]:
        witness = None if weak else tremble_witness(game, assessment.actions, assessment.beliefs, _ROUNDING)
        if witness is None and not weak:
            raise SolverError("beliefs that were built from trembles failed the test of consistency; try exact=True")
        profiles.append(SequentialProfile(assessment.actions, assessment.beliefs, witness=witness))
    return profiles


def _certified(
    game: ExtensiveGame, shown: ExtensiveGame, drafts: list[list[SequentialProfile]], weak: bool
) -> list[Equilibrium]:
    """Certify as solved, and hand back as shown; left out are weak equilibria that fail for plans of several moves."""
    found = []
    for profiles in drafts:
        rational = all(p.actions.dtype == object for p in profiles)
        mine = certify_each(game, profiles, 0.0 if rational else _ROUNDING)
        if not all(c.sequentially_rational for c in mine):
            if weak:
                continue
            worst = max(c.max_regret for c in mine)
            raise SolverError(
                f"a sequential equilibrium failed its certificate: regret {worst:g}, belief error "
                f"{max(c.max_belief_error for c in mine):g}; please report the game",
                residual=worst,
            )
        if shown.kind != "exact":
            profiles = [
                SequentialProfile(as_float(p.actions), as_float(p.nodes), witness=p.witness)  # type: ignore[arg-type]
                for p in profiles
            ]
        found.append(
            Equilibrium(
                game=shown,
                concept="pbe" if weak else "sequential",
                kind=path_of_play(shown, profiles[0].actions),
                profile=profiles[0],
                vertices=tuple(profiles[1:]),
                certificate=Certificate(
                    max_regret=max(c.max_regret for c in mine),
                    max_belief_error=max(c.max_belief_error for c in mine),
                    sequentially_rational=True,
                    exact=shown.kind == "exact" and all(c.exact for c in mine),
                ),
            )
        )
    return found


def _joined(game: ExtensiveGame, parts: list[tuple[Any, Assessment]]) -> Assessment:
    if len(parts) == 1 and parts[0][0] is None:
        return parts[0][1]
    rational = all(a.actions.dtype == object for _, a in parts)
    actions = np.zeros(game.topology.action_count, dtype=object if rational else np.float64)
    beliefs = np.zeros(game.topology.size, dtype=actions.dtype)
    for carving, assessment in parts:
        actions[carving.action_slots] = assessment.actions
        inner = carving.topology.owner >= 0
        beliefs[carving.nodes[inner]] = assessment.beliefs[inner]
    return Assessment(actions, beliefs)


def _order(e: Equilibrium) -> tuple[float, ...]:
    actions = -np.round(as_float(e.profile.actions), 9)  # type: ignore[attr-defined]
    beliefs = e.profile.nodes[e.game.topology.owner >= 0]  # type: ignore[attr-defined]
    return (*actions, *-np.round(as_float(beliefs[:_COMPARED]), 9))
