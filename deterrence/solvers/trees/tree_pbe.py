"""Perfect Bayesian equilibrium of trees: as a signaling game where the tree is one, else on the tree itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from deterrence.games.batch import BatchEquilibria, Survey
from deterrence.games.equilibrium import Certificate, Equilibrium, EquilibriumSet, Verdict
from deterrence.games.errors import GameError, SolverError
from deterrence.games.events import Event
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.lazy_sequence import LazySequence
from deterrence.games.reductions import Reduction, to_signaling
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.pbe_batch import decided_singly, flat_index, pbe_batch
from deterrence.solvers.signaling.equilibria import signaling_equilibria
from deterrence.solvers.verification.tree import certify

NEAR = 1e-12  # of a payoff span: last movers' payoffs so close are compared tree by tree, in exact arithmetic
ROUNDING = 1e-9  # of floats on the tree; exact results are held to 0
MOST_VERIFIED = 32  # vertices of one component certified on the tree too; all are certified on the signaling game


def pbe_of_tree(
    game: ExtensiveGame, *, exact: bool = False, tol: float = 0.0, limit: int = 2_000_000
) -> EquilibriumSet | BatchEquilibria:
    """Find the perfect Bayesian equilibria of a tree, or of every tree of a batch.

    A tree that is a signaling game once last movers who know all are folded back (see ``to_signaling``) is solved as
    one: all components, with beliefs, lifted to the tree. Any other tree, and one in which a last mover is
    indifferent, goes to ``sequential(consistency="weak")``.

    Parameters
    ----------
    game : ExtensiveGame
        With numbers.
    exact : bool
        Rational arithmetic; no batches.
    tol : float
        See ``pbe``; and payoff differences of last movers up to this share of the span are ties.
    limit : int
        Most combinations of supports to look at.

    Returns
    -------
    EquilibriumSet, or BatchEquilibria of a batch
        Of a batch in signaling shape; those in which a last mover is indifferent are ``degenerate``, solved as trees.

    Raises
    ------
    SolverError
        If an equilibrium is not certified on the tree.
    """
    if game.batch_shape:
        if exact:
            raise GameError("a batch of games is solved in floats; for exact=True index one game of it")
        return _batch(game, tol, limit)
    return _single(game, exact=exact, tol=tol, limit=limit)


def _single(game: ExtensiveGame, *, exact: bool = False, tol: float, limit: int) -> EquilibriumSet:
    numeric = game.exact() if exact else game.floats()
    try:
        reduction = to_signaling(game.exact(), tol=tol)  # floats as the decimals that they print as: ties are exact
    except GameError:
        from deterrence.solvers.sequential import sequential  # it solves signaling shapes by this file

        found: EquilibriumSet = sequential(numeric, consistency="weak", exact=exact, tol=tol)
        return found
    return _lifted(numeric, reduction, exact, tol, limit)


def _lifted(
    game: ExtensiveGame, reduction: Reduction[SignalingGame], exact: bool, tol: float, limit: int
) -> EquilibriumSet:
    found = signaling_equilibria(reduction.game, exact=exact, tol=tol, limit=limit)
    return EquilibriumSet(
        game=game,
        concept=found.concept,
        method=f"signaling game: {found.method}",
        equilibria=tuple(_lift_one(game, reduction, e, tol) for e in found),
        complete=found.complete,
        options=found.options,
    )


def _lift_one(game: ExtensiveGame, reduction: Reduction[SignalingGame], e: Equilibrium, tol: float) -> Equilibrium:
    profile = reduction.lift(e.profile)
    vertices = LazySequence(e.vertices, reduction.lift)
    checked = [profile, *(vertices[i] for i in range(min(len(vertices), MOST_VERIFIED)) if not e.isolated)]
    certificate = certify(game, checked, max(tol, ROUNDING))
    if not certificate.sequentially_rational:
        raise SolverError(
            f"an equilibrium ({e.kind}) of the signaling game is none of the tree: regret {certificate.max_regret:g}; "
            "try exact=True",
            float(certificate.max_regret),
        )
    if e.certificate is not None:
        certificate = _worse(certificate, e.certificate)

    def refine(_: Equilibrium, name: str, __: Sequence[Equilibrium] | None) -> Verdict:
        verdict = e.verdict(name)
        return replace(verdict, surviving=tuple(reduction.lift(p) for p in verdict.surviving))

    return Equilibrium(
        game=game,
        concept=e.concept,
        kind=e.kind,
        kinds=e.kinds,
        profile=profile,
        vertices=() if e.isolated else vertices,
        certificate=certificate,
        refine=refine,
    )


def _worse(a: Certificate, b: Certificate) -> Certificate:
    return Certificate(
        max_regret=max(a.max_regret, b.max_regret),
        max_belief_error=max(a.max_belief_error, b.max_belief_error),
        sequentially_rational=a.sequentially_rational and b.sequentially_rational,
        exact=a.exact and b.exact,
    )


def _batch(game: ExtensiveGame, tol: float, limit: int) -> BatchEquilibria:
    reduction = to_signaling(game, tol=max(tol, NEAR))
    found = pbe_batch(reduction.game, tol=tol)
    return replace(
        found,
        game=game,
        method=f"signaling game: {found.method}",
        survey=partial(_survey, game, tol, limit, reduction, found),
        single=partial(_single, tol=tol, limit=limit),
    )


def _survey(
    game: ExtensiveGame,
    tol: float,
    limit: int,
    reduction: Reduction[SignalingGame],
    found: BatchEquilibria,
    events: tuple[Event, ...],
) -> Survey:
    """Survey the signaling games; predicates are put to the paths of the tree.

    Where a last mover may be indifferent the tree is solved on its own, whatever the signaling game says.
    """
    asked: tuple[Event, ...] = events
    predicates = {f"predicate {i}": e for i, e in enumerate(events) if callable(e)}
    if predicates:
        found = pbe_batch(to_signaling(game, tol=max(tol, NEAR), named=predicates).game, tol=tol)
        asked = tuple(f"predicate {i}" if callable(e) else e for i, e in enumerate(events))
    survey = found.survey(asked)
    tied = np.ravel(reduction.degenerate)

    def solve(i: int) -> EquilibriumSet:
        return _single(game[flat_index(game, i)], tol=tol, limit=limit)

    if tied.any():
        survey = decided_singly(survey, np.flatnonzero(tied), solve, events)
    return replace(survey, degenerate=survey.degenerate | tied)
