"""Perfect Bayesian equilibrium; on signaling games all of them, as maximal components, each certified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deterrence.games.equilibrium import Equilibrium, EquilibriumSet, Verdict
from deterrence.games.errors import GameError, SolverError
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.algebra.polytopes import members
from deterrence.solvers.arguments import check_tolerance, numbers_in
from deterrence.solvers.signaling.cells import Tables, all_messages
from deterrence.solvers.signaling.components import Component, components
from deterrence.solvers.signaling.supports import supports
from deterrence.solvers.signaling.vertices import Vertices
from deterrence.solvers.verify import verify

_ALL_VERTICES = 8  # of a component with more, certified are those that show every gainful deviation there is
_WORTH = 100  # combinations of supports that take as long as one component
_SLACK = 10  # a chain of comparisons, each within tol, may add up to this many times tol


def pbe(
    game: Any,
    *,
    at: Mapping[str, object] | None = None,
    exact: bool = False,
    tol: float = 1e-9,
    limit: int = 2_000_000,
) -> Any:
    """Find all perfect Bayesian equilibria.

    On a signaling game: every response is optimal at the receiver's belief, every message that a type sends
    is optimal given the responses, beliefs follow Bayes' rule from the receiver's prior at messages that it
    expects, and are free at others. The set of these equilibria is a finite union of products of polytopes
    (sender's strategies x receivers' strategies x beliefs off the path); each element of the result is a
    maximal one, with its vertices.

    Parameters
    ----------
    game : SignalingGame or ExtensiveGame
        One game, or a batch of signaling games of one shape.
    at : mapping of str to number, optional
        Values of the game's parameters.
    exact : bool
        Rational arithmetic: a float (and an irrational constant such as ``sqrt(2)``, which a game holds as a float)
        counts as the decimal that it prints as, and results are ``Fraction``.
    tol : float
        Payoff differences up to ``tol`` times the player's payoff span are ties (1e-9: far above the rounding
        of float64, far below what a payoff table means to say). Not used if ``exact``.
    limit : int
        Largest number of combinations of supports to look at, and a hundred times that of components to
        return. Either way about 20 s at the default.

    Returns
    -------
    EquilibriumSet or BatchEquilibria
        Of one game, a set with ``complete=True``: nothing is missing (see ``Notes``). Of a batch, counts,
        ranges of probabilities and flags.

    Raises
    ------
    GameError
        If parameters have no values, or the game needs more than ``limit`` combinations; the message says how
        many.
    SolverError
        If a result fails its certificate, which in floats a payoff difference close to ``tol`` can cause; use
        ``exact=True``.

    Notes
    -----
    The search is complete because each step keeps every equilibrium. (1) At each message the belief simplex
    is cut into cells, each with its types and its exact set of best responses [1]_; an equilibrium lies in
    one cell per message. (2) Combinations of cells are dropped only by conditions that are necessary in every
    game, tied or not. (3) In the combinations left, each side faces linear constraints, and all vertices of
    its polytope are enumerated [2]_. Components are maximal by the argument in ``signaling_components``. A
    component holds the equilibria with one set of messages on the path; where a message's probability falls
    to zero, its free beliefs belong to another component.

    The cost grows with the number of cells, about ``2**T`` times the regions of best responses at each
    message, to the power M; ties add little to the search and much to the number of vertices.

    References
    ----------
    .. [1] B. von Stengel, "Computing equilibria for two-person games", Handbook of Game Theory 3 (2002),
       1723-1759 (best-response subdivisions; maximal sets of exchangeable equilibria).
    .. [2] K. Fukuda and A. Prodon, "Double description method revisited", Combinatorics and Computer Science
       (1996), 91-111.

    Examples
    --------
    >>> from deterrence.games.signaling import SignalingGame
    >>> beer_quiche = SignalingGame(
    ...     types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=["1/10", "9/10"],
    ...     sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]])
    >>> equilibria = pbe(beer_quiche, exact=True)
    >>> equilibria.kinds
    ('semi-separating: weak mixes',)
    >>> equilibria[0].strategies["Sender"]["weak"]["beer"]
    Fraction(1, 9)
    """
    numeric = numbers_in(game, at, "pbe", ("SignalingGame", "ExtensiveGame"))
    check_tolerance(tol)
    if not isinstance(numeric, SignalingGame):
        from deterrence.solvers.trees.tree_pbe import pbe_of_tree

        return pbe_of_tree(numeric, exact=exact, tol=tol, limit=limit)
    if numeric.batch_shape:
        if exact:
            raise GameError("a batch of games is solved in floats; for exact=True index one game of it")
        from deterrence.solvers.pbe_batch import pbe_batch

        return pbe_batch(numeric, tol=tol)
    numeric.require_numbers()
    return _signaling(numeric.exact() if exact else numeric.floats(), exact, tol, limit)


def _signaling(game: SignalingGame, exact: bool, tol: float, limit: int) -> EquilibriumSet:
    tables = Tables.of(game, tol)
    messages = all_messages(tables, limit)
    found = components(tables, messages, supports(tables, messages, limit), limit // _WORTH)
    if not found:
        raise SolverError(
            f"pbe found no equilibrium of {game!r}, but one exists: a payoff difference is too close to tol={tol:g}; "
            "use exact=True"
        )
    return EquilibriumSet(
        game=game,
        concept="perfect Bayesian",
        method="cells of beliefs, supports, vertices",
        equilibria=tuple([_certified(game, tables, component, tol) for component in found]),
        complete=True,
        options={"exact": exact, "tol": tol, "limit": limit},
    )


def _certified(game: SignalingGame, tables: Tables, component: Component, tol: float) -> Equilibrium:
    vertices = Vertices(tables, component)
    equilibrium = Equilibrium(
        game=game,
        concept="perfect Bayesian",
        kind=_kind(game, component.sends),
        profile=vertices.interior(),
        vertices=vertices if len(vertices) > 1 else (),
        refine=_refine,
    )
    checked = equilibrium
    if len(vertices) > _ALL_VERTICES:
        checked = replace(equilibrium, vertices=tuple(vertices.covering()))
    certificate = verify(game, checked, tol=_SLACK * tol)
    rational = certificate.sequentially_rational or certificate.max_regret <= _rounding(game)
    if not rational or certificate.max_belief_error > _SLACK * tol:
        raise SolverError(
            f"an equilibrium of {game!r} ({equilibrium.kind}) fails its certificate: "
            f"regret {float(certificate.max_regret):.3g}, belief error {float(certificate.max_belief_error):.3g}; "
            f"a payoff difference is close to tol={tol:g}, so use exact=True or another tol",
            residual=float(certificate.max_regret),
        )
    return replace(equilibrium, certificate=certificate)


def _rounding(game: SignalingGame) -> float:
    """Regret that rounding alone can cause, in payoffs as large as the game's; none in exact arithmetic."""
    if game.kind == "exact":
        return 0.0
    return 64 * float(np.finfo(np.float64).eps) * float(max(np.abs(game.U).max(), np.abs(game.V).max()))


def _kind(game: SignalingGame, sends: Sequence[int]) -> str:
    chosen = [members(mask) for mask in sends]
    mixers = [game.types[t] for t, messages in enumerate(chosen) if len(messages) > 1]
    if mixers:
        return f"semi-separating: {', '.join(mixers)} {'mixes' if len(mixers) == 1 else 'mix'}"
    distinct = {messages[0] for messages in chosen}
    if len(distinct) == 1:
        return f"pooling on {game.messages[chosen[0][0]]}"
    return "separating" if len(distinct) == len(chosen) else "partially pooling"


def _refine(equilibrium: Equilibrium, name: str, siblings: Sequence[Equilibrium] | None) -> Verdict:
    from deterrence.solvers.refinements import refine

    return refine(equilibrium, name, siblings)
